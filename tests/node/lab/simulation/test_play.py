"""A plan is played in its world, and what a core fails with becomes a violation with its place."""

import pytest

from node.lab.simulation.outcome import Violated
from node.lab.simulation.play import play
from node.lab.simulation.scenarios import SCENARIOS
from node.lab.simulation.slots import member as slots_member
from node.lab.simulation.slots import world as slots_world
from node.lab.simulation.timeline import Timeline
from node.lab.simulation.watch import Watch

PLAN = SCENARIOS["slots"].draw(3)


def test_a_plan_is_played_in_its_world() -> None:
    assert play(PLAN).violation is None
    assert play(SCENARIOS["healthy"].draw(3)).violation is None


def test_what_a_core_fails_with_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(self: object, statement: object) -> None:
        raise ZeroDivisionError("counted nobody")

    monkeypatch.setattr(slots_member.SlotsMember, "hear", explode)
    violation = play(PLAN).violation
    assert violation is not None
    assert violation.invariant == "crash"
    lines = violation.detail.splitlines()
    assert lines[0] == "ZeroDivisionError in tests/node/lab/simulation/test_play.py:explode"
    assert lines[-1] == "counted nobody"
    assert any("slots/world.py" in line for line in lines)
    assert violation.at_ms > 0 and violation.event > 0, "it must say when"


def test_a_violation_that_a_world_lets_out_keeps_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(plan: object, watch: Watch) -> None:
        timeline = Timeline()

        def act() -> None:
            raise Violated("agreement", "two and three")

        timeline.at(40, act)
        timeline.run(100)

    monkeypatch.setattr(slots_world, "play_slots", broken)
    violation = play(PLAN).violation
    assert violation is not None
    assert (violation.invariant, violation.detail, violation.at_ms, violation.event) == (
        "agreement", "two and three", 40, 1
    )  # fmt: skip
