"""Questions, proposals and preferences: bounded, and one value has one form."""

import dataclasses
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.encoding import U32_MAX, U64_MAX, EncodingError, Writer
from coordinator.records import (
    ANSWER_LENGTH_MAX,
    DEADLINE_MS_MAX,
    OPTIONS_MAX,
    SAMPLES_MAX,
    TEXT_LENGTH_MAX,
    AnswerKind,
    Cost,
    Preference,
    Proposal,
    Question,
    QuestionError,
    is_plain,
    sorted_points,
)
from coordinator.signed import BODY_SIZE_MAX

_PLAIN = st.text(min_size=1, max_size=12).filter(lambda text: is_plain(text) and text.strip() != "")
_DIGESTS = st.binary(min_size=32, max_size=32)
_U64 = st.integers(0, U64_MAX)
_COSTS = st.builds(Cost, _U64, _U64, _U64, _U64)
_POINTS = st.dictionaries(_PLAIN, st.integers(1, 8), max_size=8).map(sorted_points)
_OPTIONS = st.lists(_PLAIN, min_size=2, max_size=OPTIONS_MAX, unique_by=lambda option: option.strip().encode().lower())
_REST = (st.integers(1, DEADLINE_MS_MAX), st.sampled_from(["", "points"]), _U64, st.binary(min_size=16, max_size=16))
_QUESTIONS = st.one_of(
    st.builds(Question, _PLAIN, st.just(AnswerKind.CHOICE), _OPTIONS.map(tuple), *_REST),
    st.builds(Question, _PLAIN, st.sampled_from([AnswerKind.NUMBER, AnswerKind.SHORT]), st.just(()), *_REST),
)
_PROPOSALS = st.builds(
    Proposal, _DIGESTS, _POINTS, st.just(SAMPLES_MAX), _DIGESTS, _U64, st.integers(0, U32_MAX), _COSTS
)
_PREFERENCES = st.builds(Preference, _DIGESTS, _POINTS, _COSTS)

QUESTION = Question("Which?", AnswerKind.CHOICE, ("a", "b"), 1_000, "", 0, bytes(16))
PROPOSAL = Proposal(bytes(32), (("a", 3), ("b", 1)), 5, bytes(32), 0, 700, Cost())


@given(st.one_of(_QUESTIONS, _PROPOSALS, _PREFERENCES))
def test_round_trip(record: Question | Proposal | Preference) -> None:
    body = record.encode()
    assert type(record).decode(body) == record
    assert len(body) <= BODY_SIZE_MAX


@given(st.one_of(_QUESTIONS, _PROPOSALS, _PREFERENCES), st.data())
def test_one_value_has_one_form(record: Question | Proposal | Preference, data: st.DataObject) -> None:
    """Bytes with one place changed are refused, or are exactly the bytes of the value that they are read as."""
    body = bytearray(record.encode())
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    try:
        read = type(record).decode(bytes(body))
    except EncodingError:
        return
    assert read.encode() == bytes(body)
    assert read != record


@pytest.mark.parametrize("decode", [Question.decode, Proposal.decode, Preference.decode])
@given(body=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(decode: Callable[[bytes], Any], body: bytes) -> None:
    try:
        record = decode(body)
    except EncodingError:
        return
    assert record.encode() == body


def test_the_largest_fit_into_a_record() -> None:
    """What can be asked and answered must be what can be sent: at four bytes a character, as much as is allowed."""
    answers = sorted(chr(0x1F600 + n) * (ANSWER_LENGTH_MAX // 4) for n in range(SAMPLES_MAX))
    options = tuple(answers[:OPTIONS_MAX])
    question = Question("\U0001f600" * TEXT_LENGTH_MAX, AnswerKind.CHOICE, options, 1, "x" * 32, U64_MAX, bytes(16))
    counts = tuple((answer, 1) for answer in answers)
    cost = Cost(U64_MAX, U64_MAX, U64_MAX, U64_MAX)
    proposal = Proposal(bytes(32), counts, SAMPLES_MAX, bytes(32), U64_MAX, U32_MAX, cost)
    for largest in (question, proposal, Preference(bytes(32), counts, cost)):
        assert type(largest).decode(largest.encode()) == largest
        assert len(largest.encode()) <= BODY_SIZE_MAX


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"text": " \n"}, "empty"),
        ({"text": "x" * (TEXT_LENGTH_MAX + 1)}, "2001 characters"),
        ({"text": "a\x1b[2Jb"}, "control characters"),
        ({"text": "a\u202eb"}, "control characters"),
        ({"text": "a\ud800b"}, "control characters"),
        ({"options": ("a",)}, "2 to 16 options"),
        ({"options": tuple("abcdefghijklmnopq")}, "17 given"),
        ({"options": ("a", " ")}, "empty, longer"),
        ({"options": ("a", "x" * (ANSWER_LENGTH_MAX + 1))}, "empty, longer"),
        ({"options": ("a", "\u4e00" * (ANSWER_LENGTH_MAX // 3 + 1))}, "empty, longer"),
        ({"options": ("a", "b\n")}, "not printable"),
        ({"options": ("a", "\udfff")}, "not printable"),
        ({"options": ("a", " A")}, "the same"),
        ({"kind": AnswerKind.NUMBER}, "ask it as a choice"),
        ({"deadline_ms": 0}, "choose 1 to"),
        ({"deadline_ms": DEADLINE_MS_MAX + 1}, "choose 1 to"),
        ({"tally": "x" * 33}, "voting rule"),
        ({"tally": "pöints"}, "voting rule"),
        ({"tally": "a\n"}, "voting rule"),
        ({"asked_ms": -1}, "malformed"),
        ({"nonce": b"short"}, "malformed"),
    ],
)
def test_questions_that_cannot_be_asked(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(QuestionError, match=problem):
        dataclasses.replace(QUESTION, **changes)


@pytest.mark.parametrize(
    ("counts", "samples"),
    [
        pytest.param((("a", 1), ("b", 2)), 5, id="not sorted by number"),
        pytest.param((("b", 1), ("a", 1)), 5, id="not sorted by answer"),
        pytest.param((("a", 2), ("a", 1)), 5, id="an answer twice"),
        pytest.param((("a", 0),), 5, id="an answer that nothing speaks for"),
        pytest.param((("a", 3), ("b", 3)), 5, id="more counts than samples"),
        pytest.param((("a", 1),), SAMPLES_MAX + 1, id="too many samples"),
        pytest.param((("", 1),), 5, id="an empty answer"),
        pytest.param((("x" * (ANSWER_LENGTH_MAX + 1), 1),), 5, id="a long answer"),
        pytest.param((("\u202eevil", 1),), 5, id="an answer that turns a terminal around"),
    ],
)
def test_proposals_that_count_wrongly(counts: tuple[tuple[str, int], ...], samples: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        dataclasses.replace(PROPOSAL, counts=counts, samples=samples)


def test_more_points_than_a_preference_may_give() -> None:
    with pytest.raises(ValueError, match="more points than samples"):
        Preference(bytes(32), (("a", SAMPLES_MAX), ("b", 1)), Cost())


def test_a_kind_that_does_not_exist_is_refused() -> None:
    body = QUESTION.encode().replace(Writer().text("choice").done(), Writer().text("chorus").done())
    with pytest.raises(EncodingError, match="chorus"):
        Question.decode(body)


def test_the_answer_is_the_most_frequent_sample() -> None:
    assert PROPOSAL.answer == "a"
    assert dataclasses.replace(PROPOSAL, counts=()).answer is None


def test_costs_add_up() -> None:
    assert Cost(1, 2, 3, 4) + Cost(10, 20, 30, 40) == Cost(11, 22, 33, 44)


def test_plain_is_what_unicode_calls_printable() -> None:
    """Whatever this Python's Unicode calls printable may be asked, but for the invisible selectors of variants; and
    nothing that it knows as a control or format character, a surrogate, private or another space, is ever plain."""
    for number in range(0x110000):
        character = chr(number)
        if character.isprintable():
            assert is_plain(character) or 0xE0100 <= number <= 0xE01EF, hex(number)
        elif unicodedata.category(character) != "Cn":
            assert not is_plain(character), hex(number)
