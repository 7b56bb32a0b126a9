"""A person's own questions: what is read, and how each bad line is named."""

import json
from pathlib import Path

import pytest

from coordinator.records import AnswerKind
from node.lab.evaluate.own_questions import QuestionsInvalid, read_questions

GOOD = {"text": "What is 2 + 3?", "kind": "number", "answer": "5.0", "class": "sums"}


def written(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def test_what_is_read(tmp_path: Path) -> None:
    number, choice, short = read_questions(
        written(
            tmp_path,
            GOOD,
            "",
            {"text": "Tea?", "options": ["Yes", "No"], "answer": "yes"},
            {"text": "Which river?", "answer": "The Po!", "class": " rivers "},
        )
    )
    assert (number.group, number.right, number.question.kind) == ("sums", "5", AnswerKind.NUMBER)
    assert (choice.right, choice.question.kind, choice.group) == ("Yes", AnswerKind.CHOICE, "own")
    assert (short.right, short.question.kind, short.group) == ("the po", AnswerKind.SHORT, "rivers")
    assert choice.prompt == "Tea? (Yes / No)", "as a moot asks it"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("{", "not JSON", id="torn"),
        pytest.param("[]", "not a JSON object", id="a list"),
        pytest.param("[" * 100_000, "nested too deeply", id="a bomb"),
        pytest.param({"text": "x"}, "answer is missing", id="no answer"),
        pytest.param({**GOOD, "anwser": "5"}, "'anwser' is unknown", id="a typing error"),
        pytest.param({**GOOD, "answer": 5}, "must be strings", id="a bare number"),
        pytest.param({**GOOD, "kind": "essay"}, "kind 'essay' is not known; choose choice, number, short", id="kind"),
        pytest.param({**GOOD, "answer": "five"}, "'five' is no answer of kind number", id="no number"),
        pytest.param(
            {"text": "Tea?", "options": ["a", "b"], "answer": "c"}, "choose one of a, b", id="none of the options"
        ),
        pytest.param({**GOOD, "options": ["a", "b"]}, "ask it as a choice", id="options of a number"),
        pytest.param({**GOOD, "text": " "}, "the question is empty", id="empty"),
        pytest.param({**GOOD, "class": ""}, "class must be", id="no class"),
        pytest.param({**GOOD, "class": "a\nb"}, "class must be", id="a class of two lines"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: object, problem: str) -> None:
    with pytest.raises(QuestionsInvalid, match="1 problem") as caught:
        read_questions(written(tmp_path, GOOD, line))
    assert "line 2: " in str(caught.value) and problem in str(caught.value)


def test_all_bad_lines_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(QuestionsInvalid) as caught:
        read_questions(written(tmp_path, *["{"] * 30))
    said = str(caught.value)
    assert "30 problem(s)" in said and "line 20: " in said and "line 21: " not in said and "and 10 more" in said


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(QuestionsInvalid, match="cannot be read: No such file"):
        read_questions(tmp_path / "nowhere")
    with pytest.raises(QuestionsInvalid, match="no question in it"):
        read_questions(written(tmp_path, "", " "))
    path = tmp_path / "latin"
    path.write_bytes(b'{"text": "\xe4"}')
    with pytest.raises(QuestionsInvalid, match="not UTF-8"):
        read_questions(path)
