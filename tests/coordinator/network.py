"""A whole moot on virtual time, from one seed: the real core of every member, an unreliable network, disks that survive."""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from coordinator.agenda_driver import VotingSettings
from coordinator.effects import (
    Ended,
    Generate,
    Save,
    SaveAgenda,
    SaveEntry,
    SaveRecord,
    SaveStatements,
    SaveVoting,
    Send,
    SendEntries,
)
from coordinator.events import Asked, Event, Generated, ModelFailed, Reachable, Received, Tick
from coordinator.ledger.genesis import Genesis, Member
from coordinator.messages import Entries, LedgerEntry
from coordinator.moot import Moot, Restored
from coordinator.records import AnswerKind, Cost, Question
from coordinator.signed import Digest, Kind, NodeId, Signed, signing_bytes


@dataclass(frozen=True)
class FakeSigner:
    """Signs with a secret that only its owner and the checker hold: nobody in a test can forge it."""

    node: NodeId
    moot: Digest

    def sign(self, kind: Kind, body: bytes) -> Signed:
        return Signed(kind, self.node, body, _tag(self.moot, kind, self.node, body))


@dataclass(frozen=True)
class FakeVerifier:
    moot: Digest

    def verify(self, record: Signed) -> bool:
        return record.signature == _tag(self.moot, record.kind, record.author, record.body)


def _tag(moot: Digest, kind: Kind, author: NodeId, body: bytes) -> bytes:
    return sha256(b"secret of " + author + signing_bytes(kind, moot, author, body)).digest() * 2


def found(count: int, **rules: int | str) -> Genesis:
    """A moot of `count` members named n0, n1, ..."""
    members = [
        Member(sha256(f"n{number}".encode()).digest(), f"n{number}", f"org{number}", 1, f"127.0.0.1:{7000 + number}")
        for number in range(count)
    ]
    return Genesis.found("test", 1_000, members, **rules)


@dataclass
class Disk:
    """What a member saved. A crash loses nothing that was saved, and everything else."""

    height: int = 0
    head: Digest = b""
    decided: set[Digest] = field(default_factory=set)
    entries: list[tuple[bytes, tuple[Signed, ...]]] = field(default_factory=list)
    records: dict[Digest, tuple[Digest, Signed]] = field(default_factory=dict)
    voting: dict[int, SaveVoting] = field(default_factory=dict)
    agendas: dict[Digest, SaveAgenda] = field(default_factory=dict)

    def save(self, write: Save) -> None:
        match write:
            case SaveRecord(question, record):
                if question not in self.decided:
                    self.records[record.digest()] = (question, record)
            case SaveVoting(slot):
                self.voting[slot] = write
            case SaveAgenda(_, digest):
                self.agendas[digest] = write
            case SaveEntry(slot, digest, agenda, questions):
                assert slot == self.height
                self.entries.append((agenda, ()))
                self.height, self.head = slot + 1, digest
                self.decided.update(questions)
                self.records = {k: v for k, v in self.records.items() if v[0] not in self.decided}
            case SaveStatements(slot, statements):
                self.entries[slot] = (self.entries[slot][0], statements)

    def restored(self) -> Restored:
        newest = self.voting.get(self.height)
        unproven = []
        for slot, (agenda, statements) in enumerate(self.entries):
            if not statements:
                own = self.voting.get(slot)
                unproven.append((agenda, own.statements if own else ()))
        return Restored(
            self.height,
            self.head,
            frozenset(self.decided),
            tuple(unproven),
            tuple(record for _, record in self.records.values()),
            (newest.slot, newest.state, newest.statements) if newest else None,
            tuple(one.agenda for one in self.agendas.values() if one.slot == self.height),
        )


Model = Callable[[NodeId, Generate], tuple[str, ...] | None]
"""A member's answer to a question; None when its model fails."""


class Network:
    """Events in a heap of (time, number). Everything random comes from the seed."""

    def __init__(self, genesis: Genesis, model: Model, seed: int = 0, delay_ms: tuple[int, int] = (1, 20)) -> None:
        self.genesis, self.model, self.delay_ms = genesis, model, delay_ms
        self.rng = random.Random(seed)
        self.now_ms = 1_000
        self.loss = 0.0
        self.nodes: dict[NodeId, Moot] = {}
        self.disks = {member.node: Disk() for member in genesis.members}
        self.ids = [member.node for member in sorted(genesis.members, key=lambda member: member.name)]
        self.ended: dict[NodeId, dict[Digest, int | None]] = {node: {} for node in self.ids}
        self.blocked: set[tuple[NodeId, NodeId]] = set()
        self.on_send: Callable[[NodeId, Send], list[Send]] = lambda _, send: [send]
        self._heap: list[tuple[int, int, NodeId, Event | None]] = []
        self._number = 0

    def start(self, *ids: NodeId) -> None:
        for node in ids or self.ids:
            self.nodes[node] = Moot(
                signer=FakeSigner(node, self.genesis.moot_id),
                verifier=FakeVerifier(self.genesis.moot_id),
                genesis=self.genesis,
                settings=VotingSettings(),
                rng=random.Random(self.rng.random()),
                wall_offset_ms=1_000_000,
                restored=self.disks[node].restored(),
                now_ms=self.now_ms,
            )
            self._perform(node, self.nodes[node].start(self.now_ms))
        self.see_each_other()

    def crash(self, node: NodeId) -> None:
        del self.nodes[node]

    def see_each_other(self) -> None:
        """What membership would notice: who is up."""
        for node in self.nodes:
            self._push(0, node, Reachable(frozenset(self.nodes)))

    def ask(self, node: NodeId, text: str, **fields: object) -> Digest:
        kind = fields.pop("kind", AnswerKind.NUMBER)
        assert isinstance(kind, AnswerKind)
        question = Question(
            text=text,
            kind=kind,
            options=tuple(fields.pop("options", ())),  # type: ignore[call-overload]
            deadline_ms=int(fields.pop("deadline_ms", 5_000)),  # type: ignore[call-overload]
            tally="",
            asked_ms=1_000_000 + self.now_ms,
            nonce=self.rng.randbytes(16),
        )
        before = set(self.nodes[node].questions.sessions)
        self._step(node, Asked(question))
        [asked] = set(self.nodes[node].questions.sessions) - before or {b""}
        return asked

    def run(self, until: Callable[[], bool] | None = None, for_ms: int = 60_000) -> bool:
        """Play events until the condition holds; False when the time was over before."""
        end = self.now_ms + for_ms
        while not (until is not None and until()):
            deadlines = [
                (due, node) for node, core in self.nodes.items() if (due := core.next_deadline_ms()) is not None
            ]
            due, owner = min(deadlines, default=(end, b""))
            if self._heap and self._heap[0][0] <= max(due, self.now_ms):
                at, _, node, event = heapq.heappop(self._heap)
                self.now_ms = max(self.now_ms, at)
                if node in self.nodes and event is not None:
                    self._step(node, event)
            elif due >= end:
                self.now_ms = end
                return until is None
            else:
                assert due > self.now_ms or self.nodes[owner].next_deadline_ms() != due or True
                self.now_ms = max(self.now_ms, due)
                self._step(owner, Tick())
        return True

    def decided(self, question: Digest, nodes: list[NodeId] | None = None) -> bool:
        return all(self.ended[node].get(question) is not None for node in nodes or list(self.nodes))

    def check_agreement(self) -> None:
        for one in self.disks.values():
            for other in self.disks.values():
                for (mine, _), (theirs, _) in zip(one.entries, other.entries, strict=False):
                    assert mine == theirs, "two members decided different agendas for a slot"

    def entry(self, node: NodeId, slot: int) -> LedgerEntry:
        return LedgerEntry(*self.disks[node].entries[slot])

    def _step(self, node: NodeId, event: Event) -> None:
        self._perform(node, self.nodes[node].step(event, self.now_ms))
        due = self.nodes[node].next_deadline_ms()
        assert due is None or due > self.now_ms, "a deadline in the past would fire for ever"

    def _perform(self, node: NodeId, effects: list[object]) -> None:  # type: ignore[override]
        for effect in effects:
            match effect:
                case SaveRecord() | SaveVoting() | SaveAgenda() | SaveEntry() | SaveStatements():
                    self.disks[node].save(effect)
                case Send():
                    for send in self.on_send(node, effect):
                        self._deliver(node, send)
                case SendEntries(to, slot):
                    proven = []
                    for agenda, statements in self.disks[node].entries[slot : slot + 3]:
                        if not statements:
                            break
                        proven.append(LedgerEntry(agenda, statements))
                    if proven:
                        self._deliver(node, Send(to, Entries(slot, tuple(proven))))
                case Generate(question):
                    self._generate(node, effect, question)
                case Ended(question, slot):
                    self.ended[node][question] = slot
                case _:
                    pass

    def _generate(self, node: NodeId, request: Generate, question: Digest) -> None:
        texts = self.model(node, request)
        event: Event = ModelFailed(question, "down")
        if texts is not None:
            cost = Cost(len(texts), len(request.prompt), sum(map(len, texts)), 1_000)
            event = Generated(question, texts, b"m" * 32, request.seed, 700, cost)
        self._push(self.rng.randint(2, 30), node, event)

    def _deliver(self, sender: NodeId, send: Send) -> None:
        if (sender, send.to) in self.blocked or self.rng.random() < self.loss:
            return
        self._push(self.rng.randint(*self.delay_ms), send.to, Received(sender, send.message))

    def _push(self, delay_ms: int, node: NodeId, event: Event | None) -> None:
        self._number += 1
        heapq.heappush(self._heap, (self.now_ms + delay_ms, self._number, node, event))
