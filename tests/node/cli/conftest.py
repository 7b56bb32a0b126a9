"""A scripted node behind a real control socket, and the command line called as a person would."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from node.api import (
    AnswerReport,
    AskEvent,
    ChangeReport,
    CostReport,
    DecisionReport,
    MemberReport,
    RevocationReport,
    RevokedReport,
    RosterReport,
    SeatReport,
    StatusReport,
)
from node.cli import main
from node.control import ControlServer
from node.errors import NodeError, QuestionNotFound, QuestionRefused

ID = "3f9a1c20bb" + 27 * "07"
NAMES = ("ada", "bea", "cleo")
COST = CostReport(forward_passes=12, prompt_tokens=1300, generated_tokens=40, model_ms=84.4)


def part(name: str, answer: str | None, counts: list[tuple[str, int]], state: str = "answered") -> AnswerReport:
    return AnswerReport(
        node=name.encode().hex(),
        name=name,
        state=state,
        answer=answer,
        counts=counts,
        samples=5 if counts else 0,
        model="cd" * 32 if counts else None,
        points=counts,
        cost=COST,
    )


def made_decision(state: str = "decided", **changed: Any) -> DecisionReport:
    decided = state == "decided"
    report = DecisionReport(
        id=ID,
        text="What is 17 plus 25?",
        kind="number",
        options=[],
        asked_by="ada",
        asked_ms=1_700_000_000_000,
        tally="points",
        state=state,
        answer="42" if decided else None,
        reason="no quorum: 1 of 3 members answered by the deadline" if state == "no_quorum" else None,
        scores=[("42", 9), ("41", 1)] if decided else [],
        tied=[],
        answered=2 if decided else 1,
        turnout=2,
        members=[
            part("ada", "42", [("42", 5)]),
            part("bea", "42", [("42", 4), ("41", 1)]),
            part("cleo", None, [], "silent"),
        ],
        cost=COST,
        slot=7 if decided else None,
        signers=["ada", "bea", "cleo"] if decided else [],
        model_ms=91.0 if decided else None,
        protocol_ms=23.0 if decided else None,
    )
    return {**report, **changed}  # type: ignore[typeddict-item]


def member(name: str, status: str = "alive", **changed: Any) -> MemberReport:
    report = MemberReport(
        node=name.encode().hex(),
        name=name,
        organization="home",
        status=status,
        compatible=True,
        address="127.0.0.1:7400",
        incarnation=1,
        rtt_ms=0.6,
        last_heard_ms=140,
        itself=name == "ada",
        height=8,
        contradicted=[],
    )
    return {**report, **changed}  # type: ignore[typeddict-item]


def seat(name: str) -> SeatReport:
    return SeatReport(node=name.encode().hex(), name=name, organization="home", weight=1, address="127.0.0.1:7400")


CHANGE = ChangeReport(
    id="5e" * 32,
    epoch=2,
    proposed_by="bea",
    reason="cleo moved away",
    created_ms=1_700_000_000_000,
    added=[seat("dana")],
    removed=["cleo"],
    members=3,
    threshold=3,
    turnout=2,
    rules={"turnout": [3, 2]},
    approved_by=["bea"],
    needed=3,
    approved_here=False,
)


def made_roster(**changed: Any) -> RosterReport:
    report = RosterReport(
        epoch=2,
        since_slot=5,
        in_roster=True,
        threshold=3,
        turnout=3,
        members=[seat(name) for name in NAMES],
        changes=[CHANGE],
    )
    return {**report, **changed}  # type: ignore[typeddict-item]


def made_revocation(*names: str, **changed: Any) -> RevocationReport:
    revoked = [RevokedReport(node=name.encode().hex(), name=name, reason="stolen") for name in names]
    report = RevocationReport(
        node=b"ada".hex(), name="ada", sequence=7, revoked=revoked, dropped=[], own_key=names == ("ada",)
    )
    return {**report, **changed}  # type: ignore[typeddict-item]


EVENTS: tuple[AskEvent, ...] = (
    {"event": "asked", "id": ID},
    {"event": "proposed", "id": ID, "member": "ada", "answer": "42", "counts": [("42", 5)], "samples": 5},
    {"event": "proposed", "id": ID, "member": "bea", "answer": "42", "counts": [("42", 4), ("41", 1)], "samples": 5},
    {"event": "preferred", "id": ID, "member": "ada", "counts": [("42", 5)]},
    {"event": "preferred", "id": ID, "member": "bea", "counts": [("42", 4), ("41", 1)]},
    {"event": "ready", "id": ID},
    {"event": "voting", "id": ID},
)


@dataclass
class ScriptedApi:
    """Answers as told. `stays_open`: questions never end."""

    end: DecisionReport = field(default_factory=made_decision)
    events: list[AskEvent] = field(default_factory=lambda: list(EVENTS))
    stays_open: bool = False
    ends_when_followed: bool = False
    """With `stays_open`: the one who asks waits for ever, whoever follows sees the end."""
    refusal: NodeError | Exception | None = None
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    followers: int = 0
    revocation: RevocationReport | None = None
    seats: RosterReport = field(default_factory=lambda: made_roster())

    def status(self) -> StatusReport:
        return StatusReport(
            node=b"ada".hex(),
            name="ada",
            in_roster=True,
            epoch=0,
            moot="ab" * 32,
            moot_name="kitchen",
            address="127.0.0.1:7400",
            height=8,
            open_questions=1,
            members_alive=2,
            members=3,
            model={"state": "up", "name": "ada", "digest": "cd" * 32, "parameters": 812_544, "restarts": 0},
            contradicted={},
            threshold=3,
            watching=False,
            uptime_ms=61_000,
        )

    def members(self) -> list[MemberReport]:
        return [member("ada"), member("bea"), member("cleo", "dead", rtt_ms=None, last_heard_ms=9_000, height=None)]

    async def ask(self, *asked: Any, **_: Any) -> AsyncIterator[AskEvent]:
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal
        async for event in self._happens(stays_open=self.stays_open):
            yield event

    async def follow(self, question: str) -> AsyncIterator[AskEvent]:
        self._known(question)
        async for event in self._happens(stays_open=self.stays_open and not self.ends_when_followed):
            yield event

    async def _happens(self, stays_open: bool) -> AsyncIterator[AskEvent]:
        self.followers += 1
        try:
            for event in self.events:
                yield event
            if stays_open:
                await asyncio.Event().wait()
            yield {"event": self.end["state"], "id": ID, "decision": self.end}
        finally:
            self.followers -= 1

    def decisions(self, limit: int) -> list[DecisionReport]:
        return [made_decision("open", text="Still open?"), self.end][:limit]

    def decision(self, question: str) -> DecisionReport:
        self._known(question)
        return made_decision("open") if self.stays_open else self.end

    def certificate(self, question: str) -> bytes:
        self._known(question)
        if self.end["state"] == "open":
            raise QuestionRefused("the question is still open; there is nothing to prove yet")
        return b'{"format": "moot-certificate-v1"}\n'

    def roster(self) -> RosterReport:
        return self.seats

    def propose_change(
        self,
        cards: Sequence[Mapping[str, Any]],
        remove: Sequence[str],
        threshold: int | None,
        turnout: int | None,
        reason: str,
    ) -> ChangeReport:
        self.asked.append((cards, remove, threshold, turnout, reason))
        if self.refusal is not None:
            raise self.refusal
        return CHANGE

    def approve_change(self, change: str) -> ChangeReport:
        self.asked.append((change,))
        if self.refusal is not None:
            raise self.refusal
        return CHANGE

    def revoke(self, names: Sequence[str], reason: str) -> RevocationReport:
        self.asked.append((names, reason))
        if self.refusal is not None:
            raise self.refusal
        return self.revocation or made_revocation(*(names or ["ada"]))

    def _known(self, question: str) -> None:
        if not ID.startswith(question):
            raise QuestionNotFound(f"no question begins with {question}; see moot decisions list")


class RunningNode:
    """An event loop in a thread that serves a scripted node at a home."""

    def __init__(self, api: ScriptedApi, home: Path) -> None:
        self.api, self.home = api, home
        self.server = ControlServer(api, home)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._wait(asyncio.run_coroutine_threadsafe(self.server.start(), self._loop))

    def stop_server(self) -> None:
        self._wait(asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop))

    def stop(self) -> None:
        self.stop_server()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @staticmethod
    def _wait(future: "Future[None]") -> None:
        future.result(timeout=10)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Moot = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "home"
    place.mkdir(mode=0o700)
    monkeypatch.setenv("MOOT_HOME", str(place))
    return place


@pytest.fixture
def api() -> ScriptedApi:
    return ScriptedApi()


@pytest.fixture
def decision() -> Callable[..., DecisionReport]:
    return made_decision


@pytest.fixture
def script(api: ScriptedApi) -> list[AskEvent]:
    """What happens to a question before it ends; add to it."""
    return api.events


@pytest.fixture
def start() -> Iterator[Callable[[ScriptedApi, Path], RunningNode]]:
    nodes: list[RunningNode] = []

    def run(api: ScriptedApi, home: Path) -> RunningNode:
        nodes.append(RunningNode(api, home))
        return nodes[-1]

    yield run
    for node in nodes:
        node.stop()


@pytest.fixture
def running(api: ScriptedApi, home: Path, start: Callable[[ScriptedApi, Path], RunningNode]) -> RunningNode:
    return start(api, home)


@pytest.fixture
def moot(capsys: pytest.CaptureFixture[str]) -> Moot:
    """Run one command in this process: `moot("ask", "Why?")`."""

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(arguments)
        code = left.value.code
        said = capsys.readouterr()
        return Ran(0 if code is None else int(code), said.out, said.err)

    return run
