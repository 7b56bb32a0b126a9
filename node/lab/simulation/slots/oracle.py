"""A slow judge of one node's steps in one slot: each is derived anew from what the node had heard, or it is a bug.

What the node says about itself counts for it only as far as it followed without it, so nothing justifies itself.
"""

from collections.abc import Callable, Sequence

from coordinator.voting import (
    INFINITY,
    Ballot,
    BallotStatement,
    Confirm,
    Effect,
    Externalize,
    Externalized,
    Nominate,
    Phase,
    Prepare,
    SetTimer,
    Slot,
    Statement,
    Timer,
)
from node.lab.simulation.outcome import Violated
from node.lab.simulation.slots.definitions import (
    BallotTest,
    Federation,
    accepts_committed,
    accepts_prepared,
    counter_of,
    named_counters,
    votes_committed,
    votes_prepared,
)
from node.lab.simulation.slots.facts import Own, Stand
from node.lab.simulation.slots.oracle_nomination import NominationJudge

Known = Callable[[bytes], bool]
"""Whether the node knows that a value is valid."""


class Judge:
    """Tell it what the node hears, then ask it about the step that this led to."""

    def __init__(self, slot: Slot, federation: Federation) -> None:
        self._node, self._voting = slot.node, slot.voting
        self._set = federation.know(slot.quorum_set)
        self._federation = federation
        self._ballots: dict[bytes, BallotStatement] = {}
        self._nomination = NominationJudge(self._node, self._set, federation, voting=self._voting)
        self._before = Stand.of(slot)
        self._ballot_due_ms: int | None = None

    def proposes(self, value: bytes) -> None:
        self._nomination.proposes(value)

    def step(self, slot: Slot, heard: Statement | None, effects: Sequence[Effect], now_ms: int, known: Known) -> None:
        """Raises Violated for the first step that nothing justifies; `heard` was just taken in by the node."""
        if isinstance(heard, Nominate):
            self._nomination.hears(heard)
        elif heard is not None:
            self._ballots[heard.node] = heard
        before, after = self._before, Stand.of(slot)
        self._before = after
        if after != before or effects:
            self._nomination.step(before, after)
            own = Own.of(before, after)
            self._prepared(before, after, own)
            self._confirmed(before, after, own)
            self._committed(before, after, own)
            self._counter(before, after, own, now_ms)
            self._effects(after, effects)
            self._missed(before, after, own, known)

    # Ballots

    def _derive(self, value: bytes, before: Stand, after: Stand, own: Own) -> None:
        """Add to `own` all that it may have accepted about this value on its way, each from what was there before."""
        counters = {n for said in self._ballots.values() for n in named_counters(said, value)}
        counters |= {x.counter for x in (after.p, after.q, after.h, after.c) if x is not None and x.value == value}
        ballots = [Ballot(n, value) for n in sorted(counters) if n > 0]
        commits = after.phase is not Phase.PREPARE and after.c is not None and after.c.value == value
        grown = True
        while grown:
            grown = False
            for x in ballots:
                if not own.has_accepted(x) and self._accepts(x, votes_prepared, accepts_prepared, own.has_voted(x)):
                    own.accepted.append(x)
                    grown = True
                if commits and not own.has_committed(x) and self._may_commit(x, before, own):
                    own.committed.append((x, x))
                    own.commits.append((x, Ballot(INFINITY, value)))
                    own.votes.append(Ballot(INFINITY, value))
                    grown = True

    def _may_commit(self, ballot: Ballot, before: Stand, own: Own) -> bool:
        votes = own.has_voted_commit(ballot) or self._may_vote_commit(ballot, before, own)
        return self._accepts(ballot, votes_committed, accepts_committed, votes)

    def _prepared(self, before: Stand, after: Stand, own: Own) -> None:
        for claim in (after.q, after.p):
            if claim is not None and not own.has_accepted(claim):
                self._derive(claim.value, before, after, own)
                if not own.has_accepted(claim):
                    self._fail("accept prepared", claim, before, after)

    def _confirms_prepared(self, ballot: Ballot, own: Own) -> bool:
        return self._confirms(ballot, accepts_prepared, own.has_accepted(ballot))

    def _confirmed(self, before: Stand, after: Stand, own: Own) -> None:
        if after.z is not None and after.z != before.z and after.phase is Phase.PREPARE:
            named = {n for said in self._ballots.values() for n in named_counters(said, after.z)}
            named |= {x.counter for x in (before.b, after.p, after.q, after.h) if x is not None and x.value == after.z}
            if not any(self._confirms_prepared(Ballot(n, after.z), own) for n in sorted(named) if n > 0):
                self._fail("confirm prepared (value override)", after.z, before, after)
        if after.phase is not Phase.PREPARE:
            return
        if after.h is not None and after.h != before.h and not self._confirms_prepared(after.h, own):
            self._fail("confirm prepared", after.h, before, after)
        if after.c is not None and after.c != before.c:
            if not self._confirms_prepared(after.c, own) or (before.b is not None and after.c < before.b):
                self._fail("vote commit", after.c, before, after)

    def _committed(self, before: Stand, after: Stand, own: Own) -> None:
        if after.phase is Phase.PREPARE or (after.phase, after.c, after.h) == (before.phase, before.c, before.h):
            return
        assert after.c is not None and after.h is not None
        self._derive(after.c.value, before, after, own)
        for ballot in self._between(after.c, after.h):
            accepted = own.has_committed(ballot) or self._may_commit(ballot, before, own)
            if not accepted:
                self._fail("accept commit", ballot, before, after)
            if after.phase is Phase.EXTERNALIZE and not self._confirms(ballot, accepts_committed, accepted):
                self._fail("confirm commit", ballot, before, after)

    def _may_vote_commit(self, ballot: Ballot, before: Stand, own: Own) -> bool:
        """It confirms the ballot prepared, and neither gave it up nor went on to another value."""
        least = before.c if before.c is not None and before.c.value == ballot.value else before.b
        if before.phase is not Phase.PREPARE or (least is not None and ballot < least):
            return False
        aborted = any(x.value != ballot.value and x > ballot for x in own.accepted)
        return not aborted and self._confirms_prepared(ballot, own)

    def _between(self, low: Ballot, high: Ballot) -> list[Ballot]:
        """Ballots from one to the other among which nobody's opinion differs from those left out."""
        named = {n for said in self._ballots.values() for n in named_counters(said, low.value)}
        near = {m for n in named for m in (n - 1, n, n + 1) if low.counter <= m <= high.counter}
        return [Ballot(n, low.value) for n in sorted(near | {low.counter, high.counter})]

    def _counter(self, before: Stand, after: Stand, own: Own, now_ms: int) -> None:
        old = before.b.counter if before.b is not None else 0
        if after.b is None or after.b == before.b or after.phase is Phase.EXTERNALIZE:
            return
        if after.b == after.h or self._confirms_prepared(after.b, own):
            return
        if before.z == after.z and after.z is not None and after.b.value != after.z:
            self._fail("ballot of another value than was confirmed prepared", after.b, before, after)
        new = after.b.counter
        ahead = frozenset(node for node, said in self._ballots.items() if counter_of(said) >= new)
        expired = self._ballot_due_ms is not None and self._ballot_due_ms <= now_ms
        self._ballot_due_ms = None
        if not (
            (before.b is None and new == 1)
            or (expired and new == old + 1)
            or ((new > old or after.phase is not before.phase) and self._federation.blocks(self._set, ahead))
        ):
            self._fail("counter", after.b, before, after)

    def _effects(self, after: Stand, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Externalized):
                if after.phase is not Phase.EXTERNALIZE or after.c is None or after.c.value != effect.value:
                    self._fail("decision", effect.value, after, after)
            elif isinstance(effect, SetTimer) and effect.timer is Timer.BALLOT:
                self._ballot_due_ms = effect.at_ms
                own = after.b.counter if after.b is not None else 0
                senders = {
                    n: s for n, s in self._ballots.items() if not (isinstance(s, Prepare) and s.ballot.counter < own)
                }
                if not own or not self._federation.has_quorum(self._set, self._sets_of(senders, True)):
                    self._fail("timer", own, after, after)

    def _missed(self, before: Stand, after: Stand, own: Own, known: Known) -> None:
        """What a node may conclude about a commit it must conclude at once, or others that are ahead wait for it."""
        if after.phase is Phase.EXTERNALIZE:
            return
        if after.phase is Phase.CONFIRM:
            assert after.c is not None and after.h is not None
            if known(after.h.value) and self._confirms(after.h, accepts_committed, True):
                self._fail("confirm commit, missed", after.h, before, after)
            return
        for said in self._ballots.values():
            ballots = [Ballot(n, x) for x in _committed_values(said) for n in named_counters(said, x) if n > 0]
            for ballot in ballots:
                if self._is_reached(ballot, after) and self._accepts(ballot, votes_committed, accepts_committed, False):
                    self._fail("accept commit, missed", ballot, before, after)

    def _is_reached(self, ballot: Ballot, after: Stand) -> bool:
        """Whether the node or a v-blocking set came to this counter; one to which only liars came is none to follow."""
        if after.b is not None and ballot.counter <= after.b.counter:
            return True
        there = {n for n, s in self._ballots.items() if _highest_reached(s) >= ballot.counter}
        return self._federation.blocks(self._set, frozenset(there))

    # Federated voting

    def _accepts(self, x: Ballot, voting: BallotTest, accepting: BallotTest, votes: bool) -> bool:
        """A v-blocking set accepts it, or a quorum votes for or accepts it; `votes` is whether the node itself does."""
        accepted = {n: s for n, s in self._ballots.items() if accepting(s, x)}
        if self._federation.blocks(self._set, frozenset(accepted)):
            return True
        either = {n: s for n, s in self._ballots.items() if accepting(s, x) or voting(s, x)}
        return self._federation.has_quorum(self._set, self._sets_of(either, votes))

    def _confirms(self, x: Ballot, accepting: BallotTest, accepts: bool) -> bool:
        """A quorum accepts it."""
        accepted = {n: s for n, s in self._ballots.items() if accepting(s, x)}
        return self._federation.has_quorum(self._set, self._sets_of(accepted, accepts))

    def _sets_of(self, said: dict[bytes, BallotStatement], itself: bool) -> dict[bytes, bytes | None]:
        senders = {n: None if isinstance(s, Externalize) else s.quorum_set for n, s in said.items()}
        if itself and self._voting:
            senders[self._node] = self._set
        return senders

    def _fail(self, step: str, what: object, before: Stand, after: Stand) -> None:
        heard = "; ".join(str(self._ballots[node]) for node in sorted(self._ballots))
        raise Violated("justified", f"{step}: {self._node!r} {what!r}, from {before} to {after}, having heard {heard}")


def _committed_values(said: BallotStatement) -> tuple[bytes, ...]:
    match said:
        case Prepare():
            return (said.ballot.value,) if said.n_c else ()
        case Confirm():
            return (said.ballot.value,)
        case Externalize():
            return (said.commit.value,)


def _highest_reached(said: BallotStatement) -> int:
    return said.n_h if isinstance(said, Externalize) else said.ballot.counter
