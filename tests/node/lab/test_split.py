"""No question that measures a model can have been in its training."""

import random
from collections import Counter

import pytest

from node.lab.skills import SKILLS, facts, held_out, sample


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
    assert held_out(spelling) is held_out("What is 12 + 30?")


def test_the_split_is_fixed() -> None:
    """The shipped models were trained on one side; a moved border would let their training leak into measurement."""
    sides = "".join(str(int(held_out(f"What is {a} + {b}?"))) for a in range(8) for b in range(8))
    assert sides == "0000000000000000000000001000000000100000000000000000000000000000"


@pytest.mark.parametrize("skill", SKILLS)
def test_about_a_tenth_of_the_questions_is_held_out(skill: str) -> None:
    """Too few would leave nothing to measure on, too many nothing to learn from."""
    rng = random.Random(f"split:{skill}")
    texts = {SKILLS[skill](rng).text for _ in range(4_000)}
    share = sum(map(held_out, texts)) / len(texts)
    assert 0.06 < share < 0.14, share


@pytest.mark.parametrize("skill", SKILLS)
def test_samples_come_from_the_side_asked_for(skill: str) -> None:
    """Training draws from one side, measuring from the other."""
    rng = random.Random(f"sides:{skill}")
    for side in (False, True):
        assert {held_out(sample(skill, rng, side).text) for _ in range(50)} == {side}


def test_each_fact_is_in_training_in_some_phrasing() -> None:
    """A fact whose every phrasing is held out could be known by no model."""
    taught: Counter[facts.Fact] = Counter()
    for fact in facts.FACTS:
        for phrasing in facts.RELATIONS[fact.relation].phrasings:
            text = facts.phrased(phrasing, fact.subject)
            taught[fact] += not held_out(text)
    assert min(taught[fact] for fact in facts.FACTS) >= 2
