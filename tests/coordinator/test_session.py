"""One question at one member: when it is ready, and with which agenda it may be ended."""

from dataclasses import dataclass, replace

import pytest

from coordinator.ledger.agenda import Item, keep_records
from coordinator.records import Question
from coordinator.session import COMPLETE_MS, Session
from coordinator.signed import Kind, Signed
from coordinator.tally import only
from tests.coordinator.keys import found
from tests.coordinator.ledger.build import Build, Points

BUILD = Build(genesis=found(5, turnout=3, grace_ms=1_000))
ROSTER = frozenset(BUILD.ids)
QUESTION = BUILD.question()
DEADLINE_MS = 5_000
SEVEN: Points = (("7", 5),)


def session() -> Session:
    return Session(QUESTION, Question.decode(QUESTION.body), DEADLINE_MS, False)


def preference(member: int, points: Points = SEVEN) -> Signed:
    return BUILD.preference(member, QUESTION.digest(), points)


def becomes_ready(one: Session, now_ms: int, reachable: str = "01234") -> bool:
    seen = frozenset(BUILD.ids[int(member)] for member in reachable)
    return one.becomes_ready(ROSTER, seen, BUILD.genesis.charter, now_ms)


ONLY = BUILD.question(tally=only(BUILD.ids[1]))


@pytest.mark.parametrize(
    ("answered", "abstained", "ready_at_ms"),
    [
        pytest.param("1", "0234", 0, id="it answered, nobody is left"),
        pytest.param("1", "023", 1_000, id="it answered, and a quorum has said something"),
        pytest.param("1", "", DEADLINE_MS, id="it answered, and nobody else was heard"),
        pytest.param("", "1", 0, id="it abstains: nobody else is worth waiting for"),
        pytest.param("", "0234", DEADLINE_MS, id="all wait for it"),
        pytest.param("0234", "", DEADLINE_MS, id="what others answer is no answer"),
    ],
)
def test_when_it_is_ready_if_one_member_alone_is_asked(answered: str, abstained: str, ready_at_ms: int) -> None:
    one = Session(ONLY, Question.decode(ONLY.body), DEADLINE_MS, False)
    for member in answered + abstained:
        points = SEVEN if member in answered else ()
        assert one.add(BUILD.preference(int(member), ONLY.digest(), points))
    assert one.answered() == ("1" in answered)
    times = [0, 999, 1_000, DEADLINE_MS - 1, DEADLINE_MS]
    assert [now_ms for now_ms in times if becomes_ready(one, now_ms)] == [ready_at_ms]


@dataclass(frozen=True)
class Row:
    """Members by number: who answered, who abstained, who signed two preferences, who is reachable."""

    answered: str
    abstained: str = ""
    contradicted: str = ""
    reachable: str = "01234"


@pytest.mark.parametrize(
    ("row", "ready_at_ms"),
    [
        pytest.param(Row("01234"), 0, id="nobody is left"),
        pytest.param(Row("012", "34"), 0, id="two abstain"),
        pytest.param(Row("", "01234"), 0, id="all abstain: nobody is left either"),
        pytest.param(Row("0123"), 1_000, id="a quorum waits out the grace"),
        pytest.param(Row("012", "3"), 1_000, id="a quorum with an abstention"),
        pytest.param(Row("01", "23"), DEADLINE_MS, id="a quorum, but too few answers"),
        pytest.param(Row("0", "123"), 0, id="too many abstain for the turnout, whoever still comes"),
        pytest.param(Row("012"), DEADLINE_MS, id="no quorum"),
        pytest.param(Row("012", reachable="012"), 0, id="all who are reachable, enough for the turnout"),
        pytest.param(Row("01", reachable="01"), DEADLINE_MS, id="all who are reachable, too few for the turnout"),
        pytest.param(Row("012", reachable="0123"), DEADLINE_MS, id="one who is reachable is silent"),
        pytest.param(Row("012", reachable="0"), 0, id="answers of who is no longer reachable count"),
        pytest.param(Row("01", contradicted="23"), DEADLINE_MS, id="contradictions are no answers"),
        pytest.param(Row("012", contradicted="3"), 1_000, id="a contradicted member is not waited for"),
        pytest.param(Row("012", contradicted="34"), 0, id="all have spoken, some twice"),
        pytest.param(Row(""), DEADLINE_MS, id="silence"),
    ],
)
def test_when_it_is_ready(row: Row, ready_at_ms: int) -> None:
    one = session()
    for member in row.answered + row.contradicted:
        assert one.add(preference(int(member)))
    for member in row.contradicted:
        assert one.add(preference(int(member), (("8", 5),)))
    for member in row.abstained:
        assert one.add(preference(int(member), ()))
    times = [0, 1, 999, 1_000, 1_001, DEADLINE_MS - 1, DEADLINE_MS, DEADLINE_MS + 1]
    found_ready = [now_ms for now_ms in times if becomes_ready(one, now_ms, row.reachable)]
    assert found_ready == [ready_at_ms], "once, at this time"
    assert one.ready_at_ms == ready_at_ms


def test_it_says_when_time_alone_may_make_it_ready() -> None:
    """A time that is too late would leave a question lying; one in the past would wake the node for ever."""
    one, charter = session(), BUILD.genesis.charter
    assert one.next_deadline_ms(charter) == DEADLINE_MS
    for member in range(4):
        one.add(preference(member))
    assert not becomes_ready(one, 200)
    assert one.next_deadline_ms(charter) == 1_200
    assert becomes_ready(one, 1_200)
    assert one.next_deadline_ms(charter) is None


def test_a_quorum_without_enough_answers_waits_for_the_deadline_only() -> None:
    """The fifth may still bring the third answer; the grace is for stragglers of a question that has its answers."""
    one = session()
    for member in range(4):
        one.add(preference(member) if member < 2 else preference(member, ()))
    assert not becomes_ready(one, 0)
    assert one.next_deadline_ms(BUILD.genesis.charter) == DEADLINE_MS


def test_points_for_what_is_no_answer_are_no_answer() -> None:
    """They are not counted in the end, so they must not make it look as if enough had answered."""
    one = session()
    for member in range(3):
        one.add(preference(member, (("no number", 5),)))
    assert one.sent() == frozenset(BUILD.ids[:3])
    assert one.answered() == 0


def test_records_are_kept_once_and_two_of_each_member_at_most() -> None:
    one = session()
    proposal = BUILD.proposal(0, QUESTION.digest(), SEVEN)
    assert one.add(preference(0)) and not one.add(preference(0)), "again"
    assert one.add(proposal) and not one.add(proposal)
    assert one.add(preference(0, (("8", 5),)))
    before = one.item()
    for number in range(20):
        assert not one.add(preference(0, ((str(number + 9), 5),))), "a third is refused whatever its digest is"
    assert one.item() == before
    assert one.own(Kind.PROPOSAL, BUILD.ids[0]) == proposal and one.own(Kind.PROPOSAL, BUILD.ids[1]) is None
    assert list(one.records()) == [QUESTION, proposal, *one.preferences]


def test_a_proposal_that_contradicts_takes_the_answer_back() -> None:
    one = session()
    one.add(BUILD.proposal(0, QUESTION.digest(), SEVEN))
    one.add(preference(0))
    assert one.answered() == 1
    one.add(BUILD.proposal(0, QUESTION.digest(), (("8", 5),)))
    assert one.answered() == 0


FULL = BUILD.item(QUESTION, [SEVEN] * 5)
FOUR = BUILD.item(QUESTION, [SEVEN] * 4)
NOBODY = Item(QUESTION, (), ())
TWICE = replace(FOUR, preferences=keep_records((*FOUR.preferences, preference(0, (("8", 5),)))))


def fed(item: Item, *, ready_at_ms: int | None) -> Session:
    one = session()
    for record in (*item.proposals, *item.preferences):
        one.add(record)
    if ready_at_ms is not None:
        assert becomes_ready(one, ready_at_ms)
    return one


def accepts(one: Session, item: Item, now_ms: int, reachable: str = "01234") -> bool:
    return one.accepts(item, BUILD.genesis.roster, frozenset(BUILD.ids[int(member)] for member in reachable), now_ms)


@pytest.mark.parametrize(
    ("held", "ready_at_ms", "item", "accepted"),
    [
        pytest.param(FULL, 0, FULL, True, id="what is held here"),
        pytest.param(FOUR, DEADLINE_MS, FULL, True, id="more than was held"),
        pytest.param(FULL, 0, FOUR, False, id="somebody was left out"),
        pytest.param(FULL, 0, replace(FULL, proposals=FULL.proposals[1:]), False, id="a proposal was left out"),
        pytest.param(FOUR, DEADLINE_MS, NOBODY, False, id="everybody was left out"),
        pytest.param(NOBODY, DEADLINE_MS, NOBODY, True, id="nobody answered in time"),
        pytest.param(NOBODY, None, NOBODY, False, id="nobody has answered yet"),
        pytest.param(NOBODY, None, FOUR, False, id="one is still missing"),
        pytest.param(NOBODY, None, FULL, True, id="nobody is missing, though nothing has come here"),
        pytest.param(TWICE, DEADLINE_MS, FOUR, False, id="a contradiction was hidden"),
        pytest.param(TWICE, DEADLINE_MS, TWICE, True, id="a contradiction is shown"),
        pytest.param(FOUR, DEADLINE_MS, TWICE, True, id="a contradiction that was not known here"),
    ],
)
def test_with_what_it_may_be_ended(held: Item, ready_at_ms: int | None, item: Item, accepted: bool) -> None:
    """A nominator must choose neither the answer, by choosing who counts, nor the time."""
    one = fed(held, ready_at_ms=ready_at_ms)
    assert accepts(one, item, ready_at_ms or 0) is accepted


def test_who_came_after_it_was_ready_may_be_missing() -> None:
    """Else a straggler could make every agenda that is voted on outdated."""
    one = fed(FOUR, ready_at_ms=DEADLINE_MS)
    one.add(preference(4))
    assert accepts(one, FOUR, DEADLINE_MS)


def test_all_who_are_reachable_are_enough_when_there_is_an_outcome() -> None:
    one = session()
    assert accepts(one, FOUR, 0, "0123")
    few = BUILD.item(QUESTION, [SEVEN, SEVEN, (), ()])
    assert not accepts(one, few, 0, "0123"), "two answers are below the turnout"


def test_in_the_end_any_profile_is_better_than_no_decision() -> None:
    one = fed(FULL, ready_at_ms=0)
    assert not accepts(one, FOUR, COMPLETE_MS - 1)
    assert accepts(one, FOUR, COMPLETE_MS)
