"""No question that measures a model can have been in its training."""

import itertools
import random
from collections import Counter

import pytest

from node.lab.skills import LEVELS, SKILLS, Task, facts, held_out, sample
from node.lab.skills.world import RELATIONS


def said(text: str, *options: str) -> Task:
    return Task("s", text, "choice" if options else "number", options, "12")


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param("what is 12 + 30?", id="case"),
        pytest.param("  What  is 12 + 30? ", id="spacing"),
        pytest.param("What is 12 + 30", id="closing mark"),
    ],
)
def test_spellings_of_a_question_fall_on_one_side(spelling: str) -> None:
    """Otherwise a question would leak into training in another spelling."""
    assert held_out(said(spelling)) is held_out(said("What is 12 + 30?"))


@pytest.mark.parametrize("text", [f"Which is the largest: {a}, 12, 7?" for a in range(20, 60)])
def test_the_order_of_options_is_not_of_the_question(text: str) -> None:
    """Options are put in a random order, so the same question would fall on both sides."""
    orders = itertools.permutations(("12", "7", "40"))
    assert len({held_out(said(text, *options)) for options in orders}) == 1


def test_other_options_make_another_question() -> None:
    """A fact has few texts; asked among other things it is another question, so that each has both sides."""
    sides = {held_out(said("What is the capital of France?", "Paris", "Rome", f"city {n}")) for n in range(100)}
    assert sides == {False, True}


def test_the_split_is_fixed() -> None:
    """The shipped models were trained on one side; a moved border would let their training leak into measurement."""
    sides = "".join(str(int(held_out(said(f"What is {a} + {b}?")))) for a in range(8) for b in range(8))
    assert sides == "0000000000000000000000001000000000100000000000000000000000000000"


@pytest.mark.parametrize("skill", SKILLS)
def test_about_a_tenth_of_the_questions_is_held_out(skill: str) -> None:
    """Too few would leave nothing to measure on, too many nothing to learn from."""
    rng = random.Random(f"split:{skill}")
    tasks = [SKILLS[skill](rng, level) for level in LEVELS for _ in range(1_500)]
    share = sum(map(held_out, tasks)) / len(tasks)
    assert 0.06 < share < 0.14, share


@pytest.mark.parametrize("skill", SKILLS)
def test_samples_come_from_the_side_asked_for(skill: str) -> None:
    """Training draws from one side, measuring from the other."""
    rng = random.Random(f"sides:{skill}")
    for side in (False, True):
        assert {held_out(sample(skill, rng, side)) for _ in range(50)} == {side}


def test_samples_are_of_the_level_asked_for_or_of_every_level() -> None:
    """Accuracy is told by level; training needs all of them, the middle one most."""
    rng = random.Random("levels")
    assert {sample("units", rng, held_out=True, level=3).level for _ in range(20)} == {3}
    counts = Counter(sample("units", rng, held_out=False).level for _ in range(2_000))
    assert all(abs(counts[level] - 200 * weight) < 100 for level, weight in zip(LEVELS, (3, 4, 3), strict=True)), counts


def test_each_fact_is_in_training_in_some_phrasing() -> None:
    """A fact whose every phrasing is held out could be known by no model."""
    taught: Counter[facts.Fact] = Counter()
    for fact in facts.FACTS:
        for phrasing in RELATIONS[fact.relation].phrasings:
            text = facts.phrased(phrasing, fact.subject)
            taught[fact] += not held_out(said(text))
    assert min(taught[fact] for fact in facts.FACTS) >= 2
