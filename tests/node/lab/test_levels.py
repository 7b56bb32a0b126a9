"""Each level of the skills with numbers is as hard as it claims, and shares no question with another."""

import itertools
import random
import re
from collections.abc import Callable

import pytest

from node.lab.skills import LEVELS, SKILLS, Task

DRAWN = 3_000
MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"


def drawn(skill: str, level: int) -> list[Task]:
    rng = random.Random(f"levels:{skill}:{level}")
    return [SKILLS[skill](rng, level) for _ in range(DRAWN)]


def asked(task: Task) -> list[float]:
    """The numbers of a question's text; not years, not bases."""
    text = re.sub(rf"{MONTH} \d{{4}}|base \d+", "", task.text)
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d)?", text.replace(" - ", " "))]


def arithmetic(task: Task) -> int:
    """By the lengths of the numbers: a product of two digits by one is as hard as a sum of three."""
    a, b, *more = sorted(map(int, asked(task)), reverse=True)
    if more or "rest" in task.answer or a > 999:
        return 3
    if re.search(r"\*|times|Multiply|product|bags", task.text):
        return 1 if a <= 12 else 2 if b < 10 else 3
    return 1 if a < 100 else 2


def comparing(task: Task) -> int:
    """By how many numbers there are, whether they are whole and positive, and what is asked of them."""
    numbers = asked(task)
    if len(numbers) > 4 or min(numbers) < 0 or "." in re.sub(r"\.$", "", task.text):
        return 3
    return 2 if len(numbers) == 4 or re.search(r"second|Sort|Put|Order", task.text) else 1


def calendar(task: Task) -> int:
    """By how far to count; clocks, dates and leap years are never easy; hours with minutes and two months are hard."""
    numbers = asked(task)
    dated = set(re.findall(rf"\d ({MONTH})", task.text))
    if "hours" in task.text or len(dated) == 2:
        return 3
    if dated or re.search(r"\d:\d|February \d{4}", task.text):
        return 2
    if not numbers:
        return 1
    (count,) = numbers
    if "months" in task.text:
        return 1 if count <= 6 else 2
    return 1 if count <= 13 else 2 if count < 60 else 3


def units(task: Task) -> int:
    """By the number in the larger unit, or the number written in another way; mixed units and base 16 are hard."""
    numbers = [int(n) for n in asked(task)]
    if len(numbers) > 1 or re.search(r"hexadecimal|base 16", task.text):
        return 3
    smallest = min([*numbers, *map(int, re.findall(r"^\d+$", task.answer))])
    if "Roman" in task.text:
        return 1 if smallest <= 20 else 2 if smallest <= 100 else 3
    if re.search(r"binary|base 2", task.text):
        return 1 if smallest <= 15 else 2 if smallest <= 63 else 3
    return 1 if smallest <= 12 else 2


LEVEL_OF: dict[str, Callable[[Task], int]] = {
    "arithmetic": arithmetic,
    "comparing": comparing,
    "calendar": calendar,
    "units": units,
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("skill", LEVEL_OF)
def test_a_level_is_as_hard_as_it_claims(skill: str, level: int) -> None:
    """One easy question among the hard ones would make a model look better at them than it is."""
    for task in drawn(skill, level):
        assert LEVEL_OF[skill](task) == level, task


@pytest.mark.parametrize("skill", LEVEL_OF)
def test_no_question_is_of_two_levels(skill: str) -> None:
    """Accuracy is told by level; a question that is of two would blur both."""
    texts = [{task.text for task in drawn(skill, level)} for level in LEVELS]
    assert not any(one & other for one, other in itertools.combinations(texts, 2))
