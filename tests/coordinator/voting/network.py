"""A network of slots on virtual time, all from one seed: delay, loss, duplicates, restarts from saved state, a liar.

Faults rage for a while, then all heals and the liar falls silent; from then on everybody must decide. What honest nodes
send is checked against their whole history, restarts included.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from coordinator.voting import (
    INFINITY,
    Ballot,
    BallotStatement,
    Confirm,
    Effect,
    Emit,
    Externalize,
    Externalized,
    Nominate,
    Prepare,
    QuorumSet,
    Slot,
    SlotState,
    Statement,
    Timer,
    Validity,
    byzantine_threshold,
    contradiction,
    decode,
    encode,
    growing_timeout_ms,
    hash_priority,
    is_newer,
    slice_weight,
)
from coordinator.voting.says import value_of

SLOT = 3
PREVIOUS = b"previous"
FAULTS_MS = 12_000
HEALED_MS = 200_000  # far more than is needed; reaching it means that nobody will ever decide
REPEAT_MS = 1_000


def quorum_sets(ids: Sequence[bytes], shape: str) -> dict[bytes, QuorumSet]:
    """Each node's quorum set: one for all, an own one for each, or organizations of which two in three are needed."""
    size = len(ids)
    if shape == "own":
        # Itself, and so many of the others that it makes a third-tolerant threshold together.
        return {
            node: QuorumSet(2, (node,), (QuorumSet(byzantine_threshold(size) - 1, tuple(n for n in ids if n != node)),))
            for node in ids
        }
    if shape == "organizations":
        parts = [tuple(ids[start::4]) for start in range(4)]
        same = QuorumSet(3, (), tuple(QuorumSet(len(part) // 2 + 1, part) for part in parts))
        return dict.fromkeys(ids, same)
    return dict.fromkeys(ids, QuorumSet(byzantine_threshold(size), tuple(ids)))


class LetterDriver:
    """Values are ascending letters and combine to their union; `!` makes one invalid; most must be fetched first."""

    def __init__(self, known_sets: dict[bytes, QuorumSet]) -> None:
        self._sets = known_sets
        self.at_hand: set[bytes] = set()
        self.wanted: set[bytes] = set()

    def validate(self, slot: int, value: bytes, nomination: bool) -> Validity:
        if b"!" in value:
            return Validity.INVALID
        if value in self.at_hand:
            return Validity.FULL
        self.wanted.add(value)
        return Validity.MAYBE

    def extract_valid(self, slot: int, value: bytes) -> bytes | None:
        return None

    def combine(self, slot: int, values: Sequence[bytes]) -> bytes | None:
        if not self.at_hand.issuperset(values):
            return None
        made = bytes(sorted(set(b"".join(values))))
        self.at_hand.add(made)
        return made

    def quorum_set(self, digest: bytes) -> QuorumSet | None:
        return self._sets.get(digest)

    def weight(self, node: bytes, quorum_set: QuorumSet) -> int:
        return slice_weight(node, quorum_set)

    def priority(self, slot: int, tag: int, round: int, data: bytes) -> int:  # noqa: A002
        return hash_priority(PREVIOUS, slot, tag, round, data)

    def timeout_ms(self, timer: Timer, count: int) -> int:
        return growing_timeout_ms(count, 500, 8_000)


@dataclass
class History:
    """All that one honest node ever sent, in the order sent, and what must hold of it."""

    said: list[Statement] = field(default_factory=list)
    decided: bytes | None = None
    _nominated: Nominate | None = None
    _balloted: BallotStatement | None = None
    _committing: dict[bytes, int] = field(default_factory=dict)  # highest counter voted to commit, by value

    def add(self, statement: Statement) -> None:
        self.said.append(statement)
        if isinstance(statement, Nominate):
            assert self._nominated is None or is_newer(self._nominated, statement), "a nomination is not newer"
            self._nominated = statement
            return
        last = self._balloted
        if last is not None:
            assert is_newer(last, statement), f"{statement} is not newer than {last}"
            assert contradiction(last, statement) is None, f"{statement} contradicts {last}"
        self._balloted = statement
        match statement:
            case Prepare(ballot=b, prepared=p, prepared_prime=q):
                for value, counter in sorted(self._committing.items()):
                    voted = Ballot(counter, value)
                    aborted = any(has is not None and has.aborts(voted) for has in (p, q))
                    assert b.value == value or b < voted or aborted, f"{statement} drops the vote to commit {voted}"
                if statement.n_c:
                    self._committing[b.value] = max(statement.n_h, self._committing.get(b.value, 0))
            case Confirm() | Externalize():
                pass

    def decide(self, value: bytes) -> None:
        assert self.decided in (None, value), "a node decides twice"
        self.decided = value


@dataclass
class Member:
    node: bytes
    driver: LetterDriver
    slot: Slot
    history: History
    saved: bytes | None = None
    up: bool = True
    life: int = 0


class Network:
    """`size` nodes; with `liar`, the last of them says whatever its recipient would like to hear."""

    def __init__(
        self, seed: int, size: int, *, liar: bool, shape: str = "same", quorum_set: QuorumSet | None = None
    ) -> None:
        self.rng = random.Random(f"{seed} {size} {liar} {shape}")
        self.ids = [b"n%d" % n for n in range(size)]
        self.sets = dict.fromkeys(self.ids, quorum_set) if quorum_set else quorum_sets(self.ids, shape)
        self.by_digest = {q.digest(): q for q in self.sets.values()}
        self.liar = self.ids[-1] if liar else None
        self.now_ms = 0
        self.healed = False
        # Each kind of fault is absent from about half of the runs, so that none always hides another.
        self.loss = self.rng.choice([0.0, self.rng.uniform(0, 0.5)])
        self.duplication = self.rng.choice([0.0, self.rng.uniform(0, 0.5)])
        self.mean_delay_ms = self.rng.choice([20, 200, 1_500])
        self.crashes = self.rng.choice([0.0, 0.03])
        self.rivals = self.rng.random() < 0.5  # nodes begin with ballots on values of their own
        self._queue: list[tuple[int, int, str, bytes, object]] = []
        self._count = 0
        self._heard_by_liar: list[Statement] = []
        self.members: dict[bytes, Member] = {}
        for node in self.ids:
            if node != self.liar:
                driver = LetterDriver(self.by_digest)
                slot = Slot(node, SLOT, self.sets[node], driver, previous=PREVIOUS)
                self.members[node] = Member(node, driver, slot, History())
        for n, node in enumerate(sorted(self.members)):
            self._push(self.rng.randrange(2_000), "start", node, b"abcdefg"[n : n + 1])
            self._push(self.rng.randrange(REPEAT_MS), "repeat", node, None)

    def run(self) -> None:
        """Play faults, then heal and play on until all have decided."""
        self._play(FAULTS_MS, until_decided=False)
        self._heal()
        self._play(FAULTS_MS + HEALED_MS, until_decided=True)
        for member in self.members.values():
            assert member.history.decided is not None, f"{member.node!r} never decides; {self._story()}"

    def _play(self, until_ms: int, *, until_decided: bool) -> None:
        while self._queue and self._queue[0][0] <= until_ms:
            if until_decided and all(m.history.decided is not None for m in self.members.values()):
                return
            at, _, kind, node, what = heappop(self._queue)
            assert at >= self.now_ms
            self.now_ms = at
            if node == self.liar:
                assert isinstance(what, bytes)
                self._lie(decode(what))
                continue
            self._event(self.members[node], kind, what)

    def _event(self, member: Member, kind: str, what: object) -> None:
        if kind == "restart":
            self._restart(member)
        elif kind == "repeat":
            if member.up:
                for said in member.slot.own_statements():
                    self._send(member.node, said)
            self._push(REPEAT_MS, "repeat", member.node, None)
        elif not member.up:
            if kind == "start":  # Whoever would start it asks again.
                self._push(1_000, kind, member.node, what)
        elif kind == "start":
            assert isinstance(what, bytes)
            member.driver.at_hand.add(what)
            if self.rivals:
                self._perform(member, member.slot.bump(what, self.now_ms))
            if member.up:
                self._perform(member, member.slot.nominate(what, self.now_ms))
        elif kind == "hear":
            assert isinstance(what, bytes)
            self._perform(member, member.slot.receive(decode(what), self.now_ms))
        elif kind == "fetched":
            assert isinstance(what, bytes)
            member.driver.at_hand.add(what)
            self._perform(member, member.slot.revalidate(self.now_ms))
        elif what == member.life:
            self._perform(member, member.slot.step_timers(self.now_ms))
            due = member.slot.next_deadline_ms()
            assert due is None or due > self.now_ms, "a deadline in the past would fire for ever"

    def _perform(self, member: Member, effects: Sequence[Effect]) -> None:
        """Save, then send; a crash may come before, between and after."""
        emitted = [e.statement for e in effects if isinstance(e, Emit)]
        if emitted:
            if self._crashes_now(member):
                return
            member.saved = member.slot.state().encode()
            for statement in emitted:
                member.history.add(statement)
            if self._crashes_now(member):
                return
        for effect in effects:
            if isinstance(effect, Emit):
                self._send(member.node, effect.statement)
            elif isinstance(effect, Externalized):
                member.history.decide(effect.value)
                self._agree()
        for value in sorted(member.driver.wanted):
            self._push(self.rng.randrange(10, 3_000), "fetched", member.node, value)
        member.driver.wanted.clear()
        due = member.slot.next_deadline_ms()
        if due is not None:
            self._push(max(0, due - self.now_ms), "wake", member.node, member.life)

    def _agree(self) -> None:
        found = {m.history.decided for m in self.members.values()} - {None}
        assert len(found) <= 1, f"disagreement: {sorted(map(str, found))}; {self._story()}"

    def _crashes_now(self, member: Member) -> bool:
        if self.healed or self.rng.random() >= self.crashes:
            return False
        member.up = False
        member.life += 1
        self._push(self.rng.randrange(50, 4_000), "restart", member.node, None)
        return True

    def _restart(self, member: Member) -> None:
        """A new process: only what was saved, and values that were on disk."""
        if member.up:
            return
        member.up = True
        node, driver = member.node, member.driver
        driver.wanted.clear()
        if member.saved is None:
            member.slot = Slot(node, SLOT, self.sets[node], driver, previous=PREVIOUS)
            self._push(10, "start", node, b"r")
            return
        state = SlotState.decode(member.saved)
        member.slot = Slot.restore(node, SLOT, self.sets[node], driver, state, previous=PREVIOUS)
        effects = member.slot.resume(self.now_ms)
        assert not any(isinstance(e, Emit) for e in effects)
        self._perform(member, effects)
        if not member.slot.started and member.slot.externalized is None:
            self._push(10, "start", node, b"r")

    def _heal(self) -> None:
        self.healed = True
        self.loss = self.duplication = 0.0
        self.mean_delay_ms = 20
        for member in self.members.values():
            self._restart(member)

    def _send(self, sender: bytes, statement: Statement) -> None:
        data = encode(statement)
        for node in self.ids:
            if node != sender:
                self._deliver(node, data)

    def _deliver(self, node: bytes, data: bytes) -> None:
        if node == self.liar and self.healed:
            return
        copies = (self.rng.random() >= self.loss) + (self.rng.random() < self.duplication)
        for _ in range(copies):
            self._push(1 + int(self.rng.expovariate(1 / self.mean_delay_ms)), "hear", node, data)

    def _lie(self, heard: Statement) -> None:
        """Answer: agree with all its author wants, or tell it what somebody else said, as if newer."""
        assert self.liar is not None
        self._heard_by_liar.append(heard)
        model = heard if self.rng.random() < 0.7 else self.rng.choice(self._heard_by_liar)
        for lie in self._mirror(model):
            to = heard.node if self.rng.random() < 0.8 else self.rng.choice(self.ids[:-1])
            self._deliver(to, encode(lie))

    def _mirror(self, said: Statement) -> Iterator[Statement]:
        assert self.liar is not None
        head = self.liar, SLOT, self.sets[self.liar].digest()
        if isinstance(said, Nominate):
            both = tuple(sorted({*said.votes, *said.accepted}))
            yield Nominate(*head, both, both if self.rng.random() < 0.7 else said.accepted)
            return
        value = value_of(said)
        counter = min(said.commit.counter if isinstance(said, Externalize) else said.ballot.counter, INFINITY - 1)
        n = min(counter + self.rng.choice([0, 0, 0, 1, 2, 1_000]), INFINITY)
        roll = self.rng.random()
        if roll < 0.35:
            yield Prepare(*head, Ballot(n, value), Ballot(n, value))
        elif roll < 0.6:
            yield Prepare(*head, Ballot(n, value), Ballot(n, value), None, counter, n)
        elif roll < 0.9:
            yield Confirm(*head, Ballot(n, value), n, counter, n)
        else:
            yield Externalize(*head, Ballot(counter, value), n)

    def _push(self, after_ms: int, kind: str, node: bytes, what: object) -> None:
        self._count += 1
        heappush(self._queue, (self.now_ms + after_ms, self._count, kind, node, what))

    def _story(self) -> str:
        """Where everybody stands, for the person who reads the failure."""
        return "; ".join(
            f"{m.node!r} {m.slot.phase.value} b={m.slot.b} p={m.slot.p} h={m.slot.h} candidates={m.slot.candidates}"
            for m in self.members.values()
        )
