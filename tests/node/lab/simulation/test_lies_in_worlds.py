"""What liars do to honest members: nothing while no more lie than may, and division where too many do."""

from collections import Counter

import pytest

from node.lab.simulation.lies import MOOT_LIES, STATEMENT_LIES
from node.lab.simulation.moot.world import play_moot
from node.lab.simulation.plan import Ask, Liar, Network, Plan, World
from node.lab.simulation.slots.world import play_slots
from node.lab.simulation.streams import stream
from node.lab.simulation.watch import Watch

MEMBERS = 4


def slots(kind: str, seed: int, count: int, threshold: int = 0) -> str:
    """Play a few slots with so many liars; the invariant that breaks, if any."""
    rng = stream(seed, "lies")
    mean_ms = rng.choice((20, 200, 1_500))
    liars = tuple(Liar(node, kind) for node in sorted(rng.sample(range(MEMBERS), count)))
    plan = Plan(
        scenario="lies",
        seed=seed,
        world=World.SLOTS,
        members=MEMBERS,
        nodes=MEMBERS,
        threshold=threshold,
        slots=2,
        liars=liars,
        network=Network(delay_mean_ms=mean_ms, loss=rng.choice((0, 0.3)), replay=0.1),
        heal_ms=8_000,
        budget_ms=120_000,
    )
    violation = play_slots(plan, Watch()).violation
    return "" if violation is None else violation.invariant


def moot(kind: str, seed: int, count: int) -> str:
    rng = stream(seed, "lies")
    liars = tuple(Liar(node, kind) for node in sorted(rng.sample(range(MEMBERS), count)))
    honest = [node for node in range(MEMBERS) if node not in [liar.node for liar in liars]]
    plan = Plan(
        scenario="lies",
        seed=seed,
        world=World.MOOT,
        members=MEMBERS,
        nodes=MEMBERS,
        liars=liars,
        network=Network(loss=rng.choice((0, 0.1)), replay=0.1),
        asks=(*(Ask(2_000, node) for node in honest[:2]), Ask(5_000, honest[-1])),
        heal_ms=9_000,
        budget_ms=60_000,
    )
    violation = play_moot(plan, Watch()).violation
    return "" if violation is None else violation.invariant


@pytest.mark.parametrize("kind", STATEMENT_LIES)
def test_a_tolerated_liar_divides_no_slots(kind: str) -> None:
    assert Counter(slots(kind, seed, 1) for seed in range(6)) == {"": 6}


@pytest.mark.parametrize("kind", MOOT_LIES)
def test_a_tolerated_liar_divides_no_moot(kind: str) -> None:
    assert moot(kind, 1, 1) == ""


@pytest.mark.parametrize("kind", ["mirror", "mixed-mirror", "commit-chaser", "equivocator"])
def test_two_liars_of_four_divide_slots(kind: str) -> None:
    """A simulation in which too many liars do no harm would not see a fault in the code either."""
    assert Counter(slots(kind, seed, 2) for seed in range(40))["agreement"] >= 2


@pytest.mark.parametrize("kind", ["mirror", "equivocator"])
def test_one_liar_divides_slots_whose_quorums_need_not_meet(kind: str) -> None:
    assert Counter(slots(kind, seed, 1, threshold=2) for seed in range(40))["agreement"] >= 2


def test_two_liars_of_four_divide_a_moot() -> None:
    assert Counter(moot("equivocator", seed, 2) for seed in range(10))["agreement"] >= 2
