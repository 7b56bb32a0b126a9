"""`moot members`, `moot status` and `moot decisions`: what the node of a home knows."""

import errno
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from node.api import DecisionReport, MemberReport
from node.cli import show
from node.cli.options import DEFAULT_HOME, HomeOption, JsonOption, home_path, print_help
from node.cli.terminal import answer, answer_json, console, print_table, say
from node.control_client import ControlClient
from node.errors import NodeError, StoreFull

QuestionArgument = Annotated[str, typer.Argument(metavar="ID", help="A question's id, or its first characters.")]

decisions = typer.Typer(help="List, show and export what was decided.")


@decisions.callback(invoke_without_command=True)
def bare(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print_help(context)


def members(home: HomeOption = Path(DEFAULT_HOME), as_json: JsonOption = False) -> None:
    """Show the members, and who is reachable."""
    reports = ControlClient(home_path(home)).members()
    if as_json:
        for report in reports:
            answer_json(report)
        return
    columns = ["member", "organization", "status", "address", "round trip", "heard", "height", "id"]
    rows = [_member_row(report) for report in reports]
    if all(report["organization"] == report["name"] for report in reports):
        columns.remove("organization")
        rows = [[row[0], *row[2:]] for row in rows]
    print_table(columns, rows, right=["round trip", "heard", "height"])
    for report in reports:
        if report["contradicted"]:
            console(error=True).print(show.contradicted_line(report["name"], report["contradicted"]), soft_wrap=True)
    alive = sum(report["status"] == "alive" for report in reports)
    say((f"{alive} of {show.plural(len(reports), 'member')} alive", "dim"))


def _member_row(member: MemberReport) -> list[str | Text]:
    heard = member["last_heard_ms"]
    return [
        Text(member["name"], style="bold" if member["itself"] else ""),
        member["organization"],
        Text(_status(member), style=show.STATUS_STYLES.get(member["status"], "")),
        member["address"],
        "this node" if member["itself"] else show.milliseconds(member["rtt_ms"]),
        "-" if heard is None or member["itself"] else f"{show.milliseconds(heard)} ago",
        "-" if member["height"] is None else str(member["height"]),
        Text(member["node"][: show.ID_LENGTH], style="dim"),
    ]


def _status(member: MemberReport) -> str:
    return f"{member['status']}, other protocol" if member["compatible"] is False else member["status"]


def status(home: HomeOption = Path(DEFAULT_HOME), as_json: JsonOption = False) -> None:
    """Show this node, its model and its moot."""
    report = ControlClient(home_path(home)).status()
    if as_json:
        answer_json(report)
        return
    alive = f"{report['members_alive']} of {show.plural(report['members'], 'member')}"
    facts = [show.fact("alive", alive), show.fact("up for", show.duration(report["uptime_ms"]))]
    if not report["in_roster"]:
        facts.append(show.fact("roster", show.FOLLOWS))
    elif report["watching"]:
        facts.append(show.fact("watching", "follows without voting until it has caught up"))
    facts += [show.contradicted_line(name, slots) for name, slots in report["contradicted"].items()]
    for line in show.status_lines(report) + facts:
        console().print(line, soft_wrap=True)


@decisions.command("list")
def list_decisions(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most this many.")] = 20,
    home: HomeOption = Path(DEFAULT_HOME),
    as_json: JsonOption = False,
) -> None:
    """List questions, the newest first."""
    reports = ControlClient(home_path(home)).decisions(limit)
    if as_json:
        for report in reports:
            answer_json(report)
        return
    if not reports:
        say("nothing was asked yet; ask: moot ask QUESTION")
        return
    columns = ["id", "asked", "state", "answer", "slot", "question"]
    print_table(columns, [_decision_row(report) for report in reports], right=["asked", "slot"])


def _decision_row(decision: DecisionReport) -> list[str | Text]:
    ago = max(0, int(time.time() * 1000) - decision["asked_ms"])
    return [
        show.short_id(decision["id"]),
        f"{show.duration(ago)} ago",
        Text(decision["state"].replace("_", " "), style=show.STATUS_STYLES.get(decision["state"], "")),
        "-" if decision["answer"] is None else decision["answer"],
        "-" if decision["slot"] is None else str(decision["slot"]),
        decision["text"].replace("\n", " "),
    ]


@decisions.command("show")
def show_decision(
    question: QuestionArgument, home: HomeOption = Path(DEFAULT_HOME), as_json: JsonOption = False
) -> None:
    """Show who answered what, and what was decided."""
    report = ControlClient(home_path(home)).decision(question)
    if as_json:
        answer_json(report)
        return
    out = console()
    for line in show.question_lines(report):
        out.print(line, soft_wrap=True)
    show.print_members(report)
    out.print()
    for line in show.decision_lines(report):
        out.print(line, soft_wrap=True)


@decisions.command("export")
def export_certificate(
    question: QuestionArgument,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to; - for stdout. Default: ID.json.")
    ] = None,
    home: HomeOption = Path(DEFAULT_HOME),
) -> None:
    """Write the certificate of a decision to a file."""
    client = ControlClient(home_path(home))
    data = client.certificate(question)
    if out == Path("-"):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    place = out or Path(f"{show.short_id(client.decision(question)['id'])}.json")
    _write(place, data)
    answer(str(place))
    say((f"verify it: moot verify {place} --home {home}", "dim"))


def _write(place: Path, data: bytes) -> None:
    """Whole, or not at all."""
    partial = place.with_name(f"{place.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(place)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        kind = StoreFull if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else NodeError
        raise kind(f"{place}: cannot be written: {error.strerror}") from error
