"""What the ballot protocol may conclude from the statements it holds: pure questions, asked in the protocol's order.

Each names the transition of the white paper (section 6.2) that it permits. Nothing here changes anything.
"""

from collections.abc import Callable

from coordinator.voting.accept import Votes
from coordinator.voting.ballot_state import BallotState, Phase
from coordinator.voting.says import (
    accepts_commit,
    accepts_prepare,
    commit_boundaries,
    prepare_candidates,
    tops_of,
    value_of,
    votes_commit,
    votes_prepare,
    working_counter,
)
from coordinator.voting.statement import INFINITY, Ballot, BallotStatement, Prepare

BallotVotes = Votes[BallotStatement]

NEAR_COUNTERS = 8  # ahead; timers carry the members over so many, however far a liar would like them to go


def accepted_prepared(state: BallotState, votes: BallotVotes, hint: BallotStatement) -> Ballot | None:
    """Step 1: the highest ballot that may newly be accepted as prepared."""
    if state.phase is Phase.EXTERNALIZE:
        return None
    tops = [top for top in tops_of(hint) if not _is_accepted_or_passed(state, top)]
    if not tops:
        return None  # The usual case once p is found, as what is below one of them is so too.
    for ballot in prepare_candidates(tops, votes.different()):
        if state.phase is Phase.CONFIRM and not (state.p is not None and ballot.covers(state.p)):
            continue  # Only a higher ballot of the same value is of use now.
        if _is_accepted_or_passed(state, ballot):
            continue
        if _accepts_prepared(votes, ballot):
            return ballot
    return None


def confirmed_prepared(
    state: BallotState, votes: BallotVotes, hint: BallotStatement
) -> tuple[Ballot, Ballot | None] | None:
    """Steps 2 and 3: a higher h, and the lowest ballot of its value that may then be voted to commit, if any may."""
    if state.phase is not Phase.PREPARE or state.p is None:
        return None
    tops = tops_of(hint)
    if state.h is not None and max(tops) <= state.h:
        return None
    candidates = prepare_candidates(tops, votes.different())
    for ballot in candidates:
        if state.h is not None and ballot <= state.h:
            return None
        if _confirms_prepared(votes, ballot):
            return ballot, _lowest_to_commit(state, votes, ballot, candidates)
    return None


def accepted_commit(state: BallotState, votes: BallotVotes, hint: BallotStatement) -> tuple[Ballot, Ballot] | None:
    """Step 4: the range c..h that may newly be accepted as committed."""
    if state.phase is Phase.EXTERNALIZE or (isinstance(hint, Prepare) and hint.n_c == 0):
        return None
    value = value_of(hint)
    if state.phase is Phase.CONFIRM and (state.h is None or state.h.value != value):
        return None

    def holds(lo: int, hi: int) -> bool:
        return votes.accept(lambda s: votes_commit(s, value, lo, hi), lambda s: accepts_commit(s, value, lo, hi))

    found = _widest_range(value, votes, holds, lambda counter: _is_near(state, votes, counter))
    if found is not None and state.phase is Phase.CONFIRM and state.h is not None and found[1] <= state.h:
        return None
    return found


def confirmed_commit(state: BallotState, votes: BallotVotes, hint: BallotStatement) -> tuple[Ballot, Ballot] | None:
    """Step 5: the range c..h that is confirmed as committed, which decides the slot."""
    if state.phase is not Phase.CONFIRM or isinstance(hint, Prepare):
        return None
    value = value_of(hint)
    if state.c is None or state.c.value != value:
        return None
    return _widest_range(value, votes, lambda lo, hi: votes.confirm(lambda s: accepts_commit(s, value, lo, hi)))


def counter_ahead(state: BallotState, votes: BallotVotes) -> int | None:
    """Step 9: the lowest counter to jump to so that no v-blocking set is ahead any more.

    Never INFINITY, where nothing could follow: who meets a v-blocking set of decided members accepts their commit
    instead. Conflicting EXTERNALIZE statements of too many liars could otherwise push a counter there.
    """
    own = state.b.counter if state.b is not None else 0
    if state.phase is Phase.EXTERNALIZE or not _is_behind(votes, own):
        return None
    for counter in sorted({working_counter(s) for s in votes.different()}):
        if own < counter < INFINITY and not _is_behind(votes, counter):
            return counter
    return None


def has_heard(state: BallotState, votes: BallotVotes) -> bool:
    """Whether a quorum is at the current ballot's counter or beyond; those that accepted a commit are."""
    if state.b is None:
        return False
    own = state.b.counter
    return votes.quorum(lambda s: not isinstance(s, Prepare) or s.ballot.counter >= own)


def _is_accepted_or_passed(state: BallotState, ballot: Ballot) -> bool:
    """Whether p or p′ leaves nothing to gain from accepting this ballot as prepared."""
    if state.p_prime is not None and ballot <= state.p_prime:
        return True
    return state.p is not None and state.p.covers(ballot)


def _accepts_prepared(votes: BallotVotes, ballot: Ballot) -> bool:
    return votes.accept(lambda s: votes_prepare(s, ballot), lambda s: accepts_prepare(s, ballot))


def _confirms_prepared(votes: BallotVotes, ballot: Ballot) -> bool:
    return votes.confirm(lambda s: accepts_prepare(s, ballot))


def _lowest_to_commit(state: BallotState, votes: BallotVotes, high: Ballot, candidates: list[Ballot]) -> Ballot | None:
    """The lowest ballot from b up to `high`, with all between confirmed prepared too."""
    if state.c is not None or state.is_aborted(high):
        return None
    low = None
    for ballot in candidates:
        if not high.covers(ballot):
            continue
        if (state.b is not None and ballot < state.b) or not _confirms_prepared(votes, ballot):
            break
        low = ballot
    return low


def _widest_range(
    value: bytes, votes: BallotVotes, holds: Callable[[int, int], bool], near: Callable[[int], bool] | None = None
) -> tuple[Ballot, Ballot] | None:
    """The range with the highest top for which `holds`, as wide as it gets downward; as its two ballots.

    With `near`, one that begins at a counter for which it does not hold gives way to one below it.
    """
    low = high = 0
    for counter in commit_boundaries(value, votes.different()):
        if high and holds(counter, high):
            low = counter
            continue
        if high and (near is None or near(low)):
            break
        low = high = counter if holds(counter, counter) else 0
    return (Ballot(low, value), Ballot(high, value)) if high and (near is None or near(low)) else None


def _is_near(state: BallotState, votes: BallotVotes, counter: int) -> bool:
    """Whether the node, or an honest member that it cannot do without, has come to this counter or close to it.

    Who accepted a commit votes to commit all counters above too, so its vote and a few liars' claims can make one that
    honest members will never come to acceptable. A range that begins there would take the place of one below it in the
    node's statement, and the others could wait for it for ever. The papers' votes are never replaced; those that the
    messages carry are. Who has decided accepts every counter from its own on for good, and so counts as having come
    to all.
    """
    if state.b is not None and counter <= state.b.counter + NEAR_COUNTERS:
        return True
    least = counter - NEAR_COUNTERS
    return votes.blocking(lambda s: working_counter(s) >= least)


def _is_behind(votes: BallotVotes, counter: int) -> bool:
    return votes.blocking(lambda s: working_counter(s) > counter)
