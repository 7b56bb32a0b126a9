"""Answers: equal ones become equal text, and no text of a model does harm."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.answers import LINE_LENGTH_MAX, count, normalize, prompt_for
from coordinator.records import (
    ANSWER_LENGTH_MAX,
    OPTIONS_MAX,
    AnswerKind,
    Cost,
    Preference,
    Question,
    QuestionError,
    is_plain,
)


def question(kind: AnswerKind, *options: str, text: str = "What is it?") -> Question:
    return Question(text, kind, options, 1_000, "", 0, bytes(16))


NUMBER = question(AnswerKind.NUMBER)
SHORT = question(AnswerKind.SHORT)
CITIES = question(AnswerKind.CHOICE, "Paris", "London", "Rome")
SIGNS = question(AnswerKind.CHOICE, "<", ">", "=", "C++", "C", "a => b")
LETTERS = question(AnswerKind.CHOICE, "B", "A")


@pytest.mark.parametrize(
    ("asked", "prompt"),
    [
        pytest.param(question(AnswerKind.NUMBER, text="2 + 3"), "2 + 3", id="a number's text as it is"),
        pytest.param(question(AnswerKind.SHORT, text="one\n\n two \n"), "one two", id="one line"),
        pytest.param(CITIES, "What is it? (Paris / London / Rome)", id="a choice names its options"),
    ],
)
def test_prompt(asked: Question, prompt: str) -> None:
    assert prompt_for(asked) == prompt


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("-7", "-7"),
        ("+7", "7"),
        ("\u22127", "-7"),
        ("-0", "0"),
        ("007", "7"),
        ("12.50", "12.5"),
        ("100.00", "100"),
        (".5", "0.5"),
        ("1,234", "1234"),
        ("$1,234,567.80", "1234567.8"),
        ("1,2", "2"),
        ("1,2345", "2345"),
        ("3/4", "3/4"),
        ("-6 / 8", "-3/4"),
        ("8/4", "2"),
        ("1.5/2", "3/4"),
        ("1/0", None),
        ("1e5", "100000"),
        ("25e-4", "0.0025"),
        ("1e999999999", None),
        ("9" * 40, "9" * 40),
        ("9" * 41, None),
        ("0." + "0" * 38 + "1", None),
        ("\u0663", "3"),
        ("\uff11\uff12", "12"),
        ("5\u00b2", "5"),
        ("the answer is 42.", "42"),
        ("first 3, then 5 km", "5"),
        ("3-5", "5"),
        ("x=-5", "-5"),
        ("wait...5", "5"),
        ("2 + 3 => 5", "5"),
        ("5\n6", "5"),
        ("=> 5\nQ: 1 => 6", "6"),
        ("none", None),
        ("m2", None),
        ("", None),
        ("4 =>", None),
    ],
)
def test_number(text: str, answer: str | None) -> None:
    assert normalize(NUMBER, text) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Paris", "paris"),
        ('"Paris."', "paris"),
        ("  The   Seine!", "the seine"),
        ("**Paris**", "paris"),
        ("(Paris)", "paris"),
        ("(a) or (b)", "(a) or (b)"),
        ("- Paris", "paris"),
        ("-5 degrees", "-5 degrees"),
        ("C++", "c++"),
        ("\uff30\uff41\uff52\uff49\uff53", "paris"),
        ("STRASSE", "strasse"),
        ("stra\u00dfe", "strasse"),
        ("pa\u200bris\u202e", "paris"),
        ("capital => Paris\nnext => Rome", "rome"),
        ("a \uff1d\uff1e b", "b"),
        ("...", None),
        ("\x00\x07", None),
        ("x" * ANSWER_LENGTH_MAX, "x" * ANSWER_LENGTH_MAX),
        ("x" * (ANSWER_LENGTH_MAX + 1), None),
        ("\u4e00" * (ANSWER_LENGTH_MAX // 3 + 1), None),
        ("\ud800", None),
    ],
)
def test_short(text: str, answer: str | None) -> None:
    assert normalize(SHORT, text) == answer


@pytest.mark.parametrize(
    ("asked", "text", "answer"),
    [
        (CITIES, "paris.", "Paris"),
        (CITIES, "=> LONDON", "London"),
        (CITIES, "b", "London"),
        (CITIES, "(C)", "Rome"),
        (CITIES, "a)", "Paris"),
        (CITIES, "d", None),
        (CITIES, "Berlin", None),
        (CITIES, "Paris or Rome", None),
        (CITIES, "", None),
        (SIGNS, "<", "<"),
        (SIGNS, "x => >", ">"),
        (SIGNS, "c++", "C++"),
        (SIGNS, "c", "C"),
        (SIGNS, "C.", "C"),
        (SIGNS, "a => b", "a => b"),
        (SIGNS, "a", "<"),
        pytest.param(LETTERS, "a)", "A", id="an option that reads so comes before the letter"),
        pytest.param(LETTERS, "b", "B", id="an option that reads so comes before the letter, again"),
        pytest.param(question(AnswerKind.CHOICE, "yes!", "yes?"), "yes", None, id="two read so: none is guessed"),
        pytest.param(question(AnswerKind.CHOICE, "\u2460", "1"), "1", "1", id="exact comes before folded"),
    ],
)
def test_choice(asked: Question, text: str, answer: str | None) -> None:
    assert normalize(asked, text) == answer


def _questions() -> st.SearchStrategy[Question]:
    options = st.lists(st.text(max_size=12), min_size=2, max_size=OPTIONS_MAX)

    def choice(texts: list[str]) -> Question:
        try:
            return question(AnswerKind.CHOICE, *texts)
        except QuestionError:
            return SIGNS

    return st.one_of(st.sampled_from([NUMBER, SHORT, CITIES, SIGNS]), options.map(choice))


_MODEL_TEXT = st.one_of(
    st.text(),
    st.text(alphabet="0123456789.,/+-eE =>\n$\u2212\u2044", max_size=60),
    st.text(alphabet="abcABC()[]{}<>=\"'*_-.,!? \u00df\u0130\u017f\u1e9e\ufb01\uff1d\uff1e\u00a8\u0301", max_size=60),
)


@given(_questions(), _MODEL_TEXT)
def test_normalizing_twice_changes_nothing(asked: Question, raw: str) -> None:
    """Members normalize what they sampled and check what others sent; both must see the same candidate."""
    answer = normalize(asked, raw)
    assert answer is None or normalize(asked, answer) == answer


@given(_questions(), st.lists(_MODEL_TEXT, max_size=8))
def test_whatever_a_model_writes_can_be_signed(asked: Question, texts: list[str]) -> None:
    """A preference refuses what is not plain, too long or unsorted; a model must not be able to cause that."""
    points = count(asked, texts)
    preference = Preference(bytes(32), points, Cost())
    assert Preference.decode(preference.encode()) == preference
    assert all(is_plain(answer) for answer, _ in points)


@given(st.text(max_size=ANSWER_LENGTH_MAX), st.text(max_size=20))
def test_a_choice_is_always_an_option(option: str, raw: str) -> None:
    assert normalize(CITIES, option + raw) in (None, *CITIES.options)


@pytest.mark.parametrize("unit", ["(", "1,111", "=>", '"', "a\u0301\u0316", "9", "1/", "-", "\ufdfa", ".5", " ", "1e"])
@pytest.mark.parametrize("asked", [NUMBER, SHORT, CITIES], ids=lambda asked: asked.kind.value)
def test_hostile_text_takes_no_time(asked: Question, unit: str) -> None:
    """A megabyte of one thing, and the longest line that is looked at: neither may hold up the event loop."""
    began = time.process_time()
    normalize(asked, unit * (1_000_000 // len(unit)))
    normalize(asked, (unit * LINE_LENGTH_MAX)[:LINE_LENGTH_MAX])
    assert time.process_time() - began < 1.0


def test_characters_that_a_python_may_not_know_are_left_alone() -> None:
    """The tally counts only normalized answers: did a newer Unicode fold more, two members would count differently."""
    young = [
        chr(number)
        for number in range(0x30000)
        if unicodedata.ucd_3_2_0.category(chr(number)) == "Cn" and is_plain(chr(number))
    ]
    assert len(young) > 90_000
    for at in range(0, len(young), 30):
        text = f"a{''.join(young[at : at + 30])}b"
        assert normalize(SHORT, text) == text
        assert normalize(NUMBER, text) is None


def test_count_leaves_out_what_is_no_answer() -> None:
    assert count(CITIES, ["rome", "Paris", "hm", "Paris.", "a", ""]) == (("Paris", 3), ("Rome", 1))
