"""What scenarios draw: sane plans, the same ones for ever, that differ from seed to seed."""

from collections import Counter
from dataclasses import replace

import pytest

from node.lab.simulation import draws
from node.lab.simulation.faults import FAULTS, Crash, Disk
from node.lab.simulation.lies import MOOT_LIES, STATEMENT_LIES
from node.lab.simulation.limits import faulty, is_tolerable, problems
from node.lab.simulation.plan import Plan, World
from node.lab.simulation.scenarios import SCENARIOS

SEEDS = range(200)
NAMES = sorted(SCENARIOS)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_drawn_keeps_to_the_limits(name: str) -> None:
    """A plan with too many liars, or with a fault after all was to be well, would report a violation that is none."""
    for seed in SEEDS:
        plan = SCENARIOS[name].draw(seed)
        assert problems(plan) == [], seed
        assert is_tolerable(plan), seed
        assert plan.budget_ms > 0 and plan.scenario == name and plan.seed == seed
        assert Plan.from_json(plan.to_json()) == plan, seed


@pytest.mark.parametrize("name", NAMES)
def test_seeds_differ_and_stay_what_they_are(name: str) -> None:
    plans = [SCENARIOS[name].draw(seed) for seed in SEEDS]
    assert plans == [SCENARIOS[name].draw(seed) for seed in SEEDS]
    assert len(set(plans)) == len(plans)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("nodes", [1, 2, 4, 10, 40, 100])
def test_a_number_of_members_can_be_asked_for(name: str, nodes: int) -> None:
    for seed in range(20):
        plan = SCENARIOS[name].draw(seed, nodes)
        assert plan.members == nodes
        assert problems(plan) == [] and is_tolerable(plan)


def test_everything_has_each_part_in_about_half_of_its_runs() -> None:
    """A part that is always there hides what shows only without it."""
    plans = [SCENARIOS["everything"].draw(seed) for seed in SEEDS]
    large = [plan for plan in plans if plan.members >= 4]
    shares = {kind.__name__: sum(any(isinstance(f, kind) for f in p.faults) for p in plans) for kind in FAULTS}
    shares["seats"] = sum(plan.nodes > plan.members or bool(plan.seats) for plan in plans)
    shares["clocks"] = sum(bool(plan.clocks.drift_ppm_max) for plan in plans)
    assert {name: count for name, count in shares.items() if not 70 <= count <= 130} == {}
    assert 0.35 * len(large) <= sum(bool(plan.liars) for plan in large) <= 0.65 * len(large)
    quarter = {name: sum(bool(getattr(plan.network, name)) for plan in plans) for name in ("loss", "duplication")}
    assert {name: count for name, count in quarter.items() if not 30 <= count <= 70} == {}


def test_every_kind_of_lie_disk_shape_and_size_is_drawn() -> None:
    plans = [SCENARIOS[name].draw(seed) for name in NAMES for seed in range(400)]
    kinds = Counter(liar.kind for plan in plans for liar in plan.liars)
    assert set(MOOT_LIES) | set(STATEMENT_LIES) == set(kinds)
    disks = {f.disk for plan in plans for f in plan.faults if isinstance(f, Crash) and plan.world is World.MOOT}
    assert disks == set(Disk)
    assert {plan.shape for plan in plans} == {"same", "own", "organizations", "asymmetric", "tiers"}
    assert {plan.members for plan in plans} == set(draws.SIZES)


def test_members_come_go_and_take_each_others_place() -> None:
    """In whatever order that is decided, as many as are faulty must be tolerated."""
    plans = [SCENARIOS["upgrade-of-roster"].draw(seed) for seed in SEEDS]
    seats = [seat for plan in plans for seat in plan.seats]
    assert {(seat.joins >= 0, seat.leaves >= 0) for seat in seats} == {(True, False), (False, True), (True, True)}
    for plan in plans:
        comes, goes = [seat.joins for seat in plan.seats], [seat.leaves for seat in plan.seats]
        assert all(plan.members <= node < plan.nodes for node in comes if node != -1)
        assert len(set(comes) - {-1}) == sum(node != -1 for node in comes)
        assert not {seat.by for seat in plan.seats} & set(goes), "who proposes stays"
        fewest = plan.members - sum(seat.joins == -1 for seat in plan.seats)
        assert draws.tolerated(fewest) >= len(faulty(plan))


def test_a_part_has_a_stream_of_its_own() -> None:
    """Else a new draw in one part would change all plans, and no seed of today would mean anything tomorrow."""
    ground = draws.Ground("x", 5, World.MOOT, 7, 60_000)
    crashes, cuts = draws.crashes(ground), draws.cuts(ground)
    draws.clogs(ground)
    assert draws.cuts(ground) == cuts
    assert draws.crashes(ground) == crashes


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param({"members": 9}, "members = 9", id="more members than nodes"),
        pytest.param({"heal_ms": 10}, "not over", id="faults after all is well"),
        pytest.param({"shape": "round"}, "shape = round", id="no such shape"),
        pytest.param({"threshold": 12}, "threshold = 12", id="a quorum of more than there are"),
    ],
)
def test_a_plan_that_cannot_be_played_is_told_apart(change: dict[str, object], problem: str) -> None:
    plan = next(
        plan for plan in map(SCENARIOS["churn"].draw, SEEDS) if plan.faults and plan.members < 9 and len(plan.asks) > 1
    )
    spoiled = replace(plan, **change)  # type: ignore[arg-type]
    assert any(problem in found for found in problems(spoiled)), problems(spoiled)


def test_who_may_contradict_itself_is_counted() -> None:
    plan = next(p for p in map(SCENARIOS["everything"].draw, range(10_000)) if len(faulty(p)) > len(p.liars) > 0)
    assert len(faulty(plan)) <= draws.tolerated(plan.members)
