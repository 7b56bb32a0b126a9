"""Seven skills as endless supplies of plain questions with known answers: for training, for measuring, for the demo."""

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

from node.lab.skills import arithmetic, calendar, comparing, facts, logic, strings, units
from node.lab.skills.task import Kind, Task, held_out

__all__ = ["SKILLS", "Kind", "Task", "held_out", "sample"]

SKILLS: Mapping[str, Callable[[random.Random], Task]] = MappingProxyType(
    {
        "arithmetic": arithmetic.ask,
        "comparing": comparing.ask,
        "strings": strings.ask,
        "calendar": calendar.ask,
        "units": units.ask,
        "logic": logic.ask,
        "facts": facts.ask,
    }
)

_held_out = held_out  # `sample` takes an argument of that name


def sample(skill: str, rng: random.Random, held_out: bool) -> Task:
    """Draw a question from one side of the split; one in ten is held out, so ten draws suffice on average."""
    while True:
        task = SKILLS[skill](rng)
        if _held_out(task.text) is held_out:
            return task
