"""`moot roster`: who counts in a vote, and how that is changed: proposed at one member, approved at others, decided."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from node.api import ChangeReport, RosterReport
from node.cli import show
from node.cli.options import DEFAULT_HOME, HomeOption, JsonOption, home_path
from node.cli.terminal import answer, answer_json, console, print_table, say
from node.control_client import ControlClient

roster = typer.Typer(help="Show who counts in a vote; add and remove members.")

ThresholdOption = Annotated[
    int | None,
    typer.Option(metavar="N", help="Members that make a quorum then. Default: more than two thirds."),
]
TurnoutOption = Annotated[
    int | None, typer.Option(metavar="N", help="Members that must have answered. Default: more than half.")
]
ReasonOption = Annotated[str, typer.Option(metavar="TEXT", help="Why, for those who are to approve it.")]


@roster.callback(invoke_without_command=True)
def show_roster(context: typer.Context, home: HomeOption = Path(DEFAULT_HOME), as_json: JsonOption = False) -> None:
    """Show who counts in a vote; add and remove members."""
    if context.invoked_subcommand is not None:
        return
    report = ControlClient(home_path(home)).roster()
    if as_json:
        answer_json(report)
        return
    rows = [
        [one["name"], one["organization"], str(one["weight"]), one["address"], show.short_id(one["node"])]
        for one in report["members"]
    ]
    print_table(["member", "organization", "weight", "first address", "id"], rows, right=["weight"])
    out = console(error=True)
    for name, value in _facts(report):
        out.print(show.fact(name, value), soft_wrap=True)
    for change in report["changes"]:
        _print_change(change)


@roster.command()
def add(
    cards: Annotated[list[Path], typer.Argument(metavar="CARD", help="Cards of new members, or homes here.")],
    threshold: ThresholdOption = None,
    turnout: TurnoutOption = None,
    reason: ReasonOption = "",
    home: HomeOption = Path(DEFAULT_HOME),
    as_json: JsonOption = False,
) -> None:
    """Propose to add members."""
    from node import founding

    read = [founding.card_of(founding.read_card(card)) for card in cards]
    _propose(home, as_json, cards=read, threshold=threshold, turnout=turnout, reason=reason)


@roster.command()
def remove(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Members to remove, by name or id.")],
    threshold: ThresholdOption = None,
    turnout: TurnoutOption = None,
    reason: ReasonOption = "",
    home: HomeOption = Path(DEFAULT_HOME),
    as_json: JsonOption = False,
) -> None:
    """Propose to remove members."""
    _propose(home, as_json, remove=names, threshold=threshold, turnout=turnout, reason=reason)


@roster.command()
def rules(
    threshold: ThresholdOption = None,
    turnout: TurnoutOption = None,
    reason: ReasonOption = "",
    home: HomeOption = Path(DEFAULT_HOME),
    as_json: JsonOption = False,
) -> None:
    """Propose other numbers for the same members."""
    _propose(home, as_json, threshold=threshold, turnout=turnout, reason=reason)


@roster.command()
def approve(
    change: Annotated[str, typer.Argument(metavar="ID", help="A change's id, or its first characters.")],
    home: HomeOption = Path(DEFAULT_HOME),
    as_json: JsonOption = False,
) -> None:
    """Approve a change for this member; it is decided once a quorum's members have."""
    report = ControlClient(home_path(home)).approve_change(change)
    if as_json:
        answer_json(report)
        return
    answer(report["id"])
    _print_change(report)


def _propose(home: Path, as_json: bool, **wanted: Any) -> None:
    report = ControlClient(home_path(home)).propose_change(**wanted)
    if as_json:
        answer_json(report)
        return
    answer(report["id"])
    _print_change(report)
    missing = report["needed"] - len(report["approved_by"])
    if missing > 0:
        members = show.plural(missing, "other member")
        say((f"to be approved at {members}: moot roster approve {show.short_id(report['id'])}", "dim"))


def _facts(report: RosterReport) -> list[tuple[str, str]]:
    since = f"since slot {report['since_slot']}" if report["epoch"] else "as founded"
    facts = [
        ("epoch", f"{report['epoch']}, {since}"),
        ("quorum", f"{report['threshold']} must vote, {report['turnout']} must have answered"),
    ]
    if not report["in_roster"]:
        facts.append(("this node", "is not in the roster: it follows, and neither asks nor votes"))
    return facts


def _print_change(change: ChangeReport) -> None:
    """What would be, and who wants it."""
    parts = [f"add {_names([one['name'] for one in change['added']])}"] if change["added"] else []
    parts += [f"remove {_names(change['removed'])}"] if change["removed"] else []
    parts += [f"{name} {before} to {after}" for name, (before, after) in change["rules"].items()]
    approved = f"{len(change['approved_by'])} of {change['needed']} needed: {_names(change['approved_by']) or 'nobody'}"
    out = console(error=True)
    out.print(show.fact("change", f"{show.short_id(change['id'])}  {'; '.join(parts)}"), soft_wrap=True)
    if change["reason"]:
        out.print(show.fact("reason", json.dumps(change["reason"], ensure_ascii=False)), soft_wrap=True)
    after = f"{change['threshold']} of {show.plural(change['members'], 'member')} must vote"
    out.print(show.fact("then", after), soft_wrap=True)
    out.print(show.fact("approved", f"{approved} (proposed by {change['proposed_by']})"), soft_wrap=True)


def _names(names: Sequence[str]) -> str:
    return ", ".join(names)
