"""Answers this node's own people: implements `node.api.NodeApi` over the running shell."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from coordinator.effects import Dropped, Ended, Progress
from coordinator.events import Asked
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.certificate import certificate_of
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.ledger import Ledger
from coordinator.ledger.roster import Roster
from coordinator.records import Question
from coordinator.session import Session
from coordinator.signed import Digest, Kind, NodeId, Signer
from coordinator.tally import only
from node import revoke_desk, roster_desk
from node.alone import Alone, Standings
from node.api import (
    AskEvent,
    ChangeReport,
    DecisionReport,
    MemberReport,
    RevocationReport,
    RosterReport,
    StatusReport,
)
from node.errors import QuestionNotFound
from node.member_desk import member_reports
from node.membership.events import Status
from node.question_desk import question_of
from node.reports import answer_of, decided_report, dropped_report, open_report
from node.shell import Shell, now_ms

TIMINGS_MAX = 1_000
"""Questions of which this node remembers when it saw what."""
PROOF_WAIT_S = 2.0
"""How long one who asks for a decision of this moment waits for its proof."""
FOLLOW_MAX = 256
"""Events that wait for one follower; one that does not read loses the oldest, and still sees the end."""


@dataclass(slots=True)
class Timing:
    """This node's clock at the steps of one question."""

    asked_ms: int
    answered_ms: int | None = None
    """When the newest preference came before voting began."""
    ready_ms: int | None = None
    ended_ms: int | None = None


@dataclass(slots=True)
class Desk:
    """Made before the shell, which reports to `watch`; `shell` is set before the first call."""

    genesis: Genesis
    signer: Signer
    name: str
    """What its own settings call this node; a moot may call it otherwise."""
    address: str
    model: Callable[[], dict[str, Any]]
    standing: Path | None = None
    """The file in which it was measured where one member alone does better than all."""
    started_ms: int = field(default_factory=now_ms)
    _shell: Shell | None = None
    _timings: OrderedDict[Digest, Timing] = field(default_factory=OrderedDict)
    _followers: dict[Digest, list["asyncio.Queue[AskEvent]"]] = field(default_factory=dict)
    _standings: Standings = field(init=False)

    def __post_init__(self) -> None:
        self._standings = Standings(self.standing, self.genesis.moot_id)

    @property
    def node(self) -> NodeId:
        return self.signer.node

    @property
    def shell(self) -> Shell:
        assert self._shell is not None, "the desk opens after the shell"
        return self._shell

    @property
    def _ledger(self) -> Ledger:
        return self.shell.moot.ledger

    @property
    def _roster(self) -> Roster:
        return self._ledger.roster

    def open(self, shell: Shell) -> None:
        self._shell = shell

    def watch(self, what: Progress | Ended | Dropped) -> None:
        """Note the time, and tell those who follow the question."""
        question, now = what.item.id if isinstance(what, Dropped) else what.question, now_ms()
        timing = self._timings.setdefault(question, Timing(now))
        while len(self._timings) > TIMINGS_MAX:
            self._timings.popitem(last=False)
        event: AskEvent = {"event": "", "id": question.hex()}
        match what:
            case Ended():
                timing.ended_ms = now
                if question not in self._followers:
                    return  # A member that catches up ends thousands of questions that nobody here waits for.
                report = self._report(question)
                event["event"] = "decided" if report["state"] == "decided" else "no_quorum"
                event["decision"] = report
            case Dropped(item):
                event["event"], event["decision"] = "no_quorum", dropped_report(item, self._roster, self._ledger.seats)
            case Progress(step="voted"):
                return
            case Progress(step=step, member=member):
                if step == "preferred" and timing.ready_ms is None:
                    timing.answered_ms = now
                elif step == "ready":
                    timing.ready_ms = now
                event["event"] = step
                if member is not None:
                    self._add_answer(event, question, member)
        for queue in self._followers.get(question, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    @property
    def joined(self) -> bool:
        """Whether this node can take part in decisions: a quorum is there, and has shown it where voting stands."""
        moot = self.shell.moot
        return len(moot.reachable) >= self._roster.charter.threshold and not moot.assembly.watching

    def status(self) -> StatusReport:
        moot, membership = self.shell.moot, self.shell.membership
        roster = self._roster
        alive = sum(one.status is Status.ALIVE and one.node in roster.nodes for one in membership.members())
        seat = self._ledger.seats.get(self.node)
        return {
            "node": self.node.hex(),
            "name": seat.name if seat else self.name,
            "in_roster": self.node in roster.nodes,
            "epoch": roster.epoch,
            "moot": self.genesis.moot_id.hex(),
            "moot_name": self.genesis.name,
            "address": self.address,
            "height": moot.ledger.height,
            "open_questions": len(moot.questions.sessions),
            "members_alive": alive,
            "members": len(roster.members),
            "model": self.model(),
            "contradicted": self._contradicted(),
            "threshold": roster.charter.threshold,
            "watching": moot.assembly.watching,
            "uptime_ms": now_ms() - self.started_ms,
        }

    def _contradicted(self) -> dict[str, list[int]]:
        against = self.shell.moot.evidence.against
        found = {seat.name: against(seat.node) for seat in self._ledger.seats.values()}
        return {name: found[name] for name in sorted(found) if found[name]}

    def members(self) -> list[MemberReport]:
        return member_reports(self.shell, self.node, self.address)

    async def ask(
        self,
        text: str,
        kind: str | None,
        options: Sequence[str],
        deadline_ms: int | None,
        tally: str | None,
        question_class: str | None = None,
        together: bool = False,
    ) -> AsyncIterator[AskEvent]:
        question = question_of(text, kind, options, deadline_ms, tally, self._roster)
        alone = None if tally or together else self._whom(question, question_class)
        if alone is None:
            async for event in self._follow(self._put(question)):
                if event["event"] == "asked" and self._standings.problem and not (tally or together):
                    event["note"] = self._standings.problem
                yield event
            return
        failed = False
        async for event in self._follow(self._put(replace(question, tally=only(alone.member)))):
            if "decision" in event:
                failed = event["decision"]["answered"] == 0
                event["decision"]["alone"] = alone.report()
            if not failed:
                yield event
            if event["event"] == "asked":
                yield {"event": "alone", "id": event["id"], "member": alone.name, "note": alone.why}
        if failed:
            async for event in self._ask_all(question_of(text, kind, options, deadline_ms, None, self._roster), alone):
                yield event

    async def _ask_all(self, question: Question, alone: Alone) -> AsyncIterator[AskEvent]:
        """After one member that was to answer alone has not."""
        asked = self._put(question)
        note = f"{alone.name} gave no answer, so all are asked"
        yield {"event": "together", "id": asked.hex(), "member": alone.name, "note": note}
        async for event in self._follow(asked):
            if "decision" in event:
                event["decision"]["alone"] = alone.report(failed=True)
            yield event

    def _put(self, question: Question) -> Digest:
        before = set(self.shell.moot.questions.sessions)
        self.shell.do(Asked(question))
        [asked] = set(self.shell.moot.questions.sessions) - before
        return asked

    def _whom(self, question: Question, question_class: str | None) -> Alone | None:
        """The one member that is to answer, or None for all."""
        alive = {view.node for view in self.shell.membership.members() if view.status is Status.ALIVE}
        if digest := self.model().get("digest"):
            self._standings.models[self.node] = bytes.fromhex(digest)
        return self._standings.choose(question, question_class, self._roster, alive.__contains__)

    async def follow(self, question: str) -> AsyncIterator[AskEvent]:
        async for event in self._follow(self._find(question)):
            yield event

    def decisions(self, limit: int) -> list[DecisionReport]:
        sessions = self.shell.moot.questions.sessions.values()
        newest = sorted(sessions, key=lambda session: session.question.asked_ms, reverse=True)
        questions = [session.id for session in newest[:limit]]
        questions += [name for _, name in self.shell.store.recent(limit - len(questions))]
        return [self._report(question) for question in questions]

    def decision(self, question: str) -> DecisionReport:
        return self._report(self._find(question))

    def certificate(self, question: str) -> bytes:
        found = self._find(question)
        slot = self.shell.store.slot_of(found)
        entry = None if slot is None else self.shell.store.entry(slot)
        if entry is None:
            raise QuestionNotFound(f"{question} is not decided yet; a certificate comes with the decision")
        if not entry.statements:
            raise QuestionNotFound(f"{question} is decided, but its proof is still being collected; try again soon")
        agenda = Agenda.decode(entry.agenda)
        changes = [self.shell.store.entry(slot) for slot in self._ledger.change_slots()[: agenda.header.epoch]]
        proven = [change for change in changes if change is not None and change.statements]
        if len(proven) < len(changes):
            raise QuestionNotFound(f"{question} is decided, but the proof of the roster is still being collected")
        return certificate_of(agenda, found, entry.statements, self.genesis, proven)

    def roster(self) -> RosterReport:
        return roster_desk.roster_report(self.shell.moot, self.node)

    def propose_change(
        self,
        cards: Sequence[Mapping[str, Any]],
        remove: Sequence[str],
        threshold: int | None,
        turnout: int | None,
        reason: str,
    ) -> ChangeReport:
        wanted = {"threshold": threshold, "turnout": turnout}
        return roster_desk.propose(self.shell, self.node, cards=cards, remove=remove, reason=reason, **wanted)

    def approve_change(self, change: str) -> ChangeReport:
        return roster_desk.approve(self.shell, self.node, change)

    def revoke(self, names: Sequence[str], reason: str) -> RevocationReport:
        return revoke_desk.revoke(self.shell, self.signer, names, reason)

    async def _follow(self, question: Digest) -> AsyncIterator[AskEvent]:
        """First what is known already, then what happens, until it has ended."""
        queue: asyncio.Queue[AskEvent] = asyncio.Queue(FOLLOW_MAX)
        self._followers.setdefault(question, []).append(queue)
        session = self.shell.moot.questions.sessions.get(question)
        known = self._answers_known(session)  # Before the first wait, or what comes meanwhile would be told twice.
        try:
            yield {"event": "asked", "id": question.hex()}
            if session is None or session.reported_open:
                if session is None:
                    await self._proven(question)
                report = self._report(question)
                end = "decided" if report["state"] == "decided" else "no_quorum"
                yield {"event": end, "id": question.hex(), "decision": report}
                return
            for event in known:
                yield event
            while True:
                event = await queue.get()
                yield event
                if "decision" in event:
                    return
        finally:
            self._followers[question].remove(queue)
            if not self._followers[question]:
                del self._followers[question]

    def _answers_known(self, session: Session | None) -> list[AskEvent]:
        """What has happened to an open question so far."""
        events: list[AskEvent] = []
        if session is None:
            return events
        for record in session.records():
            if record.kind is not Kind.QUESTION:
                step = "proposed" if record.kind is Kind.PROPOSAL else "preferred"
                events.append({"event": step, "id": session.id.hex()})
                self._add_answer(events[-1], session.id, record.author)
        return events

    async def _proven(self, question: Digest) -> None:
        """A question that was decided this very moment: its proof follows within one exchange of statements."""
        store, ledger = self.shell.store, self.shell.moot.ledger
        with suppress(TimeoutError):
            async with asyncio.timeout(PROOF_WAIT_S):
                await self.shell.until(lambda: store.slot_of(question) not in ledger.unproven)

    def _find(self, prefix: str) -> Digest:
        open_ones = [name for name in self.shell.moot.questions.sessions if name.hex().startswith(prefix.lower())]
        found = sorted({*open_ones, *self.shell.store.find(prefix)})
        if not found or len(prefix) < 4:
            raise QuestionNotFound(f"no question has an id that begins with {prefix[:64]!r}; see: moot decisions list")
        if len(found) > 1:
            raise QuestionNotFound(f"{len(found)} questions begin with {prefix!r}; give more of the id")
        return found[0]

    def _report(self, question: Digest) -> DecisionReport:
        session = self.shell.moot.questions.sessions.get(question)
        if session is not None:
            return open_report(session, self._roster)
        slot = self.shell.store.slot_of(question)
        entry = None if slot is None else self.shell.store.entry(slot)
        assert slot is not None and entry is not None, "a question that is not open is decided"
        report = decided_report(question, slot, entry, self._ledger.roster_at(slot))
        timing = self._timings.get(question)
        if timing is not None and timing.ready_ms is not None and timing.ended_ms is not None:
            report["model_ms"] = float((timing.answered_ms or timing.ready_ms) - timing.asked_ms)
            report["protocol_ms"] = float(timing.ended_ms - timing.ready_ms)
        return report

    def _add_answer(self, event: AskEvent, question: Digest, member: NodeId) -> None:
        event["member"] = self._ledger.seats[member].name
        session = self.shell.moot.questions.sessions.get(question)
        self._standings.saw(session, member)
        record = answer_of(session, event["event"], member)
        if record is not None:
            event["answer"], event["counts"], event["samples"] = record
