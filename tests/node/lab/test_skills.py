"""The made-up questions are well formed, and their answers are right."""

import random

import pytest

from node.lab.skills import SKILLS, facts
from tests.node.lab.checkers import expected, well_formed

DRAWN = 3_000


@pytest.mark.parametrize("skill", SKILLS)
def test_answers_are_right(skill: str) -> None:
    """A wrong answer would be taught to the models and then counted as correct."""
    rng = random.Random(f"answers:{skill}")
    for _ in range(DRAWN):
        task = SKILLS[skill](rng)
        assert task.skill == skill
        assert task.answer == expected(task), task
        assert not well_formed(task), (task, well_formed(task))


@pytest.mark.parametrize("skill", SKILLS)
def test_one_seed_makes_one_list_of_questions(skill: str) -> None:
    """Measurements are compared across machines, so questions must not depend on hashing or on global randomness."""
    first, second = ([SKILLS[skill](rng) for _ in range(200)] for rng in (random.Random(5), random.Random(5)))
    assert first == second


@pytest.mark.parametrize("skill", SKILLS)
def test_every_kind_of_form_comes_up_and_texts_fit_a_model(skill: str) -> None:
    """A question longer than half the context length would leave no room for an answer."""
    rng = random.Random(f"forms:{skill}")
    tasks = [SKILLS[skill](rng) for _ in range(DRAWN)]
    assert max(len(task.text) + sum(len(option) + 3 for option in task.options) for task in tasks) < 200
    assert max(len(task.work) + len(task.answer) for task in tasks) <= 40
    assert len({task.kind for task in tasks}) >= 2 or skill in ("arithmetic", "calendar", "units")


def test_choices_favour_no_place() -> None:
    """If the answer stood first more often than not, a model could learn the place and not the question."""
    rng = random.Random("places")
    places = [0, 0, 0]
    for _ in range(6_000):
        task = SKILLS["logic"](rng)
        if len(task.options) == 3:
            places[task.options.index(task.answer)] += 1
    share = sum(places) / 3
    assert all(abs(count - share) < 0.15 * share for count in places), places


def test_every_fact_has_phrasings_enough_for_the_split() -> None:
    """With one phrasing a held-out fact could not be known by anybody; with four it is known from the others."""
    assert all(len(set(relation.phrasings)) >= 4 for relation in facts.RELATIONS.values())
    assert len(set(facts.FACTS)) == len(facts.FACTS) > 150
