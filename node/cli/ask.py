"""`moot ask` and `moot follow`: put a question to the moot, watch it, print the answer."""

import json
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from node.api import AskEvent, DecisionReport
from node.cli import show
from node.cli.options import DEFAULT_HOME, HomeOption, JsonOption, home_path
from node.cli.terminal import answer, answer_json, console, say
from node.control_client import ControlClient, NodeDown, StillOpen
from node.errors import Exit
from node.home import Home

PATIENCE_S = 5.0
"""Past the deadline, before the silence is explained."""
DEADLINE_S = 20.0
"""Of a charter that does not say otherwise."""

WaitOption = Annotated[
    float | None,
    typer.Option("--wait-s", metavar="SECONDS", min=0.001, help="Stop waiting after this long; the question goes on."),
]
EventsOption = Annotated[bool, typer.Option("--events", help="Print every event as a line of JSON.")]


class Kind(StrEnum):
    CHOICE = "choice"
    NUMBER = "number"
    SHORT = "short"


def ask(
    text: Annotated[str, typer.Argument(metavar="QUESTION", help="What is asked; quote it.")],
    kind: Annotated[
        Kind | None, typer.Option(help="How answers are compared. Default: choice with options, else short.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", metavar="TEXT", help="One answer to choose from; repeat it.")
    ] = None,
    deadline_ms: Annotated[
        int | None, typer.Option(metavar="MS", min=1, help="Time to answer. Default: the charter's.")
    ] = None,
    tally: Annotated[str | None, typer.Option(metavar="RULE", help="Voting rule. Default: the charter's.")] = None,
    question_class: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="Of the classes that moot evaluate measured.")
    ] = None,
    together: Annotated[
        bool, typer.Option("--together", help="All members' answers count, also where one alone does better.")
    ] = False,
    wait_s: WaitOption = None,
    home: HomeOption = Path(DEFAULT_HOME),
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Ask a question; print what the moot decides."""
    client = ControlClient(home_path(home))
    maybe_alone = not (tally or together) and Home(home_path(home)).standing.exists()
    times = 2 if maybe_alone else 1  # One member alone may be asked first, and all after it.
    patience_s = times * (DEADLINE_S if deadline_ms is None else deadline_ms / 1000) + PATIENCE_S
    first_wait_s = patience_s if wait_s is None else min(wait_s, patience_s)
    stream = client.ask(
        text,
        kind.value if kind else None,
        option or (),
        deadline_ms,
        tally,
        first_wait_s,
        question_class=question_class,
        together=together,
    )
    _watch(client, stream, "", wait_s, as_json, events)


def follow(
    question: Annotated[str, typer.Argument(metavar="ID", help="A question's id, or its first characters.")],
    wait_s: WaitOption = None,
    home: HomeOption = Path(DEFAULT_HOME),
    as_json: JsonOption = False,
    events: EventsOption = False,
) -> None:
    """Follow a question until it ends."""
    client = ControlClient(home_path(home))
    _watch(client, client.follow(question, wait_s), question, wait_s, as_json, events)


def _watch(
    client: ControlClient, stream: Iterator[AskEvent], question: str, wait_s: float | None, as_json: bool, events: bool
) -> None:
    """Show what happens until the question ends, and leave with the exit code of its end."""
    started = time.monotonic()
    watcher = _Watcher(client, quiet=as_json or events, stream_json=events, question=question)
    try:
        decision = watcher.run(stream)
        if decision is None:
            remaining_s = None if wait_s is None else wait_s - (time.monotonic() - started)
            if not watcher.question or (remaining_s is not None and remaining_s <= 0):
                raise StillOpen(watcher.open_line())
            say((watcher.open_line(), "yellow"))
            decision = watcher.run(client.follow(watcher.question, remaining_s))
        if decision is None:
            raise StillOpen(watcher.open_line())
    except NodeDown as error:
        if not watcher.question:
            raise
        goes_on = f"the question goes on at the others: moot follow {show.short_id(watcher.question)} --home OTHER"
        raise NodeDown(f"{error}; {goes_on}") from error
    except KeyboardInterrupt:
        if watcher.question:
            say(f"left; the question goes on: moot follow {show.short_id(watcher.question)}")
        raise
    _print_end(decision, as_json, events)
    raise typer.Exit(Exit.OK if decision["state"] == "decided" else Exit.NO_QUORUM)


def _print_end(decision: DecisionReport, as_json: bool, events: bool) -> None:
    if events:
        return
    if as_json:
        answer_json(decision)
        return
    if decision["answer"] is not None:
        answer(decision["answer"])
    for line in show.decision_lines(decision):
        console(error=True).print(line, soft_wrap=True)
    if decision["state"] == "decided":
        question = show.short_id(decision["id"])
        say((f"certificate: moot decisions export {question}", "dim"))


class _Watcher:
    """Prints events once, however often the stream is taken up again."""

    def __init__(self, client: ControlClient, quiet: bool, stream_json: bool, question: str) -> None:
        self.question = question
        self._client = client
        self._quiet = quiet
        self._stream_json = stream_json
        self._seen: set[str] = set()
        self._alone: str | None = None
        """The one member that is to answer; that the others abstain goes without saying."""
        self._name_width = 0

    def run(self, stream: Iterator[AskEvent]) -> DecisionReport | None:
        """The ended question, or None when the wait is over first."""
        try:
            for event in stream:
                self.question = event["id"]
                self._print(event)
                if "decision" in event:
                    return event["decision"]
        except StillOpen:
            return None
        return self._client.decision(self.question)

    def open_line(self) -> str:
        """Why a question may take long, in one line."""
        if not self.question:
            return "the node has not taken the question yet; see moot decisions list"
        status = self._client.status()
        return (
            f"still open: {status['members_alive']} of {show.plural(status['members'], 'member')} reachable, "
            f"{status['threshold']} must vote; follow it: moot follow {show.short_id(self.question)}"
        )

    def _print(self, event: AskEvent) -> None:
        key = json.dumps([event["id"], event["event"], event.get("member")])
        if key in self._seen:
            return
        self._seen.add(key)
        if event["event"] in ("alone", "together"):
            self._alone = event["member"] if event["event"] == "alone" else None
        if self._stream_json:
            answer_json(event)
        if self._quiet or (self._alone and event["event"] == "preferred" and event["member"] != self._alone):
            return
        if not self._name_width:
            self._name_width = max((len(member["name"]) for member in self._client.members()), default=0)
        if (line := show.event_line(event, self._name_width)) is not None:
            console(error=True).print(line, soft_wrap=True)
