"""Small networks under faults: agreement always, consistent histories over restarts, and decisions once all heals."""

import hashlib

import pytest

from coordinator.voting import QuorumSet
from tests.coordinator.voting.network import Network

BATCH = 20


def run(seeds: range, size: int, *, liar: bool, shape: str = "same") -> None:
    for seed in seeds:
        network = Network(seed, size, liar=liar, shape=shape)
        try:
            network.run()
        except AssertionError as failure:
            failure.add_note(f"replay: Network({seed}, {size}, liar={liar}, shape={shape!r}).run()")
            raise


@pytest.mark.parametrize("batch", range(4))
@pytest.mark.parametrize("liar", [False, True])
def test_four_nodes(batch: int, liar: bool) -> None:
    """Two honest nodes decide differently, one takes back what it said, or one never decides."""
    run(range(batch * BATCH, (batch + 1) * BATCH), 4, liar=liar)


@pytest.mark.parametrize("batch", range(2))
@pytest.mark.parametrize("shape", ["own", "organizations"])
def test_slices_of_their_own(batch: int, shape: str) -> None:
    """The same where quorums are not simply any so many: each node's own slices, or organizations."""
    run(range(batch * BATCH, (batch + 1) * BATCH), 5 if shape == "own" else 7, liar=shape == "own", shape=shape)


def test_seven_nodes_and_a_liar() -> None:
    run(range(12), 7, liar=True)


def trace(seed: int) -> str:
    network = Network(seed, 4, liar=True)
    network.run()
    said = [repr(member.history.said) for member in network.members.values()]
    return hashlib.sha256("".join(said).encode()).hexdigest()


def test_one_seed_is_one_story() -> None:
    """A failure cannot be replayed."""
    assert trace(5) == trace(5)


def test_quorums_that_need_not_meet_do_disagree() -> None:
    """The checks above see nothing: with slices of two in four, halves must decide differently under some seed."""
    halves = QuorumSet(2, tuple(b"n%d" % n for n in range(4)))
    assert any(disagrees(seed, halves) for seed in range(40))


def disagrees(seed: int, quorum_set: QuorumSet) -> bool:
    network = Network(seed, 4, liar=True, quorum_set=quorum_set)
    try:
        network.run()
    except AssertionError as failure:
        return "disagreement" in str(failure) or "twice" in str(failure)
    return False
