"""Recognizing classes of questions: known ones, foreign ones, and files that are none."""

import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.lab.evaluate.items import of_task
from node.lab.skills import SKILLS, sample
from node.recognizer import FEATURES_MAX, Recognizer, features, learned

FOREIGN = (
    "How do I install Python on Windows?",
    "Is it going to rain tomorrow?",
    "Which laptop should we buy for the office?",
    "Summarize the following email: the meeting is moved to Thursday at ten.",
    "What does the error 'segmentation fault' mean?",
    "Why is the sky blue?",
    "Does this contract allow termination?",
    "Wie heißt die Hauptstadt von Österreich?",
    "日本の首都はどこですか",
)


@pytest.fixture(scope="module")
def suite() -> Recognizer:
    rng = random.Random(1)
    return learned({skill: [of_task(sample(skill, rng, False)).prompt for _ in range(300)] for skill in SKILLS})


@pytest.mark.parametrize("skill", sorted(set(SKILLS) - {"compound"}))
def test_skills_are_recognized_in_questions_not_seen_before(suite: Recognizer, skill: str) -> None:
    rng = random.Random(2)
    found = Counter(suite.recognize(of_task(sample(skill, rng, True)).prompt) for _ in range(100))
    assert found[skill] >= 85, found
    assert sum(found.values()) - found[skill] - found[None] <= 12, "rather none than a wrong one"


def test_foreign_questions_are_of_no_class(suite: Recognizer) -> None:
    """Naive Bayes alone would be sure of one of the classes each time."""
    assert [text for text in FOREIGN if suite.recognize(text) is not None] == []


def test_what_says_nothing_is_of_no_class(suite: Recognizer) -> None:
    assert suite.recognize("") is None and suite.recognize("  \n ") is None
    assert Recognizer({}).recognize("What is 2 + 2?") is None


def test_one_class_alone_is_told_from_everything_else() -> None:
    """With one class, its share of the likelihood is always one."""
    only = learned({"sums": [f"What is {a} plus {b}?" for a in range(20) for b in range(5)]})
    assert only.recognize("What is 77 plus 9?") == "sums"
    assert only.recognize("Why is the sky blue?") is None


def test_a_few_questions_are_enough_for_their_like() -> None:
    few = learned({"sums": ["What is 2 plus 3?", "What is 4 plus 9?"], "days": ["Which day follows Monday?"] * 2})
    assert few.recognize("What is 8 plus 1?") == "sums"
    assert few.recognize("Which day follows Monday?") == "days"


def test_a_file_holds_all_of_it(suite: Recognizer) -> None:
    again = Recognizer.read(json.loads(json.dumps(suite.report())))
    assert again == suite
    assert len(json.dumps(suite.report())) < 400_000


def test_the_order_of_questions_does_not_matter() -> None:
    texts = [f"Question {number} about {word}?" for number in range(9) for word in ("tea", "milk", "rum")]
    assert learned({"a": texts}) == learned({"a": texts[::-1]})


@given(st.text(max_size=300))
def test_any_text_has_features_of_bounded_length(text: str) -> None:
    found = features(text)
    assert len(found) == len(set(found)) and all(0 < len(one) <= 33 for one in found)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param([], "must be an object", id="a list"),
        pytest.param({"a": 1}, "must have usual and counts", id="a number for a class"),
        pytest.param({"a": {"usual": "x", "counts": {"b": 1}}}, "usual must be a number", id="usual"),
        pytest.param({"a": {"usual": float("nan"), "counts": {"b": 1}}}, "usual must be a number", id="not a number"),
        pytest.param({"a": {"usual": 0, "counts": {}}}, "counts must be 1 to", id="no counts"),
        pytest.param({"a": {"usual": 0, "counts": {"b": 0}}}, "no positive whole number", id="zero"),
        pytest.param({"a": {"usual": 0, "counts": {"b": True}}}, "no positive whole number", id="true"),
        pytest.param(
            {"a": {"usual": 0, "counts": {str(n): 1 for n in range(FEATURES_MAX + 1)}}}, "counts must be", id="too many"
        ),
        pytest.param({str(n): {} for n in range(201)}, "at most 200 classes", id="too many classes"),
    ],
)
def test_what_cannot_be_read_is_named(data: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Recognizer.read(data)
