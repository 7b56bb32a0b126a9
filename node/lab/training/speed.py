"""How fast models answer beside each other, on the machine at hand."""

from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from node.lab.skills import LEVELS, SKILLS
from node.lab.training.answering import LANES, answers
from node.lab.training.measuring import questions
from node.lab.training.tokens import prompt

PER_LEVEL = 8  # questions of each skill and level
TURNS = 3


def speeds(models: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """Per model, as JSON holds it: questions, how many at once, and the seconds of its fastest turn on one thread.

    The models take turns, so that a machine that grows slower meanwhile does so for all of them; loading counts.
    """
    asked = [prompt(task) for skill in SKILLS for level in LEVELS for task in questions(skill, level)[:PER_LEVEL]]
    taken: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(TURNS):
        for name, path in models.items():
            began = perf_counter()
            answers(path, asked)
            taken[name].append(perf_counter() - began)
    return {
        name: {"questions": len(asked), "at_once": LANES, "seconds": round(min(seconds), 3)}
        for name, seconds in taken.items()
    }
