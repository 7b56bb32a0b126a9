"""The facts are those of a second table, and whoever knows only some is asked only about these."""

import random
import re

import pytest

from node.lab.skills import LEVELS, facts
from node.lab.skills.task import Task
from tests.node.lab.checker_world import TABLES, pairs

OTHER_NAMES = {"shape": "sides", "female": "counterpart"}  # of relations, in the second table
ABOUT_COUNTRIES = ("capital", "continent", "language", "currency")
COUNTRIES = {subject for relation, subject, _ in pairs() if relation in ABOUT_COUNTRIES}
KNOWN = [
    fact for fact in facts.FACTS if fact.relation in ABOUT_COUNTRIES and sum(map(ord, fact.subject)) % 3 > 0
]  # of two countries in three


def countries_in(task: Task) -> set[str]:
    """The countries that must be known: named, or described by their capitals, or to be told from each other."""
    found = {name for name in COUNTRIES if re.search(rf"\b{name}\b(?! City)", task.text)}
    for capital in re.findall(r"whose capital is ([A-Z]\w+(?: [A-Z]\w+)?)", task.text):
        found.update(TABLES["capital"][capital])
    if "of these" in task.text:
        found.update(task.options)
    return found | ({task.answer} & COUNTRIES)


def test_both_tables_hold_the_same_facts() -> None:
    """A slip of the pen in one of them would be taught as a fact."""
    asked = {(OTHER_NAMES.get(fact.relation, fact.relation), fact.subject, fact.object) for fact in facts.FACTS}
    assert asked == set(pairs())
    assert len(facts.FACTS) > 300


@pytest.mark.parametrize("level", LEVELS)
def test_only_known_facts_are_asked_for(level: int) -> None:
    """Models are to know different things; what a model was never shown must come from others."""
    rng = random.Random(f"known:{level}")
    known = {fact.subject for fact in KNOWN}
    assert known < COUNTRIES
    for _ in range(2_000):
        task = facts.ask(rng, level, KNOWN)
        assert countries_in(task) and countries_in(task) <= known, task


@pytest.mark.parametrize("level", LEVELS)
def test_who_knows_one_fact_is_asked_about_it(level: int) -> None:
    """Forms that need several facts must not be looked for in vain for ever."""
    rng = random.Random(f"one:{level}")
    (only,) = (fact for fact in facts.FACTS if (fact.relation, fact.subject) == ("capital", "France"))
    for _ in range(200):
        task = facts.ask(rng, level, [only])
        assert task.level == level
        assert {"France", "Paris"} & {task.answer, *re.findall(r"\w+", task.text)}, task
