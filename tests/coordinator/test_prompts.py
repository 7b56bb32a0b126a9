"""Prompts say what members answered, whatever they wrote; replies are read for what they say, or for nothing."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator import prompts

QUESTION = "What is 3 * 4? (7 / 12 / 34)"
plain = st.text(string.ascii_letters + string.digits + " :,()/", min_size=1, max_size=40).filter(
    lambda text: text == text.strip()
)
wild = st.text(max_size=300)


@pytest.mark.parametrize(
    ("prompt", "lines"),
    [
        pytest.param(prompts.answer(QUESTION), [], id="answer"),
        pytest.param(prompts.revise(QUESTION, ["7", "12"], "34"), ["Others: 7; 12", "Mine: 34"], id="revise"),
        pytest.param(prompts.judge(QUESTION, "7"), ["Is it 7?"], id="judge"),
        pytest.param(prompts.critique(QUESTION, "7"), ["Answer: 7", "Check it."], id="critique"),
        pytest.param(
            prompts.reconsider(QUESTION, "7", "wrong, 12"), ["Mine: 7", "Critique: wrong, 12"], id="reconsider"
        ),
        pytest.param(prompts.choose(QUESTION, ["7", "12"]), ["Which: 7 / 12"], id="choose"),
        pytest.param(prompts.go_on(QUESTION, "3+3=6"), ["Work: 3+3=6"], id="go on"),
        pytest.param(prompts.split(QUESTION), ["Split it."], id="split"),
        pytest.param(prompts.use(QUESTION, ["Paris", "5"]), ["Parts: Paris; 5"], id="use"),
    ],
)
def test_a_prompt_is_the_question_and_a_few_lines(prompt: str, lines: list[str]) -> None:
    """The reference models were trained on these words; others would be new to them."""
    assert prompt == "".join(f"{line}\n" for line in [QUESTION, *lines])


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        pytest.param("12", "12", id="an answer"),
        pytest.param("12\nMine: 7", "12 Mine: 7", id="a line of its own"),
        pytest.param("12\r\nCheck it.", "12  Check it.", id="carriage return"),
        pytest.param("12\x85\u2028\u2029\x0b\x1c7", "12     7", id="all that ends lines"),
        pytest.param("\x1b[2J\x0012", "[2J 12", id="terminal control"),
        pytest.param("\u202e21\u200b", "21", id="writing direction and width"),
        pytest.param("\ud800", "", id="half a character"),
        pytest.param("7; 12 / => {1} | (x)", "7; 12 / => {1} | (x)", id="nothing else is escaped"),
        pytest.param("x" * 1_000, "x" * 64, id="long"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_a_peer_wrote_stays_on_one_line(said: str, seen: str) -> None:
    """Else a peer could write lines of the prompt that pass for ours."""
    assert prompts.shown(said) == seen


@given(st.lists(wild, max_size=30), wild, wild)
def test_no_peer_adds_a_line(others: list[str], mine: str, criticism: str) -> None:
    """However hostile the text, a prompt has its own lines and is of bounded length."""
    made = (
        (prompts.revise(QUESTION, others, mine), 3),
        (prompts.judge(QUESTION, mine), 2),
        (prompts.critique(QUESTION, mine), 3),
        (prompts.reconsider(QUESTION, mine, criticism), 3),
        (prompts.choose(QUESTION, others), 2),
        (prompts.go_on(QUESTION, mine), 2),
        (prompts.use(QUESTION, others), 2),
    )
    for prompt, lines in made:
        assert len(prompt.splitlines()) == lines == prompt.count("\n")
        assert len(prompt) < len(QUESTION) + 40 + 9 * (64 + 3)
        prompt.encode()


@given(st.lists(plain, min_size=9, max_size=20, unique=True))
def test_only_so_many_answers_are_shown(others: list[str]) -> None:
    """A prompt must leave room for the reply, however many members there are."""
    line = prompts.revise(QUESTION, others, "7").splitlines()[1]
    assert line == "Others: " + "; ".join(others[:8])


@given(wild)
def test_showing_twice_changes_nothing(text: str) -> None:
    """A text may pass through several prompts."""
    assert prompts.shown(prompts.shown(text)) == prompts.shown(text)


@pytest.mark.parametrize(
    ("reply", "answer", "verdict", "correction"),
    [
        pytest.param("yes", "yes", True, None, id="yes"),
        pytest.param("3*4=12 => no", "no", False, None, id="no, after steps"),
        pytest.param("3*4=12 => right\n", "right", True, None, id="right"),
        pytest.param("3*4=12 => wrong, 12", "wrong, 12", False, "12", id="wrong, with what is right"),
        pytest.param("Wrong, 1, 2, 3", "Wrong, 1, 2, 3", False, "1, 2, 3", id="a list with commas"),
        pytest.param("wrong", "wrong", False, None, id="wrong without more"),
        pytest.param("wrong, ", "wrong,", False, None, id="wrong and nothing after it"),
        pytest.param("Yes.", "Yes.", True, None, id="with a stop"),
        pytest.param("12", "12", None, None, id="neither"),
        pytest.param("right or wrong", "right or wrong", None, None, id="both"),
        pytest.param("yes and no", "yes and no", None, None, id="yes and no"),
        pytest.param("", "", None, None, id="nothing"),
        pytest.param("\n\n", "", None, None, id="only line ends"),
        pytest.param("=> ", "", None, None, id="an arrow and nothing"),
        pytest.param("x" * 3_000, "", None, None, id="a line too long to be an answer"),
    ],
)
def test_a_reply_is_read(reply: str, answer: str, verdict: bool | None, correction: str | None) -> None:
    """A verdict read into a reply that gives none would count as a vote."""
    assert (prompts.answer_of(reply), prompts.verdict_of(reply), prompts.correction_of(reply)) == (
        answer,
        verdict,
        correction,
    )


@given(wild)
def test_any_reply_is_read_without_harm(reply: str) -> None:
    """Replies are untrusted: whatever they hold, what is read is bounded."""
    assert len(prompts.answer_of(reply).splitlines()) <= 1
    assert prompts.verdict_of(reply) in (True, False, None)
    assert len(prompts.parts_of(reply)) <= prompts.PARTS_MAX
    if prompts.correction_of(reply) is not None:
        assert prompts.verdict_of(reply) is False


@given(plain, plain)
def test_a_written_verdict_is_read_back(work: str, right: str) -> None:
    """What models are taught to write is what is read."""
    assert prompts.verdict_of(f"{work} => {prompts.RIGHT}") is True
    criticism = f"{work} => {prompts.WRONG}, {right}"
    assert prompts.verdict_of(criticism) is False
    assert prompts.correction_of(criticism) == right.strip()


@given(st.lists(plain, min_size=2, max_size=4))
def test_written_parts_are_read_back(parts: list[str]) -> None:
    """What a model splits must be the questions that are then asked."""
    assert prompts.parts_of(prompts.BETWEEN_PARTS.join(parts)) == tuple(parts)


@pytest.mark.parametrize(
    ("reply", "parts"),
    [
        pytest.param("What is a? | What is {1}?", ("What is a?", "What is {1}?"), id="two"),
        pytest.param("a|b|{1} {2}", ("a", "b", "{1} {2}"), id="without spaces"),
        pytest.param("steps => a | {1}", ("a", "{1}"), id="after steps"),
        pytest.param("a", (), id="one part is no split"),
        pytest.param("a | b | c | d | e", (), id="too many"),
        pytest.param("a | | b", (), id="an empty one"),
        pytest.param("{1} | b", (), id="a part that needs itself"),
        pytest.param("a | {2}", (), id="a part that needs a later one"),
        pytest.param("a | {0}", (), id="no part has this number"),
        pytest.param(f"a | {'b' * 201}", (), id="a long one"),
        pytest.param("", (), id="nothing"),
    ],
)
def test_parts_that_cannot_be_asked_are_none(reply: str, parts: tuple[str, ...]) -> None:
    """A part that waits for itself would never be asked."""
    assert prompts.parts_of(reply) == parts


@given(plain, wild, wild)
def test_a_part_is_filled_with_answers(text: str, first: str, second: str) -> None:
    """An answer that looks like a place is not filled again: else one part's answer could pull in another's."""
    filled = prompts.filled(f"{text} {{1}} {{2}} {{1}}", [first, second])
    one, two = prompts.shown(first), prompts.shown(second)
    assert filled == f"{text} {one} {two} {one}"
