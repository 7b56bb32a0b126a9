"""From records to an outcome: who counts, what it cost, and what may not stand on an agenda at all."""

from dataclasses import replace

import pytest

from coordinator.ledger.agenda import Item, keep_records
from coordinator.ledger.resolution import BadSignatureError, ItemError, Stand, check_item, resolve
from coordinator.records import AnswerKind, Cost
from coordinator.signed import Kind, Signed
from coordinator.tally import only
from tests.coordinator.keys import found
from tests.coordinator.ledger.build import Build, Points

MOOT = Build(genesis=found(5, samples=5))
QUESTION = MOOT.question()
ID = QUESTION.digest()
SEVEN, EIGHT = (("7", 5),), (("8", 5),)
STRANGER = b"s" * 32


def stands(item: Item, build: Build = MOOT) -> list[Stand]:
    """By number of the member."""
    by_member = {part.member: part.stand for part in resolve(item, build.genesis.roster).parts}
    return [by_member[node] for node in build.ids]


def test_points_decide_and_the_bill_is_exact() -> None:
    item = MOOT.item(QUESTION, [SEVEN, (("7", 3), ("8", 2)), EIGHT, None, ()])
    extra = MOOT.preference(3, ID, EIGHT, Cost(10, 20, 30, 40))
    item = replace(item, preferences=keep_records((*item.preferences, extra)))
    resolution = resolve(item, MOOT.genesis.roster)
    assert resolution.outcome is not None
    assert resolution.outcome.scores == (("8", 12), ("7", 8))
    assert resolution.answered == 4
    assert resolution.reason is None
    assert resolution.cost == Cost(4 * 1 + 10, 4 * 2 + 20, 4 * 3 + 30, 4 * 4 + 40)
    assert stands(item) == [Stand.ANSWERED] * 4 + [Stand.ABSTAINED]
    assert [part.member for part in resolution.parts] == [member.node for member in MOOT.genesis.members]


@pytest.mark.parametrize("kind", [Kind.PROPOSAL, Kind.PREFERENCE])
def test_who_signs_two_different_records_is_not_counted(kind: Kind) -> None:
    item = MOOT.item(QUESTION, [SEVEN, SEVEN, SEVEN, EIGHT, EIGHT])
    if kind is Kind.PROPOSAL:
        item = replace(item, proposals=keep_records((*item.proposals, MOOT.proposal(4, ID, SEVEN))))
    else:
        item = replace(item, preferences=keep_records((*item.preferences, MOOT.preference(4, ID, SEVEN))))
    resolution = resolve(item, MOOT.genesis.roster)
    assert stands(item)[4] is Stand.CONTRADICTED
    assert resolution.outcome is not None and resolution.outcome.scores == (("7", 15), ("8", 5))
    assert resolution.answered == 4
    [part] = [part for part in resolution.parts if part.member == MOOT.ids[4]]
    assert part.points == () and part.cost == Cost(), "its bill is as little believed as its answer"


def test_only_answers_in_their_one_spelling_get_points() -> None:
    """Else 7 and 7.0 would be two candidates and split the votes of those who agree."""
    item = MOOT.item(QUESTION, [(("7.0", 5),), (("seven", 3), ("7", 2)), SEVEN, SEVEN, None])
    resolution = resolve(item, MOOT.genesis.roster)
    assert stands(item) == [Stand.ABSTAINED] + [Stand.ANSWERED] * 3 + [Stand.SILENT]
    assert resolution.outcome is not None and resolution.outcome.scores == (("7", 12),)


@pytest.mark.parametrize(
    ("answering", "reason"), [(3, None), (2, "no quorum: 2 of 5 members answered by the deadline")]
)
def test_turnout(answering: int, reason: str | None) -> None:
    answers = [SEVEN] * answering + [()] * (5 - answering)
    resolution = resolve(MOOT.item(QUESTION, answers), MOOT.genesis.roster)
    assert resolution.reason == reason
    assert (resolution.outcome is None) is (reason is not None)
    assert resolution.cost == Cost(5, 10, 15, 20), "what was spent is on the bill also without an answer"


@pytest.mark.parametrize(
    ("answers", "scores", "reason"),
    [
        pytest.param([(), SEVEN, (), (), ()], (("7", 5),), None, id="it answers, the others abstain"),
        pytest.param([EIGHT, SEVEN, EIGHT, EIGHT, EIGHT], (("7", 5),), None, id="others give points all the same"),
        pytest.param(
            [EIGHT, (), EIGHT, EIGHT, EIGHT],
            None,
            "no answer: only n1 was asked, and it gave none by the deadline",
            id="it abstains",
        ),
        pytest.param(
            [EIGHT, None, EIGHT, EIGHT, EIGHT],
            None,
            "no answer: only n1 was asked, and it gave none by the deadline",
            id="it is not there",
        ),
    ],
)
def test_one_member_alone(answers: list[Points | None], scores: Points | None, reason: str | None) -> None:
    """Only the member that the question names is counted, which is turnout enough; what others say moves nothing."""
    resolution = resolve(MOOT.item(MOOT.question(tally=only(MOOT.ids[1])), answers), MOOT.genesis.roster)
    assert (resolution.outcome and resolution.outcome.scores) == scores
    assert resolution.reason == reason
    assert (resolution.answered, resolution.turnout) == (int(scores is not None), 1)
    answered = [part.member for part in resolution.parts if part.points]
    assert answered == [MOOT.ids[1]] * resolution.answered


def test_one_member_alone_that_contradicts_itself_is_not_counted() -> None:
    question = MOOT.question(tally=only(MOOT.ids[1]))
    twice = tuple(MOOT.preference(1, question.digest(), points) for points in (SEVEN, EIGHT))
    resolution = resolve(Item(question, (), twice), MOOT.genesis.roster)
    assert resolution.outcome is None and resolution.answered == 0


def test_one_member_alone_that_is_not_in_the_roster() -> None:
    question = MOOT.question(tally=only(STRANGER))
    item = MOOT.item(question, [SEVEN, SEVEN, SEVEN, SEVEN, SEVEN])
    check_item(item, MOOT.genesis.roster, MOOT.verify)
    assert resolve(item, MOOT.genesis.roster).reason == (
        "no answer: only the member 73737373 was asked, and it is not in the roster"
    )


def test_a_tie_is_reported_as_one() -> None:
    resolution = resolve(MOOT.item(QUESTION, [SEVEN, SEVEN, EIGHT, EIGHT, ()]), MOOT.genesis.roster)
    assert resolution.outcome is not None
    assert sorted(resolution.outcome.tied) == ["7", "8"] and resolution.outcome.tied[0] == resolution.outcome.answer


def test_weights_and_the_questions_own_rule_count() -> None:
    members = tuple(replace(one, weight=4 if one.name == "n0" else 1) for one in MOOT.genesis.members)
    build = Build(genesis=replace(MOOT.genesis, members=members))
    for tally, scores in (("", (("8", 16), ("7", 14))), ("plurality", (("8", 4), ("7", 2)))):
        item = build.item(build.question(tally=tally), [(("8", 4), ("7", 1)), SEVEN, SEVEN, (), ()])
        outcome = resolve(item, build.genesis.roster).outcome
        assert outcome is not None and outcome.scores == scores


def test_a_choice_takes_only_its_options() -> None:
    question = MOOT.question(kind=AnswerKind.CHOICE, options=("red", "blue"))
    item = MOOT.item(question, [(("red", 5),), (("green", 5),), (("b", 5),), (("blue", 5),), (("red", 5),)])
    resolution = resolve(item, MOOT.genesis.roster)
    assert resolution.outcome is not None and resolution.outcome.scores == (("red", 10), ("blue", 5))


def with_preference(record: Signed) -> Item:
    return Item(QUESTION, (), (record,))


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        pytest.param(with_preference(MOOT.preference(STRANGER, ID, SEVEN)), ItemError, "roster", id="a stranger"),
        pytest.param(
            with_preference(replace(MOOT.preference(0, ID, SEVEN), author=MOOT.ids[1])),
            BadSignatureError,
            "n1 did not sign",
            id="another's signature",
        ),
        pytest.param(
            Item(replace(QUESTION, signature=b"x" * 64), (), ()), BadSignatureError, "n0 did not", id="the question's"
        ),
        pytest.param(
            Item(QUESTION, (replace(MOOT.proposal(2, ID, SEVEN), signature=b"x" * 64),), ()),
            BadSignatureError,
            "n2 did not sign",
            id="a proposal's",
        ),
        pytest.param(
            with_preference(MOOT.preference(0, b"o" * 32, SEVEN)), ItemError, "another", id="another question"
        ),
        pytest.param(
            Item(QUESTION, (MOOT.proposal(0, b"o" * 32, SEVEN),), ()), ItemError, "another", id="a proposal to another"
        ),
        pytest.param(with_preference(MOOT.preference(0, ID, (("7", 6),))), ItemError, "points", id="too many points"),
        pytest.param(
            Item(QUESTION, (MOOT.proposal(0, ID, SEVEN, samples=6),), ()), ItemError, "samples", id="too many samples"
        ),
        pytest.param(
            with_preference(MOOT.sign(0, Kind.PREFERENCE, b"junk")),
            ItemError,
            "cannot be read",
            id="a preference of junk",
        ),
        pytest.param(
            Item(MOOT.sign(0, Kind.QUESTION, b"junk"), (), ()), ItemError, "cannot be read", id="a question of junk"
        ),
        pytest.param(Item(MOOT.question(tally="dice"), (), ()), ItemError, "'dice'", id="an unknown voting rule"),
    ],
)
def test_what_may_not_stand_on_an_agenda(item: Item, error: type[ItemError], message: str) -> None:
    with pytest.raises(error, match=message):
        check_item(item, MOOT.genesis.roster, MOOT.verify)


def test_what_honest_members_sign_may_stand_there() -> None:
    check_item(MOOT.item(QUESTION, [SEVEN, (), None, EIGHT, SEVEN]), MOOT.genesis.roster, MOOT.verify)
