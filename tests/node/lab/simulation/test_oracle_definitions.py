"""The definitions that the judge goes by, and the code that is judged, say the same of small federations."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.voting import INFINITY, Ballot, Confirm, Externalize, Prepare, QuorumSet, is_quorum, is_v_blocking
from coordinator.voting.says import accepts_commit, accepts_prepare, votes_commit, votes_prepare
from node.lab.simulation.slots.definitions import (
    Federation,
    accepts_committed,
    accepts_prepared,
    has_slice,
    votes_committed,
    votes_prepared,
)

NODES = tuple(b"n%d" % n for n in range(6))
HEAD = b"n1", 3, bytes(32)


@st.composite
def quorum_sets(draw: st.DrawFn) -> QuorumSet:
    """One of a few of the nodes, half of them perhaps in an inner set."""
    members = draw(st.lists(st.sampled_from(NODES), min_size=1, max_size=6, unique=True))
    inner = members[len(members) // 2 :] if len(members) > 3 and draw(st.booleans()) else []
    outer = tuple(node for node in members if node not in inner)
    within = (QuorumSet(draw(st.integers(1, len(inner))), tuple(inner)),) if inner else ()
    return QuorumSet(draw(st.integers(1, len(outer) + len(within))), outer, within)


@settings(deadline=None)
@given(st.lists(quorum_sets(), min_size=6, max_size=6), st.frozensets(st.sampled_from(NODES)))
def test_quorums_and_blocking_sets(sets: list[QuorumSet], nodes: frozenset[bytes]) -> None:
    """Either of two that disagree is wrong."""
    federation = Federation({})
    digests = [federation.know(one) for one in sets]
    named = {node: digests[NODES.index(node)] for node in sorted(nodes)}
    expected = is_quorum(sets[0], {node: sets[NODES.index(node)] for node in sorted(nodes)})
    assert federation.has_quorum(digests[0], named) is expected
    assert federation.blocks(digests[0], nodes) is is_v_blocking(sets[0], nodes)


def test_who_has_decided_and_who_is_unknown() -> None:
    federation = Federation({})
    three = federation.know(QuorumSet(3, NODES[:4]))
    assert federation.has_quorum(three, {b"n1": None, b"n2": None, b"n3": None}), "each is a slice of its own"
    assert not federation.has_quorum(three, {b"n1": None, b"n2": None, b"n3": bytes(32)}), "an unknown set"
    assert not federation.has_quorum(three, {b"n1": three, b"n2": None, b"n5": None}), "n1 asks for three of the first"
    assert has_slice(QuorumSet(1, (), (QuorumSet(2, NODES[:3]),)), frozenset(NODES[:2]))


counters = st.sampled_from([1, 2, 3, INFINITY])
ballots = st.builds(Ballot, counters, st.sampled_from([b"x", b"y"]))
statements = st.one_of(
    st.builds(
        lambda b, p, q, c, h: Prepare(*HEAD, b, p, q, c, h),
        ballots,
        st.none() | ballots,
        st.none() | ballots,
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    st.builds(lambda b, p, c, h: Confirm(*HEAD, b, p, c, h), ballots, counters, counters, counters),
    st.builds(lambda b, h: Externalize(*HEAD, b, h), ballots, counters),
)


@given(statements, ballots)
def test_what_a_statement_says(said: Prepare | Confirm | Externalize, ballot: Ballot) -> None:
    """The judge reads statements differently from the nodes that it judges."""
    n, x = ballot.counter, ballot.value
    assert votes_prepared(said, ballot) is votes_prepare(said, ballot)
    assert accepts_prepared(said, ballot) is accepts_prepare(said, ballot)
    assert votes_committed(said, ballot) is votes_commit(said, x, n, n)
    assert accepts_committed(said, ballot) is accepts_commit(said, x, n, n)


def test_too_many_are_refused() -> None:
    """Going through all subsets of a hundred nodes would never end."""
    federation = Federation({})
    many = tuple(b"m%02d" % n for n in range(13))
    digest = federation.know(QuorumSet(9, many))
    with pytest.raises(AssertionError, match="too many"):
        federation.has_quorum(digest, dict.fromkeys(many, digest))
