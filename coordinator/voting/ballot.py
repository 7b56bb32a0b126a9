"""The ballot protocol of one slot: prepare, commit, externalize (SCP white paper, section 6.2; names as there).

One event is played to its end; what the node would say in between is recorded as its own statement, so that it counts
for itself at once, but only the last is for others. The steps and their order are those of stellar-core's `src/scp`.
"""

from coordinator.voting.accept import Votes
from coordinator.voting.ballot_state import BallotState, Phase
from coordinator.voting.conclusions import (
    accepted_commit,
    accepted_prepared,
    confirmed_commit,
    confirmed_prepared,
    counter_ahead,
    has_heard,
)
from coordinator.voting.context import Context
from coordinator.voting.driver import Timer, Validity
from coordinator.voting.effects import Befouled, Externalized, HeardFromQuorum
from coordinator.voting.newness import is_newer
from coordinator.voting.says import value_of
from coordinator.voting.statement import INFINITY, Ballot, BallotStatement, problem, values

ADVANCE_MAX = 50  # own statements nested in one event, as in SCP; each raises p, h or the phase, so few ever are


class BallotProtocol:
    """The ballot variables in `state`, M and the predicates over it in `votes`."""

    def __init__(self, context: Context) -> None:
        self.state = BallotState()
        self.votes: Votes[BallotStatement] = Votes(context.quorum_set, context.lookup)
        self.own: BallotStatement | None = None  # newest, perhaps not sent yet
        self.emitted: BallotStatement | None = None  # newest sent
        self.heard = False
        self.deadline_ms: int | None = None
        self.composite: bytes | None = None  # what nomination would like the next ballot to carry
        self.externalized: Externalized | None = None
        self._context = context
        self._depth = 0

    def receive(self, statement: BallotStatement) -> str | None:
        """Play a sane statement of another node; why it was ignored, or None."""
        old = self.votes.latest.get(statement.node)
        if old is not None and not is_newer(old, statement):
            return "stale"
        if not self.votes.has_room(statement.node):
            return "too many senders"
        driver, slot = self._context.driver, self._context.slot
        if any(driver.validate(slot, value, False) is Validity.INVALID for value in values(statement)):
            return "invalid value"
        if self.externalized is not None and value_of(statement) != self.externalized.value:
            return "another value was externalized"
        self.votes.record(statement)
        self._advance(statement)
        return None

    def bump(self, value: bytes | None, counter: int) -> bool:
        """Move to ballot (counter, z or value) if that is allowed; whether it was."""
        state = self.state
        chosen = state.value_override or value
        # A ballot at INFINITY could never be left again, as nothing is above it.
        if state.phase is Phase.EXTERNALIZE or chosen is None or not 0 < counter < INFINITY:
            return False
        ballot = Ballot(counter, chosen)
        if (state.b is not None and ballot <= state.b) or (state.c is not None and state.c.value != chosen):
            return False
        self._set_ballot(ballot)
        self._say()
        self.check_heard()
        return True

    def abandon(self, counter: int | None = None) -> bool:
        """Give the current ballot up for one with a higher counter, by default the next one."""
        b = self.state.b
        value = self.composite or (b.value if b is not None else None)
        return self.bump(value, counter if counter is not None else self.next_counter())

    def next_counter(self) -> int:
        return self.state.b.counter + 1 if self.state.b is not None else 1

    def fire(self) -> None:
        """The ballot timer ran out."""
        self.deadline_ms = None
        self.abandon()

    def revalidate(self) -> None:
        """Values or quorum sets may have become known: draw every conclusion again that may have waited for one."""
        self._vote_commit_late()
        for statement in self.votes:
            self._advance(statement)

    def restore(self, statement: BallotStatement, value_override: bytes | None) -> None:
        """Go on from the last statement sent before a restart; only on a fresh protocol.

        stellar-core restores no z, without which a node that had confirmed x prepared could spend its next ballots on
        another value.
        """
        assert self.own is None and not self.votes.latest, "only a fresh slot can be restored"
        self.state = BallotState.restored(statement, value_override)
        self.own = self.emitted = statement
        if self._context.voting:
            self.votes.record(statement)
        if self.state.phase is Phase.EXTERNALIZE:
            self._note_externalized()

    def check_heard(self) -> None:
        """Run the ballot timer exactly while a quorum is at the current counter or beyond.

        A timer that runs without a quorum makes nodes leave ballots that the others have not reached, and so drift
        apart (stellar-core issue 1548).
        """
        context, b = self._context, self.state.b
        heard = self.state.phase is not Phase.EXTERNALIZE and has_heard(self.state, self.votes)
        if not heard:
            self.deadline_ms = None
        elif not self.heard and b is not None:
            context.notes.append(HeardFromQuorum(context.slot, b.counter))
            self.deadline_ms = context.due_ms(Timer.BALLOT, b.counter)
        self.heard = heard

    def take_emission(self) -> BallotStatement | None:
        """The statement that this event leaves to be sent, if any; from now on it counts as sent.

        Only with a value that the node can vouch for: until then it follows in silence, and says all at once later.
        """
        statement = self.own
        if statement is None or not self._context.voting or self.state.b is None:
            return None
        if self.emitted is not None and not is_newer(self.emitted, statement):
            return None
        if not self._context.is_full(value_of(statement)):
            return None
        self.emitted = statement
        return statement

    def _advance(self, hint: BallotStatement) -> None:
        """Take every step that `hint`, just recorded, allows."""
        if self.state.phase is Phase.EXTERNALIZE or self._depth >= ADVANCE_MAX:
            return  # Decided; or far too deep, and the outer levels go on with their own hints.
        self._depth += 1
        self._accept_prepared(hint)
        self._confirm_prepared(hint)
        self._accept_commit(hint)
        self._confirm_commit(hint)
        if self._depth == 1:
            while (counter := counter_ahead(self.state, self.votes)) is not None and self.abandon(counter):
                pass
            self.check_heard()
        self._depth -= 1

    def _accept_prepared(self, hint: BallotStatement) -> None:
        ballot = accepted_prepared(self.state, self.votes, hint)
        if ballot is not None and self.state.set_prepared(ballot):
            self._say()

    def _confirm_prepared(self, hint: BallotStatement) -> None:
        state = self.state
        found = confirmed_prepared(state, self.votes, hint)
        if found is None:
            return
        high, low = found
        state.value_override = high.value
        if state.b is None or state.b.value == high.value:
            state.h = high
            if low is not None and self._context.is_full(low.value):
                state.c = low
        if state.b is None or state.b < high:
            self._set_ballot(high)
        self._say()

    def _accept_commit(self, hint: BallotStatement) -> None:
        found = accepted_commit(self.state, self.votes, hint)
        if found is None:
            return
        low, high = found
        if self.state.is_aborted(high):
            reason = "a v-blocking set or quorum commits what this node accepted as aborted"
            self._context.notes.append(Befouled(self._context.slot, high.value, reason))
        self._set_committing(low, high, Phase.CONFIRM)

    def _confirm_commit(self, hint: BallotStatement) -> None:
        found = confirmed_commit(self.state, self.votes, hint)
        # A decision that cannot be read can be neither carried out nor told to others: it waits for its bytes.
        if found is None or not self._context.is_full(found[0].value):
            return
        self._set_committing(*found, Phase.EXTERNALIZE)
        self.check_heard()
        self._note_externalized()

    def _set_committing(self, low: Ballot, high: Ballot, phase: Phase) -> None:
        if self.state.set_committing(low, high):
            self.heard = False
        self.state.phase = phase
        self._say()

    def _set_ballot(self, ballot: Ballot) -> None:
        if self.state.set_ballot(ballot):
            self.heard = False

    def _say(self) -> None:
        """Record the state as the node's own newest statement, as if received, and take the steps it allows."""
        statement = self._own_statement()
        if statement == self.own:
            return
        found = problem(statement, own=True)
        assert found is None, f"own statement is not sane: {found}"
        assert self.own is None or is_newer(self.own, statement), "own statement is not newer than the last"
        self._record_own(statement)
        self._advance(statement)

    def _vote_commit_late(self) -> None:
        """Vote to commit h if only its value's bytes were missing when it was confirmed prepared.

        White paper, section 6.2, step 3 allows the vote while b <= h. Newness does not count c, but without the bytes
        nothing was sent since, so what is said now is still newer than what peers have.
        """
        state = self.state
        if state.phase is not Phase.PREPARE or state.c is not None or state.h is None or state.b != state.h:
            return
        if state.is_aborted(state.h) or not self._context.is_full(state.h.value):
            return
        state.c = state.h
        statement = self._own_statement()
        self._record_own(statement)
        self._advance(statement)

    def _record_own(self, statement: BallotStatement) -> None:
        self.own = statement
        if self._context.voting:  # A watcher's opinion counts for nobody, not even for itself.
            self.votes.record(statement)

    def _own_statement(self) -> BallotStatement:
        return self.state.statement(self._context.node, self._context.slot, self._context.digest)

    def _note_externalized(self) -> None:
        state = self.state
        assert self.externalized is None, "a slot is decided once"
        assert state.c is not None and state.h is not None
        self.externalized = Externalized(self._context.slot, state.c.value, state.c.counter, state.h.counter)
