"""The rule that counts one member alone: its name, and what nobody else can do to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.records import TEXT_LENGTH_MAX, AnswerKind, Question
from coordinator.tally import RULES, Outcome, Weighed, is_counted, named, only, rule, turnout_of
from tests.coordinator.keys import member

QUESTION = b"q" * 32
ONE, OTHER = member(0).node, member(1).node


def test_only_its_points_count() -> None:
    count = rule(only(ONE))
    assert count is not None
    alone = [Weighed(ONE, 1, (("red", 3), ("blue", 2)))]
    assert count(QUESTION, alone) == Outcome("red", (("red", 3), ("blue", 2)), ())
    loud = [Weighed(OTHER, 1_000, (("blue", 64),)), *alone]
    assert count(QUESTION, loud) == count(QUESTION, alone)
    assert count(QUESTION, loud[:1]) is None, "nobody answers in its place"


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_name_stands_for_one_member(one: bytes, other: bytes) -> None:
    name = only(one)
    assert is_counted(name, one)
    assert is_counted(name, other) is (one[:12] == other[:12])
    assert turnout_of(name, 5) == 1
    question = Question("Which?" * (TEXT_LENGTH_MAX // 6), AnswerKind.SHORT, (), 1, name, 0, bytes(16))
    assert Question.decode(question.encode()) == question, "the name fits into a question"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="none"),
        pytest.param("only-", id="nobody"),
        pytest.param("only-" + "a" * 23, id="too short"),
        pytest.param("only-" + "a" * 25, id="too long"),
        pytest.param("only-" + "A" * 24, id="capitals: a second spelling of one rule"),
        pytest.param("only-" + "g" * 24, id="no digits"),
        pytest.param("only-" + "a" * 24 + "\n", id="with an end of line"),
        pytest.param("only-" + "\u0661" * 24, id="digits of another script"),
        pytest.param(" only-" + "a" * 24, id="with a space"),
    ],
)
def test_what_is_no_name_of_it(name: str) -> None:
    assert rule(name) is None and named(name) is None
    assert is_counted(name, ONE) and turnout_of(name, 3) == 3


@pytest.mark.parametrize("name", sorted(RULES))
def test_other_rules_count_everybody(name: str) -> None:
    assert rule(name) is RULES[name]
    assert is_counted(name, ONE) and turnout_of(name, 3) == 3
