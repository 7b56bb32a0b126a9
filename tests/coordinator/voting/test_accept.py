"""What M concludes, against the definitions: senders that say the same are counted together, and nobody is lost."""

import random

from hypothesis import given
from hypothesis import strategies as st

from coordinator.voting import Ballot, Confirm, Externalize, Prepare, QuorumSet, is_quorum, is_v_blocking
from coordinator.voting.accept import Votes
from coordinator.voting.statement import BallotStatement
from tests.coordinator.voting.topologies import two_tier
from tests.coordinator.voting.world import UNHURRIED

NODES = tuple(b"n%d" % n for n in range(7))
STRANGERS = (b"a", b"s", b"t")
SETS = (
    QuorumSet(5, NODES),
    QuorumSet(2, (NODES[0],), (QuorumSet(2, NODES[1:4]), QuorumSet(2, NODES[4:]))),
    QuorumSet(2, (b"a", NODES[0], NODES[1])),
    next(iter(two_tier(3, 3).values())),
    QuorumSet(1, (b"s", b"t"), (QuorumSet(3, NODES[:4]),)),
)
BY_DIGEST = {quorum_set.digest(): quorum_set for quorum_set in SETS[:-1]}  # one is not known


def said(rng: random.Random) -> BallotStatement:
    head = rng.choice([*NODES, *NODES, *STRANGERS]), 1, rng.choice(SETS).digest()
    ballot = Ballot(rng.randint(1, 2), b"x")
    kinds: list[BallotStatement]
    kinds = [Prepare(*head, ballot), Confirm(*head, ballot, 1, 1, 1), Externalize(*head, ballot, 2)]
    return rng.choice(kinds)


@UNHURRIED
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_quorums_and_blocking_sets_are_those_of_the_definition(seed: int, count: int) -> None:
    """A vote is counted twice, for a sender that said something else since, or not at all."""
    rng = random.Random(seed)
    own = rng.choice(SETS)
    votes: Votes[BallotStatement] = Votes(own, BY_DIGEST.get)
    for _ in range(count):
        votes.record(said(rng))

        def holds(s: BallotStatement) -> bool:
            return isinstance(s, Confirm | Externalize) or s.ballot.counter == 2

        those = {node: s for node, s in votes.latest.items() if holds(s)}
        assert votes.blocking(holds) is is_v_blocking(own, frozenset(those))
        sets = {
            node: QuorumSet(1, (node,)) if isinstance(s, Externalize) else BY_DIGEST[s.quorum_set]
            for node, s in those.items()
            if isinstance(s, Externalize) or s.quorum_set in BY_DIGEST
        }
        assert votes.quorum(holds) is is_quorum(own, sets)


@UNHURRIED
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_different_statements_are_those_that_stand(seed: int, count: int) -> None:
    """A ballot that somebody names is not considered, or one that nobody names any more is."""
    rng = random.Random(seed)
    votes: Votes[BallotStatement] = Votes(SETS[0], BY_DIGEST.get)
    for _ in range(count):
        votes.record(said(rng))

    def what(s: BallotStatement) -> str:
        return repr(s).replace(repr(s.node), "")

    assert sorted(map(what, votes.different())) == sorted({what(s) for s in votes})
    assert [s.node for s in votes] == sorted(votes.latest)


def test_a_set_that_becomes_known_and_a_sender_that_comes_late_count_at_once() -> None:
    """What was once looked up is kept for longer than it is true."""
    known: dict[bytes, QuorumSet] = {}
    votes: Votes[BallotStatement] = Votes(QuorumSet(1, (b"a",)), known.get)
    needs_late = QuorumSet(2, (b"a", b"late"))
    votes.record(Prepare(b"a", 1, needs_late.digest(), Ballot(1, b"x")))
    assert not votes.quorum(lambda s: True)
    known[needs_late.digest()] = needs_late
    assert not votes.quorum(lambda s: True), "its slice needs one who said nothing"
    votes.record(Prepare(b"late", 1, needs_late.digest(), Ballot(1, b"x")))
    assert votes.quorum(lambda s: True)
