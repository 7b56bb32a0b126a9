"""Skills as endless supplies of plain questions with known answers: for training, for measuring, for the demo."""

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

from node.lab.skills import arithmetic, calendar, comparing, compound, facts, logic, strings, units
from node.lab.skills.task import LEVELS, Kind, Task, held_out

__all__ = ["LEVELS", "SKILLS", "Kind", "Task", "held_out", "sample"]

SKILLS: Mapping[str, Callable[[random.Random, int], Task]] = MappingProxyType(
    {
        "arithmetic": arithmetic.ask,
        "comparing": comparing.ask,
        "strings": strings.ask,
        "calendar": calendar.ask,
        "units": units.ask,
        "logic": logic.ask,
        "facts": facts.ask,
        "compound": compound.ask,
    }
)

_LEVEL_WEIGHTS = (3, 4, 3)
_held_out = held_out  # `sample` takes an argument of that name


def sample(skill: str, rng: random.Random, held_out: bool, level: int | None = None) -> Task:
    """Draw a question from one side of the split, of any level unless one is given.

    One question in ten is held out, so ten draws suffice on average.
    """
    if level is None:
        (level,) = rng.choices(LEVELS, _LEVEL_WEIGHTS)
    while True:
        task = SKILLS[skill](rng, level)
        if _held_out(task) is held_out:
            return task
