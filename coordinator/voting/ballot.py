"""The ballot protocol of one slot: prepare, commit, externalize (SCP white paper, section 6.2; names as there).

One event is played to its end; what the node would say in between is recorded as its own statement, so that it counts
for itself at once, but only the last is for others. Source of the steps and their order: stellar-core, `src/scp`.
"""

from collections.abc import Callable

from coordinator.voting.accept import Votes
from coordinator.voting.ballot_state import BallotState, Phase
from coordinator.voting.context import Context
from coordinator.voting.driver import Timer, Validity
from coordinator.voting.effects import Befouled, Externalized, HeardFromQuorum
from coordinator.voting.newness import is_newer
from coordinator.voting.says import (
    accepts_commit,
    accepts_prepare,
    commit_boundaries,
    prepare_candidates,
    value_of,
    votes_commit,
    votes_prepare,
    working_counter,
)
from coordinator.voting.statement import INFINITY, Ballot, BallotStatement, Prepare, problem, values

ADVANCE_MAX = 50  # own statements nested in one event, as in SCP; each raises p, h or the phase, so few ever are


class BallotProtocol:
    """Variables as in BallotState; M and what follows from it in `votes`."""

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

    # Events

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
        if self.state.phase is Phase.EXTERNALIZE and value_of(statement) != value_of(self._own_statement()):
            return "another value was externalized"
        self.votes.record(statement)
        if self.state.phase is not Phase.EXTERNALIZE:
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
        if state.b is not None and ballot <= state.b:
            return False
        if state.c is not None and state.c.value != chosen:
            return False
        self._set_ballot(ballot)
        self._say()
        self._check_heard()
        return True

    def abandon(self, counter: int | None = None) -> bool:
        """Give the current ballot up for one with a higher counter, by default the next one."""
        current = self.state.b
        value = self.composite or (current.value if current is not None else None)
        return self.bump(value, counter if counter is not None else (current.counter if current else 0) + 1)

    def fire(self) -> None:
        """The ballot timer ran out."""
        self.deadline_ms = None
        self.abandon()

    def revalidate(self) -> None:
        """Values or quorum sets may have become known: draw every conclusion again that may have waited for one."""
        if self.state.phase is Phase.EXTERNALIZE:
            return
        self._vote_commit_late()
        for statement in self.votes:
            self._advance(statement)
        self._check_heard()

    def resume(self, statement: BallotStatement, value_override: bytes | None) -> None:
        """Go on from the last statement sent before a restart; only on a fresh protocol.

        White paper and stellar-core forget z, without which a node that had confirmed x prepared could spend ballots
        on another value after each restart.
        """
        assert self.own is None and not self.votes.latest, "only a fresh slot can be restored"
        self.state = BallotState.restored(statement, value_override)
        self.own = self.emitted = statement
        if self._context.voting:
            self.votes.record(statement)
        if self.state.phase is Phase.EXTERNALIZE:
            self._note_externalized()

    def check_heard(self) -> None:
        """Look again whether a quorum is at the node's counter; for after a restart, when no event says so."""
        self._check_heard()

    def to_emit(self) -> BallotStatement | None:
        """The statement that this event leaves to be sent, if any; asking marks it as sent.

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

    # Steps, in the order in which they are tried

    def _advance(self, hint: BallotStatement) -> None:
        """Take every step that `hint`, just recorded, allows."""
        if self._depth >= ADVANCE_MAX:
            return  # The outer levels go on with their own hints.
        self._depth += 1
        self._accept_prepared(hint)
        self._confirm_prepared(hint)
        self._accept_commit(hint)
        self._confirm_commit(hint)
        if self._depth == 1:
            while self._catch_up():
                pass
            self._check_heard()
        self._depth -= 1

    def _accept_prepared(self, hint: BallotStatement) -> None:
        state = self.state
        if state.phase is Phase.EXTERNALIZE:
            return
        for ballot in prepare_candidates(hint, self.votes):
            if state.phase is Phase.CONFIRM and not (state.p is not None and ballot.covers(state.p)):
                continue  # Only a higher ballot of the same value is of use now.
            if state.p_prime is not None and ballot <= state.p_prime:
                continue
            if state.p is not None and state.p.covers(ballot):
                continue
            if self.votes.accept(
                lambda s, ballot=ballot: votes_prepare(s, ballot),  # type: ignore[misc]
                lambda s, ballot=ballot: accepts_prepare(s, ballot),  # type: ignore[misc]
            ):
                if state.set_prepared(ballot):
                    self._say()
                return

    def _confirm_prepared(self, hint: BallotStatement) -> None:
        state = self.state
        if state.phase is not Phase.PREPARE or state.p is None:
            return
        candidates = prepare_candidates(hint, self.votes)
        if state.h is not None:
            candidates = [ballot for ballot in candidates if ballot > state.h]  # type: ignore[operator]
        high = next((ballot for ballot in candidates if self._confirms_prepared(ballot)), None)
        if high is None:
            return
        # What a quorum accepts this node accepts too. It has, unless the same event let it accept a higher ballot
        # first; then p′ must still learn of this one, or a vote to commit what it aborts would stand.
        changed = not state.accepts_prepared(high) and state.set_prepared(high)
        low = self._lowest_to_commit(high, candidates)
        state.value_override = high.value
        if state.b is None or state.b.value == high.value:
            state.h = high
            changed = True
            if low is not None and self._context.is_full(low.value):
                state.c = low
        if state.b is None or state.b < high:
            self._set_ballot(high)
            changed = True
        if changed:
            self._say()

    def _accept_commit(self, hint: BallotStatement) -> None:
        state = self.state
        if state.phase is Phase.EXTERNALIZE or (isinstance(hint, Prepare) and hint.n_c == 0):
            return
        value = value_of(hint)
        if state.phase is Phase.CONFIRM and (state.h is None or state.h.value != value):
            return
        found = self._find_range(
            value,
            lambda lo, hi: self.votes.accept(
                lambda s: votes_commit(s, value, lo, hi), lambda s: accepts_commit(s, value, lo, hi)
            ),
        )
        if found is None:
            return
        low, high = found
        if state.phase is Phase.CONFIRM and state.h is not None and high.counter <= state.h.counter:
            return
        if state.is_aborted(high):
            self._context.notes.append(Befouled(self._context.slot, value, "accepts to commit what it accepted aborted"))
        self._set_committing(low, high, Phase.CONFIRM)
        self._say()

    def _confirm_commit(self, hint: BallotStatement) -> None:
        state = self.state
        if state.phase is not Phase.CONFIRM or isinstance(hint, Prepare):
            return
        value = value_of(hint)
        if state.c is None or state.c.value != value:
            return
        # A decision that cannot be read cannot be carried out, and could not be told to others: it waits for the bytes.
        if not self._context.is_full(value):
            return
        found = self._find_range(
            value, lambda lo, hi: self.votes.confirm(lambda s: accepts_commit(s, value, lo, hi))
        )
        if found is None:
            return
        self._set_committing(*found, Phase.EXTERNALIZE)
        self.deadline_ms = None
        self._say()
        self._note_externalized()

    def _catch_up(self) -> bool:
        """Jump to the lowest counter at which no v-blocking set is ahead any more; whether the node moved.

        Never to INFINITY, where nothing could follow: who meets a v-blocking set of decided members accepts their
        commit instead. Conflicting EXTERNALIZE statements of too many liars could otherwise push a counter there.
        """
        state = self.state
        own = state.b.counter if state.b is not None else 0
        if state.phase is Phase.EXTERNALIZE or not self._is_behind(own):
            return False
        counters = sorted({working_counter(s) for s in self.votes})
        for counter in counters:
            if own < counter < INFINITY and not self._is_behind(counter):
                return self.abandon(counter)
        return False

    def _check_heard(self) -> None:
        """Run the ballot timer exactly while a quorum is at this counter or beyond.

        A timer that runs without a quorum makes nodes leave ballots that the others have not reached, and so drift
        apart (stellar-core issue 1548).
        """
        state, context = self.state, self._context
        if state.phase is Phase.EXTERNALIZE or state.b is None:
            self.deadline_ms = None
            return
        own = state.b.counter
        heard = self.votes.quorum(lambda s: not isinstance(s, Prepare) or s.ballot.counter >= own)
        if heard and not self.heard:
            context.notes.append(HeardFromQuorum(context.slot, own))
            self.deadline_ms = context.due_ms(Timer.BALLOT, own)
        elif not heard:
            self.deadline_ms = None
        self.heard = heard

    # What the steps are made of

    def _say(self) -> None:
        """Record the state as the node's own newest statement, as if received, and take the steps it allows."""
        statement = self._own_statement()
        if statement == self.own:
            return
        assert (found := problem(statement, own=True)) is None, f"own statement is not sane: {found}"
        assert self.own is None or is_newer(self.own, statement), "own statement is not newer than the last"
        self._record_own(statement)
        if self.state.phase is not Phase.EXTERNALIZE:
            self._advance(statement)

    def _record_own(self, statement: BallotStatement) -> None:
        self.own = statement
        if self._context.voting:  # A watcher's opinion counts for nobody, not even for itself.
            self.votes.record(statement)

    def _own_statement(self) -> BallotStatement:
        return self.state.statement(self._context.node, self._context.slot, self._context.digest)

    def _set_ballot(self, ballot: Ballot) -> None:
        if self.state.set_ballot(ballot):
            self.heard = False

    def _set_committing(self, low: Ballot, high: Ballot, phase: Phase) -> None:
        if self.state.set_committing(low, high):
            self.heard = False
        self.state.phase = phase

    def _confirms_prepared(self, ballot: Ballot) -> bool:
        return self.votes.confirm(lambda s: accepts_prepare(s, ballot))

    def _lowest_to_commit(self, high: Ballot, candidates: list[Ballot]) -> Ballot | None:
        """The lowest ballot from b up to `high`, all confirmed prepared, that the node may begin voting to commit."""
        state = self.state
        if state.c is not None or state.is_aborted(high):
            return None
        low = None
        for ballot in candidates:
            if not high.covers(ballot):
                continue
            if (state.b is not None and ballot < state.b) or not self._confirms_prepared(ballot):
                break
            low = ballot
        return low

    def _vote_commit_late(self) -> None:
        """Vote to commit h if only its value's bytes were missing when it was confirmed prepared.

        White paper, section 6.2, step 3 allows the vote while b <= h. Newness does not count c, so it can only be
        said where the state as it stands was never sent.
        """
        state = self.state
        if state.phase is not Phase.PREPARE or state.c is not None or state.h is None or state.b != state.h:
            return
        if state.is_aborted(state.h) or not self._context.is_full(state.h.value):
            return
        state.c = state.h
        statement = self._own_statement()
        if self.emitted is not None and not is_newer(self.emitted, statement):
            state.c = None
            return
        self._record_own(statement)
        self._advance(statement)

    def _find_range(self, value: bytes, holds: Callable[[int, int], bool]) -> tuple[Ballot, Ballot] | None:
        """The highest range of counters, as wide as it gets downward, for which `holds`; as its two ballots."""
        low = high = 0
        for counter in commit_boundaries(value, self.votes):
            if high == 0:
                if holds(counter, counter):
                    low = high = counter
            elif holds(counter, high):
                low = counter
            else:
                break
        return (Ballot(low, value), Ballot(high, value)) if high else None

    def _is_behind(self, counter: int) -> bool:
        return self.votes.blocking(lambda s: working_counter(s) > counter)

    def _note_externalized(self) -> None:
        state = self.state
        assert self.externalized is None, "a slot is decided once"
        assert state.c is not None and state.h is not None
        self.externalized = Externalized(self._context.slot, state.c.value, state.c.counter, state.h.counter)
