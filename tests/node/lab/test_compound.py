"""Compound questions fall into the parts they name, each a question that some skill asks in these words."""

import random
import re

import pytest

from coordinator.prompts import PARTS_MAX, filled, parts_of
from node.lab.skills import LEVELS, arithmetic, calendar, comparing, facts, strings, units
from node.lab.skills.compound import Compound, compose
from tests.node.lab.checker_compound import compound
from tests.node.lab.checker_measures import calendar as solve_calendar
from tests.node.lab.checker_measures import units as solve_units
from tests.node.lab.checker_numbers import arithmetic as solve_arithmetic
from tests.node.lab.checker_numbers import comparing as solve_comparing
from tests.node.lab.checker_words import strings as solve_strings
from tests.node.lab.checker_world import world

DRAWN = 1_500
every_level = pytest.mark.parametrize("level", LEVELS)

FORMS: dict[str, tuple[tuple[str, ...], ...]] = {
    "strings": (
        *(strings.REVERSE, strings.PICK, strings.PICK_FROM_END, strings.LENGTH, strings.JOIN, strings.CAPITALS),
        *(strings.SORT, strings.NO_VOWELS),
    ),
    "calendar": (
        *(calendar.DAY_AFTER, calendar.DAY_BEFORE, calendar.MONTH_AFTER, calendar.MONTH_BEFORE),
        calendar.MONTH_LENGTH,
    ),
    "arithmetic": (arithmetic.ADD, arithmetic.SUBTRACT, arithmetic.MULTIPLY),
    "comparing": (comparing.GREATER, comparing.LARGEST, comparing.SMALLEST),
    "units": (units.TO_DECIMAL["Roman"], units.FROM_DECIMAL["Roman"]),
    "facts": tuple(relation.phrasings for relation in facts.RELATIONS.values()),
}
"""The wordings of the skills that compound questions are made of."""
SOLVERS = {
    "strings": solve_strings,
    "calendar": solve_calendar,
    "arithmetic": solve_arithmetic,
    "comparing": solve_comparing,
    "units": solve_units,
    "facts": world,
}


def drawn(level: int, count: int = DRAWN) -> list[Compound]:
    rng = random.Random(f"compound:{level}")
    return [compose(rng, level) for _ in range(count)]


def skills_asking(question: str) -> list[str]:
    """Which skills have a form that the question fills."""
    return [
        skill
        for skill, groups in FORMS.items()
        if any(re.fullmatch(_pattern(form), question, re.IGNORECASE) for group in groups for form in group)
    ]


def _pattern(form: str) -> str:
    """A form as a pattern: what is filled in may be any words."""
    pattern = re.sub(r"\\\{\w\\\}", r"[\\w, ]+", re.escape(form))
    return re.sub(r"\ba\\ ", r"an?\\ ", pattern)


def answered(task: Compound) -> list[str]:
    """The answers to the parts, each worked out from its text with the answers before it."""
    answers: list[str] = []
    for part in task.parts:
        question = filled(part, answers)
        (skill,) = skills_asking(question)
        answers.append(SOLVERS[skill](question))
    return answers


@every_level
def test_the_parts_lead_to_the_answer(level: int) -> None:
    """Members that split a question among themselves must arrive where one that answers it alone arrives."""
    for task in drawn(level):
        assert answered(task) == [*task.inner, task.answer], task


@every_level
def test_the_text_says_what_the_parts_say(level: int) -> None:
    """Else the answer would be that to another question."""
    for task in drawn(level):
        assert compound(task.text) == task.answer, task


@every_level
def test_parts_can_be_read_back(level: int) -> None:
    """A model writes the parts on one line; what cannot be taken apart again is of no use."""
    for task in drawn(level, 500):
        assert parts_of(" | ".join(task.parts)) == task.parts
        assert 2 <= len(task.parts) <= PARTS_MAX
        assert task.work == "; ".join(task.inner)


def test_three_parts_come_only_at_the_third_level() -> None:
    """The levels would mean nothing."""
    assert {len(task.parts) for level in (1, 2) for task in drawn(level)} == {2}
    assert {len(task.parts) for task in drawn(3)} == {2, 3}


def test_only_known_facts_come_up() -> None:
    """A model that was not shown a fact is not to learn it from a compound question."""
    rng = random.Random("known")
    known = [fact for fact in facts.FACTS if fact.relation in ("plural", "symbol")]
    subjects = {fact.subject for fact in known}
    asked = [part for level in LEVELS for _ in range(500) for part in compose(rng, level, known).parts]
    of_facts = [part for part in asked if skills_asking(part) == ["facts"]]
    assert of_facts
    assert all(re.fullmatch(r"What is the plural of (\w+)\?", part)[1] in subjects for part in of_facts)  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        pytest.param("What is the first letter of the capital of France?", "P", id="fact and letter"),
        pytest.param("Spell the day 3 days after Monday backwards.", "yadsruhT", id="day and letters"),
        pytest.param("Add 5 to the number of letters in banana.", "11", id="letters and sum"),
        pytest.param("How many days has the month 11 months after March in 2024?", "29", id="month and leap year"),
        pytest.param("Multiply the largest of 3, 9 and 4 by 7.", "63", id="largest and product"),
        pytest.param("Is the number of letters in the capital of Italy greater than 3?", "yes", id="three parts"),
        pytest.param("Write the sum of 12 and 9 as a Roman numeral.", "XXI", id="sum and numeral"),
    ],
)
def test_the_checker_reads(text: str, answer: str) -> None:
    """If this fails, the tests above prove nothing."""
    assert compound(text) == answer
