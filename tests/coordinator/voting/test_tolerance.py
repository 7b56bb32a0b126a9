"""How many may lie and how many may crash: by the definition on small networks, and by formula on symmetric ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.voting import Critical, QuorumSet, Tolerated, critical_groups, tolerated_crashes, tolerated_lies
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
    subsets,
    two_tier,
)
from tests.coordinator.voting.world import UNHURRIED

SEEDS = st.integers(0, 2**32)


@UNHURRIED
@given(SEEDS)
def test_lies_against_the_definition(seed: int) -> None:
    """People are told that more of their peers may lie than may."""
    network = small(seed)
    found = tolerated_lies(network)
    parts = cores(network)
    if len(parts) != 1:
        assert found == (Tolerated(-1, (), exact=True) if parts else Tolerated(0, None, exact=True))
        return
    core = {node: network[node] for node in parts[0]}
    breaking = [liars for liars in subsets(core) if is_split(core, liars)]
    if not breaking:
        assert found == Tolerated(len(core), None, exact=True)
        return
    assert found.exact
    assert found.breaking is not None
    assert frozenset(found.breaking) in breaking
    assert found.count + 1 == len(found.breaking) == min(map(len, breaking))


@UNHURRIED
@given(SEEDS)
def test_crashes_against_the_definition(seed: int) -> None:
    """People are told that the network runs on when it stops."""
    network = small(seed)
    found = tolerated_crashes(network)
    stopping = [down for down in subsets(network) if all(quorum & down for quorum in quorums(network))]
    assert found.exact
    assert found.breaking is not None
    assert frozenset(found.breaking) in stopping
    assert found.count + 1 == len(found.breaking) == min(map(len, stopping))


@UNHURRIED
@given(SEEDS)
def test_critical_nodes_against_the_definition(seed: int) -> None:
    network = small(seed)
    parts = cores(network)
    if len(parts) != 1:
        return
    core = {node: network[node] for node in parts[0]}
    found = critical_groups(network, {repr(node): [node] for node in network})
    expected = {repr(node) for node in network if is_split(core, frozenset({node}) & parts[0])}
    assert found == Critical(tuple(sorted(expected)), ())


@pytest.mark.parametrize("size", [4, 7, 10, 40, 100])
@pytest.mark.parametrize("style", [lambda n, t: two_tier(n, 1, t), self_first])
def test_equals(size: int, style: object) -> None:
    """Of n equals with t needed, 2t - n - 1 may lie and n - t may crash."""
    threshold = 2 * size // 3 + 1
    network = style(size, threshold)  # type: ignore[operator]
    assert tolerated_lies(network).count == 2 * threshold - size - 1
    assert tolerated_crashes(network).count == size - threshold


@pytest.mark.parametrize(
    ("network", "lies", "crashes"),
    [
        pytest.param(two_tier(7, 3, 5), 2, 5, id="5 of 7, 2 of 3: one liar in each of 3; two down in each of 3"),
        pytest.param(two_tier(7, 5, 5), 2, 8, id="5 of 7, 3 of 5"),
        pytest.param(two_tier(7, 4, 5), 5, 5, id="5 of 7, 3 of 4: two liars in each of 3; two down in each of 3"),
        pytest.param(two_tier(40, 3), 13, 27, id="27 of 40, 2 of 3"),
        pytest.param(two_tier(4, 1, 4), 4, 0, id="all needed: nobody can be divided, and nobody may be missing"),
    ],
)
def test_organizations(network: Network, lies: int, crashes: int) -> None:
    assert tolerated_lies(network).count == lies
    assert tolerated_crashes(network).count == crashes


def bridge() -> Network:
    """Two groups of three with one organization between them, as in stellar-core's test of critical groups."""
    links = both_ways((0, 1), (1, 2), (4, 5), (4, 6), (5, 6), (0, 3), (1, 3), (2, 3), (4, 3), (6, 3))
    return linked([1] * 7, links)


def test_a_bridge_is_critical() -> None:
    """The organizations on which safety hangs are not named.

    The bridge is 3. In stellar-core it is the only critical one, as there a faulty node is one that asks for too
    little; here it may lie, and then those of the second group that touch the bridge can also tell it another story.
    """
    groups = {f"organization {n}": seats(n, 1) for n in range(7)}
    assert critical_groups(bridge(), groups) == Critical(("organization 3", "organization 4", "organization 6"), ())
    assert [n for n in range(7) if is_split(bridge(), frozenset(seats(n, 1)))] == [3, 4, 6], "by the definition too"
    assert tolerated_lies(bridge()).count == 0


def test_an_organization_may_be_critical_where_no_node_is() -> None:
    """Only nodes are looked at, while whoever runs three of them can split the network."""
    network = two_tier(5, 5, 3, 4)
    assert critical_groups(network, {repr(node): [node] for node in network}).groups == ()
    organizations = {str(n): seats(n, 5) for n in range(5)}
    assert critical_groups(network, organizations).groups == ("0", "1", "2", "3", "4")
    assert critical_groups(two_tier(4, 3, 3), {str(n): seats(n, 3) for n in range(4)}).groups == ()


def test_groups_outside_of_the_core_break_nothing() -> None:
    """Somebody who only looks on is held critical."""
    network = two_tier(4, 1, 3) | {b"onlooker": QuorumSet(1, seats(0, 1))}
    assert critical_groups(network, {"onlooker": [b"onlooker"], "nobody": []}) == Critical((), ())
    assert tolerated_lies(network).count == 1


def test_already_broken() -> None:
    split = two_tier(4, 1, 2)
    assert tolerated_lies(split) == Tolerated(-1, (), exact=True)
    assert critical_groups(split, {"nobody": []}).groups == ("nobody",)
    halted = {b"a": QuorumSet(2, (b"a", b"unknown"))}
    assert tolerated_crashes(halted) == Tolerated(-1, (), exact=True)
    assert tolerated_lies(halted) == Tolerated(0, None, exact=True)


def test_out_of_steps_is_a_lower_bound_and_says_so() -> None:
    """A guess is taken for an answer."""
    network = acquainted(20, 3, seed=20)
    for tolerated in (tolerated_lies, tolerated_crashes):
        known = -1
        for steps in (0, 10, 100, 1_000):
            found = tolerated(network, steps)
            assert not found.exact
            assert found.breaking is None
            assert found.count >= known
            known = found.count
        assert known >= 0
    partly = critical_groups(network, {repr(node): [node] for node in network}, 4_000)
    assert partly.unchecked
    assert partly.groups == ()
