"""One slot of federated voting: routes events to nomination and ballot, and turns what they did into effects."""

from coordinator.voting.ballot import BallotProtocol
from coordinator.voting.ballot_state import Phase
from coordinator.voting.context import Context
from coordinator.voting.driver import Driver, Timer
from coordinator.voting.effects import CancelTimer, Effect, Emit, Externalized, Ignored, SetTimer
from coordinator.voting.nomination import Nomination
from coordinator.voting.quorum import QuorumSet
from coordinator.voting.state import SlotState
from coordinator.voting.statement import Ballot, BallotStatement, Nominate, Statement, problem

TIMERS = (Timer.NOMINATION, Timer.BALLOT)
Deadlines = tuple[int | None, int | None]  # in the order of TIMERS


class Slot:
    """Decides one value. Each event method plays its event to the end and returns what is to be done, in order.

    `now_ms` is the caller's monotonic clock. `previous` is the decision before this slot. A slot that is not `voting`
    follows the others: it says nothing, counts its own opinion for nothing, and still learns what is decided.
    """

    def __init__(
        self,
        node: bytes,
        index: int,
        quorum_set: QuorumSet,
        driver: Driver,
        *,
        previous: bytes,
        voting: bool = True,
    ) -> None:
        self._context = Context(node, index, quorum_set, driver, voting)
        self._nomination = Nomination(self._context)
        self._ballot = BallotProtocol(self._context)
        self._announced: Externalized | None = None
        self.previous = previous

    @classmethod
    def restore(
        cls,
        node: bytes,
        index: int,
        quorum_set: QuorumSet,
        driver: Driver,
        state: SlotState,
        *,
        previous: bytes,
        voting: bool = True,
    ) -> "Slot":
        """The slot as it was when `state` was written; call `resume` next.

        Raises ValueError where the state is of another node, slot, history or quorum set, or cannot have been: voting
        on with it could contradict what was said.
        """
        if (state.node, state.slot, state.previous) != (node, index, previous):
            raise ValueError(f"slot {index}: the saved state is of another node, slot or history; do not vote with it")
        slot = cls(node, index, quorum_set, driver, previous=previous, voting=voting)
        for statement in (state.nominate, state.ballot):
            if statement is not None and statement.quorum_set != slot._context.digest:
                raise ValueError(f"slot {index}: voted with another quorum set; restore it with that one")
        slot._nomination.restore(state.nominate, state.round, frozenset(state.leaders), state.candidate_seen)
        if state.ballot is not None:
            slot._ballot.restore(state.ballot, state.value_override)
        if slot._ballot.externalized is not None:
            slot._nomination.stop()
        return slot

    # Events

    def nominate(self, value: bytes | None, now_ms: int) -> list[Effect]:
        """Start nomination, proposing `value`; None proposes nothing and only echoes leaders.

        May be called again with a better value, which counts while the node has not voted for any.
        """
        before = self._begin(now_ms)
        if self._ballot.externalized is None:
            self._nomination.nominate(value)
        return self._end(before)

    def receive(self, statement: Statement, now_ms: int) -> list[Effect]:
        """Play a statement whose signature was checked; one that is stale, foreign or not sane gives one Ignored."""
        reason = self._refusal(statement)
        if reason is not None:
            return [Ignored(reason)]
        before = self._begin(now_ms)
        if isinstance(statement, Nominate):
            reason = self._nomination.receive(statement)
        else:
            reason = self._ballot.receive(statement)
        return self._end(before) if reason is None else [Ignored(reason)]

    def fire(self, timer: Timer, now_ms: int) -> list[Effect]:
        """The timer ran out. One that is not set, or not due, does nothing."""
        before = self._begin(now_ms)
        nomination, ballot = before
        due = nomination if timer is Timer.NOMINATION else ballot
        if due is None or due > now_ms:
            return []
        if timer is Timer.NOMINATION:
            self._nomination.start_round()
            return self._end((None, ballot))
        self._ballot.fire()
        return self._end((nomination, None))

    def step_timers(self, now_ms: int) -> list[Effect]:
        """Fire every timer that is due."""
        return [effect for timer in TIMERS for effect in self.fire(timer, now_ms)]

    def revalidate(self, now_ms: int) -> list[Effect]:
        """Values that were MAYBE, or quorum sets that were unknown, may be known now."""
        before = self._begin(now_ms)
        if self._ballot.externalized is None:
            self._nomination.revisit()
            self._ballot.revalidate()
        return self._end(before)

    def resume(self, now_ms: int) -> list[Effect]:
        """After `restore`: arm the timers again, and announce a decision again that may not have been carried out."""
        before = self._begin(now_ms)
        self._nomination.resume()
        self._ballot.check_heard()
        return self._end(before)

    def bump(self, value: bytes, now_ms: int, *, counter: int | None = None, force: bool = False) -> list[Effect]:
        """Start a ballot with `value` at `counter`, by default the next one. Without `force`, only the first ballot."""
        before = self._begin(now_ms)
        if force or counter is not None or self._ballot.state.b is None:
            self._ballot.bump(value, counter if counter is not None else self._ballot.next_counter())
        return self._end(before)

    def abandon(self, now_ms: int) -> list[Effect]:
        """Give the current ballot up for the next one, as if its timer had run out."""
        before = self._begin(now_ms)
        self._ballot.abandon()
        return self._end(before)

    # Views

    def next_deadline_ms(self) -> int | None:
        """When `step_timers` has something to do, or None."""
        return min((due for due in self._deadlines() if due is not None), default=None)

    def state(self) -> SlotState:
        """What to write to disk before an emitted statement is sent."""
        nomination, ballot = self._nomination, self._ballot
        return SlotState(
            self._context.node,
            self._context.slot,
            self.previous,
            nomination.emitted,
            ballot.emitted,
            nomination.round,
            tuple(sorted(nomination.leaders)),
            nomination.candidate_seen,
            ballot.state.value_override,
        )

    def statements(self) -> list[Statement]:
        """The newest statement of every sender in both protocols, for those who missed them; of its own, those sent."""
        node = self._context.node
        held: list[Statement] = [s for s in self._nomination.votes if s.node != node]
        held += [s for s in self._ballot.votes if s.node != node]
        return self.own_statements() + held

    def own_statements(self) -> list[Statement]:
        """What this node has sent last, to be sent again while the slot is undecided."""
        return [s for s in (self._nomination.emitted, self._ballot.emitted) if s is not None]

    def latest_nomination(self, node: bytes) -> Nominate | None:
        """The newest of this sender's; of this node's own, what it stands for, said or not."""
        return self._nomination.own if node == self._context.node else self._nomination.votes.latest.get(node)

    def latest_ballot(self, node: bytes) -> BallotStatement | None:
        """The newest of this sender's; of this node's own, what it stands for, said or not."""
        return self._ballot.own if node == self._context.node else self._ballot.votes.latest.get(node)

    @property
    def node(self) -> bytes:
        return self._context.node

    @property
    def index(self) -> int:
        return self._context.slot

    @property
    def quorum_set(self) -> QuorumSet:
        return self._context.quorum_set

    @property
    def voting(self) -> bool:
        return self._context.voting

    @property
    def phase(self) -> Phase:
        return self._ballot.state.phase

    @property
    def b(self) -> Ballot | None:
        return self._ballot.state.b

    @property
    def p(self) -> Ballot | None:
        return self._ballot.state.p

    @property
    def p_prime(self) -> Ballot | None:
        return self._ballot.state.p_prime

    @property
    def h(self) -> Ballot | None:
        return self._ballot.state.h

    @property
    def c(self) -> Ballot | None:
        return self._ballot.state.c

    @property
    def value_override(self) -> bytes | None:
        return self._ballot.state.value_override

    @property
    def heard(self) -> bool:
        """Whether a quorum is at the current ballot's counter or beyond."""
        return self._ballot.heard

    @property
    def externalized(self) -> bytes | None:
        """The decided value."""
        return self._ballot.externalized.value if self._ballot.externalized is not None else None

    @property
    def started(self) -> bool:
        """Whether nomination runs; it does from `nominate` until the slot is decided."""
        return self._nomination.started

    @property
    def round(self) -> int:
        return self._nomination.round

    @property
    def leaders(self) -> tuple[bytes, ...]:
        """The leaders of all rounds so far."""
        return tuple(sorted(self._nomination.leaders))

    @property
    def voted(self) -> tuple[bytes, ...]:
        return tuple(sorted(self._nomination.voted))

    @property
    def accepted(self) -> tuple[bytes, ...]:
        return tuple(sorted(self._nomination.accepted))

    @property
    def candidates(self) -> tuple[bytes, ...]:
        return tuple(sorted(self._nomination.candidates))

    @property
    def composite(self) -> bytes | None:
        return self._nomination.composite

    # One event

    def _refusal(self, statement: Statement) -> str | None:
        if statement.slot != self._context.slot:
            return "another slot"
        if statement.node == self._context.node:
            return "own"  # An echo, or said before this node lost its memory; only what it remembers speaks for it.
        if (found := problem(statement)) is not None:
            return found
        if self._ballot.externalized is not None and isinstance(statement, Nominate):
            return "decided"
        return self._context.quorum_set_problem(statement.quorum_set)

    def _begin(self, now_ms: int) -> Deadlines:
        self._context.now_ms = now_ms
        return self._deadlines()

    def _end(self, before: Deadlines) -> list[Effect]:
        """Carry a new composite into the ballot, then collect: statements, the decision, timers, notes."""
        composite = self._nomination.compose()
        if composite is not None:
            self._ballot.composite = composite
            if self._ballot.state.b is None:
                self._ballot.bump(composite, 1)
            elif composite == self._ballot.state.value_override:
                self._ballot.revalidate()  # Now that it is made its bytes are at hand, which a decision may wait for.
        said = self._nomination.take_emission(), self._ballot.take_emission()
        effects: list[Effect] = [Emit(statement) for statement in said if statement is not None]
        if self._ballot.externalized is not None and self._announced is None:
            self._announced = self._ballot.externalized
            self._nomination.stop()
            effects.append(self._announced)
        now = self._deadlines()
        if now != before:
            for timer, due, old in zip(TIMERS, now, before, strict=True):
                if due != old:
                    effects.append(SetTimer(timer, due) if due is not None else CancelTimer(timer))
        self._ballot.state.check()
        effects += self._context.notes
        self._context.notes = []
        return effects

    def _deadlines(self) -> Deadlines:
        return self._nomination.deadline_ms, self._ballot.deadline_ms
