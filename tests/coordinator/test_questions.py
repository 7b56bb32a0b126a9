"""Taking questions in, answering them once, and keeping what others say about them."""

from collections.abc import Callable, Sequence

import pytest

from coordinator import questions
from coordinator.effects import Effect, Ended, Generate, Progress, SaveRecord
from coordinator.events import Asked, ClockSet, ModelFailed
from coordinator.questions import LATE_SLACK_MS
from coordinator.records import Preference, Proposal, Question, QuestionError
from coordinator.restored import Restored
from coordinator.signed import Digest, Kind, Signed
from tests.coordinator.keys import found
from tests.coordinator.ledger.build import Build
from tests.coordinator.solo import WALL_OFFSET_MS, Solo, notes, sent_records

BUILD = Build(4)


def asked_id(effects: Sequence[Effect]) -> Digest:
    [asked] = [effect.question for effect in effects if isinstance(effect, Generate)]
    return asked


def own(effects: Sequence[Effect], kind: Kind) -> list[Signed]:
    saved = [effect.record for effect in effects if isinstance(effect, SaveRecord)]
    return [record for record in saved if record.kind is kind and record.author == BUILD.ids[0]]


def test_a_question_is_kept_then_passed_on_then_answered() -> None:
    """It is on disk before anybody is told, so that a crash loses no question that others have."""
    solo = Solo(BUILD)
    effects = solo.ask()
    kinds = [type(effect).__name__ for effect in effects if not isinstance(effect, Progress)]
    assert kinds == ["SaveRecord", "Send", "Send", "Send", "Generate"]
    assert [record.kind for record in sent_records(effects)] == [Kind.QUESTION] * 3


def test_it_is_passed_on_to_those_that_may_lack_it() -> None:
    solo = Solo(BUILD)
    record = solo.asked_by(1)
    effects = solo.hear_records(solo.others[1], record)
    assert sent_records(effects, solo.others[2]) == [record], "neither to its asker nor to who handed it on"
    assert not sent_records(effects, solo.others[0]) and not sent_records(effects, solo.others[1])
    assert not sent_records(solo.hear_records(solo.others[2], record)), "once"


def test_the_model_is_asked_once_and_counted_as_it_answered() -> None:
    solo = Solo(BUILD)
    question = asked_id(solo.ask())
    effects = solo.answer(question, "7", " 7.0", "8", "no idea", "7")
    [proposal], [preference] = own(effects, Kind.PROPOSAL), own(effects, Kind.PREFERENCE)
    said = Proposal.decode(proposal.body)
    assert said.counts == (("7", 3), ("8", 1)) and said.samples == 5
    assert Preference.decode(preference.body).points == said.counts
    assert not own(solo.answer(question, "9"), Kind.PREFERENCE), "a second answer is not given"
    assert not own(solo.step(ModelFailed(question, "late")), Kind.PREFERENCE)


def test_who_cannot_answer_says_so() -> None:
    """Else everybody would wait for it until the deadline."""
    solo = Solo(BUILD)
    question = asked_id(solo.ask())
    [abstention] = own(solo.step(ModelFailed(question, "down")), Kind.PREFERENCE)
    assert Preference.decode(abstention.body).points == ()
    assert not own(solo.answer(question, "7"), Kind.PREFERENCE), "an answer now would contradict it"


def test_at_the_deadline_a_member_says_that_it_has_no_answer() -> None:
    """So that the others know that it has heard the question and waited."""
    solo = Solo(BUILD)
    question = asked_id(solo.ask())
    assert not own(solo.wait(4_999), Kind.PREFERENCE)
    [abstention] = own(solo.wait(1), Kind.PREFERENCE)
    assert Preference.decode(abstention.body).question == question


def test_a_question_that_is_over_by_its_askers_clock_is_not_answered() -> None:
    solo = Solo(BUILD)
    old_ms = WALL_OFFSET_MS + solo.now_ms - 5_000 - LATE_SLACK_MS
    effects = solo.hear_records(solo.others[0], solo.asked_by(1, asked_ms=old_ms - 1, nonce=1))
    assert not [effect for effect in effects if isinstance(effect, Generate)]
    assert notes(effects) == ["question.late"]
    [abstention] = own(effects, Kind.PREFERENCE)
    assert Preference.decode(abstention.body).points == ()
    effects = solo.hear_records(solo.others[0], solo.asked_by(1, asked_ms=old_ms, nonce=2))
    assert [effect for effect in effects if isinstance(effect, Generate)], "clocks differ a little"


def test_a_clock_that_is_set_right_lets_questions_be_answered() -> None:
    """A machine that starts with its clock ahead would abstain from everything until it is started again."""
    solo = Solo(BUILD)
    asked_ms = WALL_OFFSET_MS + solo.now_ms - 600_000
    solo.step(ClockSet(WALL_OFFSET_MS - 600_000))
    effects = solo.hear_records(solo.others[0], solo.asked_by(1, asked_ms=asked_ms))
    assert [effect for effect in effects if isinstance(effect, Generate)]


def test_everybody_has_a_share_that_nobody_else_can_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "OPEN_MAX", 12)
    solo = Solo(BUILD)
    flood = [solo.asked_by(1, nonce=number) for number in range(50)]
    effects = solo.hear_records(solo.others[0], *flood)
    assert notes(effects) == ["question.refused"] * 47
    assert len(solo.core.questions.sessions) == 3
    for member in (0, 2, 3):
        for number in range(3):
            if member == 0:
                solo.ask(number)
            else:
                solo.hear_records(solo.others[0], solo.asked_by(member, nonce=number))
    assert len(solo.core.questions.sessions) == 12
    with pytest.raises(QuestionError, match="3 questions of one asker are open; ask again"):
        solo.step(Asked(solo.question(nonce=9)))


@pytest.mark.parametrize("count", [1, 4, 5, 64])
def test_the_shares_together_are_within_the_limit(count: int) -> None:
    share = Solo(Build(count), met=False).core.questions.share
    assert 1 <= share <= questions.OPEN_PER_ASKER_MAX
    assert share * count <= questions.OPEN_MAX


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(lambda q: BUILD.sign(1, Kind.QUESTION, b"junk"), id="a question of junk"),
        pytest.param(lambda q: BUILD.sign(1, Kind.PREFERENCE, b"junk"), id="a preference of junk"),
        pytest.param(lambda q: BUILD.sign(1, Kind.PROPOSAL, b""), id="an empty proposal"),
        pytest.param(lambda q: BUILD.question(1, tally="dice"), id="an unknown rule"),
        pytest.param(lambda q: BUILD.question(1, tally="only-" + "0" * 23), id="a member's id that is too short"),
        pytest.param(lambda q: BUILD.preference(1, q, (("7", 6),)), id="too many points"),
        pytest.param(lambda q: BUILD.proposal(1, q, (("7", 5),), samples=6), id="too many samples"),
        pytest.param(lambda q: BUILD.preference(b"s" * 32, q, (("7", 5),)), id="a stranger"),
        pytest.param(
            lambda q: Signed(Kind.PREFERENCE, BUILD.ids[1], BUILD.preference(2, q, ()).body, b"x" * 64),
            id="unsigned",
        ),
        pytest.param(lambda q: BUILD.preference(1, b"u" * 32, (("7", 5),)), id="about an unknown question"),
        pytest.param(lambda q: BUILD.sign(1, Kind.ACK, b"ack"), id="no record of a moot"),
    ],
)
def test_bad_records_have_no_effect(bad: Callable[[Digest], Signed]) -> None:
    solo = Solo(BUILD)
    question = asked_id(solo.ask())
    before = list(solo.core.questions.held())
    effects = solo.hear_records(solo.others[0], bad(question))
    assert list(solo.core.questions.held()) == before
    assert not [effect for effect in effects if isinstance(effect, SaveRecord)]


def restored(*records: Signed) -> Solo:
    return Solo(BUILD, Restored(records=records), met=False)


def test_after_a_crash_only_what_was_not_answered_is_answered() -> None:
    """A second answer could differ from the first, which may be out already."""
    record = BUILD.sign(1, Kind.QUESTION, Solo(BUILD).question().encode())
    fresh = restored(record)
    assert [effect for effect in fresh.started if isinstance(effect, Generate)]
    proposal = BUILD.proposal(0, record.digest(), (("7", 4),))
    between = restored(record, proposal)
    [preference] = own(between.started, Kind.PREFERENCE)
    assert Preference.decode(preference.body).points == (("7", 4),), "it follows from the proposal"
    done = restored(record, proposal, preference)
    assert not own(done.started, Kind.PREFERENCE)
    assert not [effect for effect in done.started if isinstance(effect, Generate)]


def test_who_waits_is_told_when_too_few_are_there() -> None:
    solo = Solo(BUILD, met=False)
    question = asked_id(solo.ask())
    ended = [effect for effect in solo.wait(5_000) if isinstance(effect, Ended)]
    assert ended == [Ended(question, None)], "once, at the deadline"
    assert question in solo.core.questions.sessions, "it stays open"


def test_a_moot_of_one_decides_alone() -> None:
    solo = Solo(Build(genesis=found(1)))
    question = asked_id(solo.ask())
    effects = solo.answer(question, "7")
    assert [effect for effect in effects if isinstance(effect, Ended)] == [Ended(question, 0)]


def test_what_is_asked_is_what_is_kept() -> None:
    solo = Solo(BUILD)
    wanted = solo.question("what is 5 + 5?")
    solo.step(Asked(wanted))
    [session] = solo.core.questions.sessions.values()
    assert Question.decode(session.record.body) == session.question == wanted
