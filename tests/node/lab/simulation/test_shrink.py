"""A failing plan gets as small as it can, and never turns into one that fails for another reason."""

from dataclasses import replace

import pytest

from node.lab.simulation import smaller
from node.lab.simulation.faults import Crash, Cut
from node.lab.simulation.limits import is_tolerable, problems
from node.lab.simulation.outcome import Outcome, Violation
from node.lab.simulation.plan import Liar, Network, Plan, Seat, World
from node.lab.simulation.scenarios import SCENARIOS
from node.lab.simulation.shrink import shrink
from tests.node.lab.simulation.fake_world import CALM, ROUGH, needs_two_faults_and_loss, outcome


def violation(invariant: str = "agreement", detail: str = "") -> Violation:
    return Violation(invariant=invariant, detail=detail, at_ms=0, event=0)


def test_what_is_left_is_what_it_takes() -> None:
    shrunk = shrink(ROUGH, violation(), needs_two_faults_and_loss)
    plan = shrunk.plan
    assert shrunk.complete
    assert [type(fault) for fault in plan.faults] == [Crash, Cut]
    assert plan.liars == ()
    assert len(plan.asks) == 1
    assert plan.network == Network(loss=0.4)
    assert plan.members == 3
    assert plan.heal_ms < 1_000
    assert needs_two_faults_and_loss(plan).violation is not None
    assert problems(plan) == []
    lines = shrunk.lines()
    assert "31 -> 2 faults" in lines
    assert "8 -> 1 questions" in lines


def test_it_stops_when_its_plays_are_used_up() -> None:
    plays = 0

    def counted(plan: Plan) -> Outcome:
        nonlocal plays
        plays += 1
        return needs_two_faults_and_loss(plan)

    shrunk = shrink(ROUGH, violation(), counted, plays_max=10)
    assert not shrunk.complete
    assert shrunk.plays == plays == 10
    assert needs_two_faults_and_loss(shrunk.plan).violation is not None


def test_ctrl_c_keeps_what_was_found() -> None:
    plays = 0

    def interrupted(plan: Plan) -> Outcome:
        nonlocal plays
        plays += 1
        if plays == 20:
            raise KeyboardInterrupt
        return needs_two_faults_and_loss(plan)

    shrunk = shrink(ROUGH, violation(), interrupted)
    assert not shrunk.complete
    assert len(shrunk.plan.faults) < len(ROUGH.faults)


def test_another_invariant_is_another_failure() -> None:
    """Else it would end with the plan of a fault that nobody looked for."""

    def breaks_otherwise(plan: Plan) -> Outcome:
        return outcome(plan, broken="agreement" if len(plan.faults) > 5 else "undecided")

    assert len(shrink(ROUGH, violation(), breaks_otherwise).plan.faults) == 6


@pytest.mark.parametrize(("where", "left"), [("ValueError in a.py:f", 0), ("KeyError in b.py:g", 6)])
def test_a_crash_elsewhere_is_another_failure(where: str, left: int) -> None:
    def crashes(plan: Plan) -> Outcome:
        place = "KeyError in b.py:g" if len(plan.faults) > 5 else where
        return replace(outcome(plan, broken="crash"), violation=violation("crash", f"{place}\nline {plan.heal_ms}"))

    before = violation("crash", "KeyError in b.py:g\nline 5")
    shrunk = shrink(ROUGH, before, crashes)
    assert len(shrunk.plan.faults) == (0 if where.startswith("KeyError") else left or 6)


def test_liars_never_become_too_many() -> None:
    """With one liar of three members nothing is promised: such a plan would blame the protocol without a reason."""
    plan = replace(CALM, liars=(Liar(1, "mirror"), Liar(2, "silent")))
    shrunk = shrink(plan, violation(), lambda p: outcome(p, broken="agreement" if p.liars else ""))
    assert (shrunk.plan.members, len(shrunk.plan.liars)) == (4, 1)
    assert is_tolerable(shrunk.plan)


def test_a_run_that_must_go_wrong_may_shrink_to_any_size() -> None:
    plan = replace(CALM, threshold=2, liars=(Liar(1, "mirror"), Liar(2, "silent"), Liar(3, "silent")))
    shrunk = shrink(plan, violation(), lambda p: outcome(p, broken="agreement" if len(p.liars) > 1 else ""))
    assert (shrunk.plan.members, len(shrunk.plan.liars)) == (2, 2)


def test_slots_get_fewer() -> None:
    plan = replace(SCENARIOS["slots"].draw(5), slots=77)
    shrunk = shrink(plan, violation(), lambda p: outcome(p, broken="agreement" if p.slots >= 23 else ""))
    assert shrunk.plan.slots == 23


def test_a_member_that_goes_takes_what_is_its_own() -> None:
    plan = replace(
        CALM, nodes=8, seats=(Seat(500, 2, joins=7, leaves=1),), faults=(Cut(5, 5, (1, 6)), Crash(9, 6, 0, 9))
    )
    assert shrink(plan, violation(), lambda p: outcome(p, broken="agreement" if p.seats else "")).plan.seats == (
        Seat(0, 1, joins=2, leaves=0),
    )
    fewer = next(smaller.fewer_members(plan))
    assert (fewer.members, fewer.nodes, fewer.faults) == (6, 7, (Cut(5, 5, (1,)),))
    assert fewer.seats == (Seat(500, 2, joins=6, leaves=1),)


@pytest.mark.parametrize("name", ["everything", "slots", "churn", "upgrade-of-roster"])
def test_every_step_from_a_real_plan_can_be_played(name: str) -> None:
    """Whatever is proposed keeps to the form of plans: a step must not crash what plays it."""
    for seed in range(30):
        plan = SCENARIOS[name].draw(seed)
        for way in smaller.WAYS:
            for step in way(plan):
                assert step.world is plan.world
                assert all(0 <= liar.node < step.nodes for liar in step.liars)
                assert [found for found in problems(step) if "there are nodes" in found] == []
    assert plan.world in (World.MOOT, World.SLOTS)
