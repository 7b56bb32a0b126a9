"""Quorum sets of every shape are sane and safe against as many liars as they are made for."""

from dataclasses import replace
from itertools import combinations

import pytest

from coordinator.voting import QuorumSet
from node.lab.simulation.plan import Liar, Plan, World
from node.lab.simulation.slots.shapes import (
    ASYMMETRIC_MAX,
    SHAPES,
    can_decide,
    is_safe,
    liars_max,
    quorum_sets,
    watching_set,
)


def ids(count: int) -> list[bytes]:
    return [b"n%02d" % n for n in range(count)]


def plan(shape: str, members: int, seed: int = 1, **more: object) -> Plan:
    drawn = Plan(scenario="test", seed=seed, world=World.SLOTS, members=members, nodes=members, shape=shape)
    return replace(drawn, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("members", [4, 5, 6, 7, 9])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "asymmetric"])
def test_whoever_lies(shape: str, members: int) -> None:
    """Runs within the bound split, and a campaign reports a bug that is none."""
    nodes = ids(members)
    sets = quorum_sets(plan(shape, members), nodes)
    assert sorted(sets) == nodes and all(one.problem() is None for one in sets.values())
    for liars in combinations(nodes, liars_max(shape, members)):
        assert is_safe(sets, frozenset(liars)), liars


@pytest.mark.parametrize("members", [4, 7, ASYMMETRIC_MAX])
@pytest.mark.parametrize("seed", range(6))
def test_asymmetric_sets_suit_their_liars(members: int, seed: int) -> None:
    nodes = ids(members)
    liars = tuple(Liar(n, "mirror") for n in range(liars_max("asymmetric", members)))
    sets = quorum_sets(plan("asymmetric", members, seed, liars=liars), nodes)
    assert is_safe(sets, frozenset(nodes[: len(liars)]))
    assert len(set(sets.values())) > 1


@pytest.mark.parametrize(
    ("threshold", "liars", "safe"),
    [(3, 1, True), (3, 2, False), (2, 0, False), (4, 0, True), (4, 1, False)],
)
def test_safety_of_four(threshold: int, liars: int, safe: bool) -> None:
    """Known by heart: three of four bear one liar, two of four split, four of four stop at the first."""
    nodes = ids(4)
    sets = quorum_sets(plan("same", 4, threshold=threshold), nodes)
    assert is_safe(sets, frozenset(nodes[:liars])) is safe


def test_a_watcher_does_not_wait_for_itself() -> None:
    """It would never learn what was decided."""
    nodes = ids(4)
    flat, own = (quorum_sets(plan(shape, 4), nodes) for shape in ("same", "own"))
    assert watching_set(flat[nodes[0]], nodes[0]) == flat[nodes[0]]
    assert watching_set(own[nodes[0]], nodes[0]) == QuorumSet(2, tuple(nodes[1:]))
    assert can_decide(flat, nodes[1:], flat[nodes[0]])
    assert not can_decide(flat, nodes[2:], flat[nodes[0]])


def test_what_cannot_be_is_refused() -> None:
    for impossible in (plan("round", 4), plan("organizations", 3), plan("asymmetric", ASYMMETRIC_MAX + 1)):
        with pytest.raises(ValueError, match=r"shape|organizations|asymmetric"):
            quorum_sets(impossible, ids(impossible.members))


def test_more_nodes_than_members() -> None:
    sets = quorum_sets(plan("same", 4, nodes=6), ids(6))
    assert sets[b"n05"] == sets[b"n00"]
