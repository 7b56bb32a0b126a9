"""Whole moots under faults and liars, from fixed seeds: every invariant holds, also where it once did not.

More of them: `moot simulate everything --seeds 10000`.
"""

import pytest

from node.lab.simulation.play import play
from node.lab.simulation.scenarios import SCENARIOS

SEEDS = 12
OFTEN = {"slots": 15, "everything": 20}

FAILED: list[tuple[str, int, str]] = []
"""Scenario, seed, and what it found when it failed."""


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_breaks(scenario: str) -> None:
    """If this fails: moot simulate SCENARIO --seed N tells more, and makes it small."""
    for seed in range(1, OFTEN.get(scenario, SEEDS) + 1):
        outcome = play(SCENARIOS[scenario].draw(seed))
        assert outcome.violation is None, f"moot simulate {scenario} --seed {seed}: {outcome.violation}"
        assert outcome.slots > 0 or not outcome.plan.asks, seed
