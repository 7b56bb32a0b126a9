"""Round leaders: weights as shares of slices, and a draw that all nodes make alike and that is fair over many slots."""

import hashlib
from collections import Counter
from fractions import Fraction
from itertools import combinations

import pytest

from coordinator.voting import QuorumSet, hash_priority, slice_weight
from coordinator.voting.leaders import U64_MAX, Lottery
from tests.coordinator.voting.world import CORE5, FIVE

ORGANIZATIONS = QuorumSet(2, (b"v0",), (QuorumSet(2, (b"a1", b"a2", b"a3")), QuorumSet(1, (b"b1", b"b2"))))


@pytest.mark.parametrize(
    ("node", "quorum_set", "share"),
    [
        pytest.param(b"v1", CORE5, Fraction(4, 5), id="four of five"),
        pytest.param(b"x", CORE5, Fraction(0), id="no member"),
        pytest.param(b"v0", ORGANIZATIONS, Fraction(2, 3), id="two of three entries"),
        pytest.param(b"a2", ORGANIZATIONS, Fraction(2, 3) * Fraction(2, 3), id="two of three, of which two of three"),
        pytest.param(b"b1", ORGANIZATIONS, Fraction(2, 3) * Fraction(1, 2), id="two of three, of which one of two"),
        pytest.param(b"v0", QuorumSet(1, (b"v0",)), Fraction(1), id="certain"),
        pytest.param(b"v0", QuorumSet(0, ()), Fraction(0), id="nobody there"),
    ],
)
def test_weight_is_the_share_of_slices(node: bytes, quorum_set: QuorumSet, share: Fraction) -> None:
    """Rounded up at each level, so that no member is rounded to never."""
    exact = share * U64_MAX
    assert exact <= slice_weight(node, quorum_set) <= exact + 2


def test_weight_of_a_flat_set_by_counting() -> None:
    """The share of the 4-subsets of five that hold v1, counted."""
    slices = list(combinations(FIVE, 4))
    counted = Fraction(sum(b"v1" in s for s in slices), len(slices))
    assert abs(slice_weight(b"v1", CORE5) - counted * U64_MAX) < 2


def test_priority_is_the_hash_of_its_layout() -> None:
    """Two versions of the program draw different leaders and wait for each other."""
    layout = (7).to_bytes(8, "big") + (3).to_bytes(4, "big") + b"abc" + (2).to_bytes(4, "big")
    layout += (9).to_bytes(4, "big") + b"node"
    expected = int.from_bytes(hashlib.sha256(layout).digest()[:8], "big")
    assert hash_priority(b"abc", 7, 2, 9, b"node") == expected


def lottery(node: bytes, quorum_set: QuorumSet, slot: int) -> Lottery:
    return Lottery(node, quorum_set, slice_weight, lambda tag, n, data: hash_priority(b"previous", slot, tag, n, data))


def test_equals_mostly_draw_the_same_leader_and_lead_equally_often() -> None:
    """Nominations that start with five leaders instead of one take many more statements to settle."""
    wins: Counter[bytes] = Counter()
    agreed = 0
    for slot in range(500):
        drawn = [lottery(node, CORE5, slot).advance(0, frozenset())[1] for node in FIVE]
        agreed += len(set(drawn)) == 1
        for node in sorted(drawn[0]):
            wins[node] += 1
    assert agreed > 300, "where the top node is everybody's neighbor, all five draw it"
    assert min(wins.values()) > 50, wins
    assert max(wins.values()) < 170, wins


def test_a_weight_decides_how_often_a_member_leads() -> None:
    """A member of a large organization leads as often as one that stands alone."""
    wins: Counter[bytes] = Counter()
    for slot in range(500):
        for winner in sorted(lottery(b"x", ORGANIZATIONS, slot).advance(0, frozenset())[1]):
            wins[winner] += 1
    assert wins[b"v0"] > wins[b"a1"]
    assert wins[b"v0"] > wins[b"b1"]
    assert wins[b"x"] > wins[b"v0"], "a node counts itself in full"


def test_rounds_end_with_everybody() -> None:
    """Nomination skips rounds for ever once all lead, or never gets there."""
    draw, leaders, round_now = lottery(b"v0", CORE5, 1), frozenset[bytes](), 0
    for _ in range(5):
        if leaders == frozenset(FIVE):
            break
        before = leaders
        round_now, leaders = draw.advance(round_now, leaders)
        assert leaders > before
    assert leaders == frozenset(FIVE)
    assert draw.advance(round_now, leaders) == (round_now + 1, leaders)


def test_where_nobody_is_drawn_rounds_are_passed_over_up_to_a_bound() -> None:
    """A priority that is always 0 hangs the node."""
    draw = Lottery(b"v0", CORE5, slice_weight, lambda tag, n, data: 0)
    assert draw.advance(0, frozenset()) == (1_000, frozenset())
