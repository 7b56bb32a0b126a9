"""What a person asks becomes a question, or is refused with words that say what to do."""

import pytest

from coordinator.records import AnswerKind
from coordinator.tally import only
from node.errors import QuestionRefused
from node.question_desk import question_of
from tests.node.test_alone import ROSTER
from tests.node.test_standing import ADA


def test_what_is_left_open_is_filled_in() -> None:
    question = question_of(" Tea? ", None, [" yes", "no "], None, None, ROSTER)
    assert (question.text, question.kind, question.options) == ("Tea?", AnswerKind.CHOICE, ("yes", "no"))
    assert (question.deadline_ms, question.tally) == (ROSTER.charter.deadline_ms, "")
    assert question_of("Tea?", None, [], 5, None, ROSTER).kind is AnswerKind.SHORT
    assert question.nonce != question_of("Tea?", None, [], 5, None, ROSTER).nonce


def test_one_member_alone_may_be_named() -> None:
    assert question_of("Tea?", None, [], None, only(ADA), ROSTER).tally == only(ADA)


@pytest.mark.parametrize(
    ("kind", "tally", "said"),
    [
        pytest.param("essay", None, "'essay' is not known; choose choice, number, short", id="kind"),
        pytest.param(None, "dice", "'dice' is not known; choose plurality, points, or only- and", id="rule"),
        pytest.param(None, only(bytes([9]) * 32), "no member of the roster has an id that begins so", id="a stranger"),
    ],
)
def test_what_cannot_be_asked_is_refused(kind: str | None, tally: str | None, said: str) -> None:
    with pytest.raises(QuestionRefused, match=said):
        question_of("Tea?", kind, [], None, tally, ROSTER)
