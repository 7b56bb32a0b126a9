"""Whether quorums intersect: by the definition on small networks, and on larger ones whose answer is known."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.voting import Intersection, QuorumSet, Verdict, check_intersection
from coordinator.voting.entities import contracted
from coordinator.voting.gates import Budget, bits, numbered
from tests.coordinator.voting.topologies import (
    Network,
    acquainted,
    both_ways,
    cores,
    is_split,
    linked,
    quorums,
    seats,
    self_first,
    small,
    two_tier,
)
from tests.coordinator.voting.world import UNHURRIED

SEEDS = st.integers(0, 2**32)


def assert_witness(network: Network, found: Intersection) -> None:
    """Two quorums, each minimal, that share nobody."""
    assert found.quorums is not None
    one, other = map(frozenset, found.quorums)
    assert not one & other
    ids, gates = numbered(network)
    for quorum in (one, other):
        members = sum(1 << n for n, node in enumerate(ids) if node in quorum)
        assert gates.greatest_quorum(members, Budget(1)) == members
        for node in bits(members):
            assert not gates.greatest_quorum(members & ~node, Budget(1))


@UNHURRIED
@given(SEEDS)
def test_small_networks_against_the_definition(seed: int) -> None:
    """A network that can decide twice is called safe, or a safe one is not."""
    network = small(seed)
    found = check_intersection(network)
    assert found.verdict is (Verdict.SPLIT if is_split(network) else Verdict.INTERSECTS)
    assert found.has_quorum is bool(quorums(network))
    if found.verdict is Verdict.SPLIT:
        assert_witness(network, found)
    parts = cores(network)
    assert found.core == (tuple(sorted(parts[0])) if len(parts) == 1 else ())


@pytest.mark.parametrize("size", [1, 4, 7, 10, 40, 100])
def test_symmetric_thresholds(size: int) -> None:
    """Any two sets of t among n share a node exactly if 2t > n; a network of equals is answered at any size."""
    half = size // 2
    assert check_intersection(two_tier(size, 1, half + 1)).verdict is Verdict.INTERSECTS
    if half:
        found = check_intersection(two_tier(size, 1, half))
        assert found.quorums is not None
        assert tuple(map(len, found.quorums)) == (half, half)


@pytest.mark.parametrize(
    ("network", "verdict"),
    [
        pytest.param(two_tier(40, 3), Verdict.INTERSECTS, id="40 organizations of three, 27 of them needed"),
        pytest.param(two_tier(40, 3, 20), Verdict.SPLIT, id="40 organizations, half of them needed"),
        pytest.param(two_tier(7, 5, 5), Verdict.INTERSECTS, id="five of seven organizations of five"),
        pytest.param(two_tier(7, 4, 5, 2), Verdict.SPLIT, id="each organization has two slices that share nobody"),
        pytest.param(two_tier(7, 4, 5) | two_tier(3, 4, 3), Verdict.INTERSECTS, id="some ask for three given ones"),
        pytest.param(self_first(16, 11), Verdict.INTERSECTS, id="each with itself first"),
        pytest.param(self_first(16, 8), Verdict.SPLIT, id="each with itself first, half of all"),
        pytest.param(linked([3, 3, 3], both_ways((0, 1), (1, 2))), Verdict.SPLIT, id="line: the ends suffice alone"),
        pytest.param(linked([2, 2, 2], both_ways((0, 1), (1, 2))), Verdict.INTERSECTS, id="line: the ends need it"),
        pytest.param(
            linked([3, 3, 3], both_ways((0, 1), (1, 2), (0, 2))), Verdict.INTERSECTS, id="ring: all need a neighbor"
        ),
        pytest.param(linked([3, 3, 3], [(0, 1), (1, 2), (2, 0)]), Verdict.SPLIT, id="one-way ring of threes"),
        pytest.param(linked([2, 2, 2], [(0, 1), (1, 2), (2, 0)]), Verdict.INTERSECTS, id="one-way ring of twos"),
    ],
)
def test_known_networks(network: Network, verdict: Verdict) -> None:
    found = check_intersection(network)
    assert found.verdict is verdict
    assert found.steps < 1_000, "these are small questions"
    if verdict is Verdict.SPLIT:
        assert_witness(network, found)


CORE = both_ways((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))


@pytest.mark.parametrize(
    ("periphery", "verdict"),
    [
        pytest.param([(0, 4), (1, 5), (2, 6), (3, 7)], Verdict.SPLIT, id="dangling: each half meets its thresholds"),
        pytest.param(
            [(0, 4), (1, 4), (1, 5), (3, 5), (2, 6), (0, 6), (3, 7), (2, 7)],
            Verdict.INTERSECTS,
            id="balanced: some outer one spans each cut of the core",
        ),
        pytest.param(
            [(0, 4), (1, 4), (0, 5), (1, 5), (2, 6), (3, 6), (2, 7), (3, 7)], Verdict.SPLIT, id="unbalanced again"
        ),
    ],
)
def test_a_core_with_a_periphery(periphery: list[tuple[int, int]], verdict: Verdict) -> None:
    """Eight organizations after stellar-core's tests: no symmetry helps, and a small change turns the answer."""
    network = linked([3, 3, 3, 3, 2, 2, 2, 2], [*CORE, *both_ways(*periphery)])
    assert check_intersection(network).verdict is verdict


def test_two_components_with_quorums_are_a_split() -> None:
    apart = {b"a": QuorumSet(1, (b"a",)), b"b": QuorumSet(2, (b"b", b"c")), b"c": QuorumSet(2, (b"b", b"c"))}
    found = check_intersection(apart)
    assert found.verdict is Verdict.SPLIT
    assert found.core == ()
    assert_witness(apart, found)


def test_the_component_with_quorums_is_searched_and_not_the_largest() -> None:
    links = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (4, 5), *both_ways((5, 6), (6, 7), (5, 7))]
    found = check_intersection(linked([1] * 8, links, percent=100))
    assert found.verdict is Verdict.INTERSECTS
    assert found.core == (b"05-0", b"06-0", b"07-0")


@pytest.mark.parametrize(
    "network",
    [
        pytest.param({}, id="nobody"),
        pytest.param({b"a": QuorumSet(2, (b"a", b"unknown"))}, id="who is needed has no known quorum set"),
        pytest.param({b"a": QuorumSet(9, (b"a",))}, id="a threshold above the entries means none"),
        pytest.param({n: linked([1] * 4, CORE)[n] for n in (*seats(0, 1), *seats(1, 1))}, id="two of four are known"),
    ],
)
def test_no_quorum_at_all_is_told_apart(network: Network) -> None:
    """A network that can decide nothing is reported as a safe one."""
    found = check_intersection(network)
    assert found.verdict is Verdict.INTERSECTS
    assert not found.has_quorum
    assert found.core == ()


def test_a_threshold_below_one_is_no_quorum_set() -> None:
    with pytest.raises(ValueError, match="threshold is 0"):
        check_intersection({b"a": QuorumSet(0, (b"a",))})


def test_without_symmetry_the_work_is_bounded() -> None:
    """A check that cannot be finished runs for ever."""
    network = acquainted(40, 3, seed=40)
    found = check_intersection(network, steps_max=2_000)
    assert found.verdict is Verdict.UNKNOWN
    assert found.has_quorum
    assert found.steps == 2_001
    assert check_intersection(network, steps_max=0).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("seed", range(6))
def test_more_work_never_changes_an_answer(seed: int) -> None:
    """The budget changes what is known, never what is true."""
    network = acquainted(10, 3, seed)
    last = check_intersection(network)
    assert last.verdict is not Verdict.UNKNOWN
    for steps in random.Random(seed).sample(range(last.steps), min(10, last.steps)):
        assert check_intersection(network, steps).verdict in (Verdict.UNKNOWN, last.verdict)


@UNHURRIED
@given(SEEDS)
def test_contraction_keeps_whether_quorums_intersect(seed: int) -> None:
    """Organizations seen as one voter hide a split, or show one that is none."""
    network = small(seed)
    ids, gates = numbered(network)
    entities = contracted(gates)
    seen = {
        among
        for among in range(1, 1 << len(entities.parts))
        if entities.gates.greatest_quorum(among, Budget(1)) == among
    }
    pairs = [(a, b) for a in seen for b in seen if not a & b & ~entities.twofold and (a != b or a & entities.twofold)]
    assert bool(pairs) is is_split(network)
    found = {sum(1 << ids.index(node) for node in quorum) for quorum in quorums(network)}
    for a, b in pairs:
        one, other = entities.nodes_of(a, b)
        assert not one & other
        assert {one, other} <= found


def test_organizations_are_contracted_level_by_level() -> None:
    """Federations of organizations are checked node by node, and never finish."""
    regions = [two_tier(4, 3) for _ in range(4)]
    named = [{node + b"@%d" % n: q for node, q in region.items()} for n, region in enumerate(regions)]
    sets = []
    for region in named:
        organizations = [tuple(node for node in region if node.startswith(b"%02d" % n)) for n in range(4)]
        sets.append(QuorumSet(3, (), tuple(QuorumSet(2, part) for part in organizations)))
    top = QuorumSet(3, (), tuple(sets))
    network = {node: top for region in named for node in region}
    _, gates = numbered(network)
    assert len(contracted(gates).parts) == 4
    assert check_intersection(network).verdict is Verdict.INTERSECTS
