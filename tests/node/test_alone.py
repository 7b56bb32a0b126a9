"""Which questions one member alone is asked: only where it is measured to be better, there, and the same as then."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.ledger.genesis import Genesis
from coordinator.ledger.roster import Member
from coordinator.records import AnswerKind, Question
from coordinator.signed import NodeId
from node.alone import Alone, Standings
from node.errors import QuestionRefused
from node.standing import Standing
from tests.node.test_standing import ADA, BEA, MOOT, made

SEATS = [Member(node, name, "org", 1, f"127.0.0.1:{7000 + node[0]}") for node, name in ((ADA, "ada"), (BEA, "bea"))]
ROSTER = Genesis.found("test", 1_000, SEATS).roster
WHY = "sums: ada alone is right more often than all together (.87 against .78 of 60); only its answer counts"


def question(text: str = "What is 5 plus 6?") -> Question:
    return Question(text, AnswerKind.SHORT, (), 1_000, "", 0, bytes(16))


def standings(tmp_path: Path, standing: Standing | bytes) -> Standings:
    path = tmp_path / "standing.json"
    path.write_bytes(standing if isinstance(standing, bytes) else standing.write())
    return Standings(path, MOOT)


def everybody(_: NodeId) -> bool:
    return True


def test_a_class_is_recognized_and_its_best_member_chosen(tmp_path: Path) -> None:
    found = standings(tmp_path, made()).choose(question(), None, ROSTER, everybody)
    assert found == Alone(ADA, "ada", "sums", WHY)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("Which day follows Monday?", None, id="nobody is better in this class"),
        pytest.param("Why is the sky blue?", None, id="no class is recognized"),
        pytest.param("What is 5 plus 6?", "days", id="its asker says that it is of another class"),
    ],
)
def test_else_all_are_asked(tmp_path: Path, text: str, wanted: str | None) -> None:
    assert standings(tmp_path, made()).choose(question(text), wanted, ROSTER, everybody) is None


def test_a_class_that_is_named_needs_no_recognizing(tmp_path: Path) -> None:
    found = standings(tmp_path, made()).choose(question("Why is the sky blue?"), "sums", ROSTER, everybody)
    assert found is not None and found.member == ADA
    with pytest.raises(QuestionRefused, match="nothing was measured of a class 'rivers'; there are days, sums"):
        standings(tmp_path, made()).choose(question(), "rivers", ROSTER, everybody)
    with pytest.raises(QuestionRefused, match="measure some: moot evaluate --home DIR"):
        Standings(None, MOOT).choose(question(), "sums", ROSTER, everybody)


def test_who_is_away_or_was_removed_is_not_asked_alone(tmp_path: Path) -> None:
    known = standings(tmp_path, made())
    assert known.choose(question(), None, ROSTER, lambda node: node != ADA) is None
    without = Genesis.found("test", 1_000, SEATS[1:]).roster
    assert known.choose(question(), None, without, everybody) is None


def test_another_model_than_the_one_that_was_measured_is_not_asked_alone(tmp_path: Path) -> None:
    known = standings(tmp_path, made())
    known.models[ADA] = bytes([9]) * 32
    assert known.choose(question(), None, ROSTER, everybody) is not None, "the same"
    known.models[ADA] = bytes([8]) * 32
    assert known.choose(question(), None, ROSTER, everybody) is None


def test_a_measurement_under_another_voting_rule_says_nothing(tmp_path: Path) -> None:
    assert standings(tmp_path, made(tally="plurality")).choose(question(), None, ROSTER, everybody) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"torn", "Expecting value", id="broken"),
        pytest.param(made(moot=ADA).write(), "measured at another moot", id="of another moot"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported_and_all_are_asked(tmp_path: Path, data: bytes, reason: str) -> None:
    known = standings(tmp_path, data)
    for _ in range(2):
        assert known.choose(question(), None, ROSTER, everybody) is None
        assert known.problem.startswith("standing.json cannot be used (") and reason in known.problem
    with pytest.raises(QuestionRefused, match="cannot be used"):
        known.choose(question(), "sums", ROSTER, everybody)


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    known, path = standings(tmp_path, b"torn"), tmp_path / "standing.json"
    assert known.current() is None and known.problem
    path.write_bytes(made().write())
    assert known.current() == made() and not known.problem
    classes = {"days": made().classes["days"]}
    path.write_bytes(replace(made(), classes=classes, recognizer=type(made().recognizer)({})).write())
    os.utime(path, ns=(1, 1))
    standing = known.current()
    assert standing is not None and list(standing.classes) == ["days"]
    path.unlink()
    assert known.current() is None and not known.problem, "without a measurement nothing is amiss"


def test_a_file_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    (tmp_path / "standing.json").mkdir()
    known = Standings(tmp_path / "standing.json", MOOT)
    assert known.current() is None and "cannot be used (Is a directory)" in known.problem
