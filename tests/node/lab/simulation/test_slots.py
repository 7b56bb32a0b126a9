"""Federated voting alone under faults and liars: agreement always, true histories, and decisions once all is well."""

import pytest

from node.lab.simulation.plan import Plan
from node.lab.simulation.shapes import SHAPES
from node.lab.simulation.slots_world import play_slots
from node.lab.simulation.watch import Watch
from tests.node.lab.simulation.slot_plans import rough


def broken(plan: Plan) -> str | None:
    """The invariant that breaks, or None."""
    violation = play_slots(plan, Watch()).violation
    return violation.invariant if violation is not None else None


@pytest.mark.parametrize("members", [4, 5, 7])
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_breaks_and_all_is_decided(shape: str, members: int) -> None:
    """Two honest members decide differently, one takes back what it said, or one never decides."""
    for seed in range(8):
        violation = play_slots(rough(seed, members, shape=shape), Watch()).violation
        assert violation is None, f"rough({seed}, {members}, shape={shape!r}): {violation}"
