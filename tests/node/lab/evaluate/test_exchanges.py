"""Ways that ask members again: what they are shown, and what becomes of their replies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.lab.evaluate import exchanges
from node.lab.evaluate.case import Case, Reply
from node.lab.evaluate.exchanges import CANDIDATES_MAX, Terms, candidates, spread
from node.lab.evaluate.spent import Spent
from node.model.requests import GenerateRequest, ScoreRequest
from node.model.results import Account, End, Generated, Score, Scored
from tests.node.lab.evaluate.scripted import case, drew

TERMS = Terms(5, 0.7, 64, 1)
FREE = Spent()


def wrote(*texts: str) -> Reply:
    return Reply(Generated(texts, (End.MODEL,) * len(texts), Account(), (), (1,) * len(texts)), FREE)


def weighed(*logprobs: float) -> Reply:
    return Reply(Scored(tuple(Score(logprob, 1) for logprob in logprobs), Account()), FREE)


FAILED = Reply(None, FREE, "it died")


def divided() -> Case:
    return case(drew("7", "7", "7", "7", "8"), drew("9", "9", None, None, None))


def test_candidates_are_everybodys_answers_most_points_first() -> None:
    assert candidates(divided()) == ["7", "9", "8"]
    many = case(drew(*[str(number) for number in range(20)]))
    assert len(candidates(many)) == CANDIDATES_MAX


def test_a_member_revises_knowing_the_others_answers_and_its_own() -> None:
    [request] = exchanges.ask_revisions(divided(), 1, TERMS)
    assert isinstance(request, GenerateRequest)
    assert request.prompt == "what is 3 + 4?\nOthers: 7\nMine: 9" and request.samples == 5
    [other] = exchanges.ask_revisions(divided(), 0, TERMS)
    assert isinstance(other, GenerateRequest) and other.sampling.seed != request.sampling.seed
    lone = case(drew("7"), drew(None))
    assert exchanges.ask_revisions(lone, 0, TERMS) == (), "nobody else has an answer"


def test_second_samples_count_and_who_fails_keeps_its_first() -> None:
    asked = divided()
    asked.replies["revise"] = ((FAILED,), (wrote("7", "3+4 => 7", "9", "none", "7"),))
    assert exchanges.revised(asked) == [(("7", 4), ("8", 1)), (("7", 3), ("9", 1))]


def test_a_member_scores_candidates_after_its_own_steps() -> None:
    steps = drew("7", "8")
    worked = type(steps)(("3+4=7 => 7", "8"), steps.answers, steps.lengths, steps.spent)
    [request] = exchanges.ask_scores(case(worked, drew("9", "9")), 0, TERMS)
    assert isinstance(request, ScoreRequest)
    assert request.written == "3+4=7 => " and request.continuations == ("9", "7", "8") and request.closed
    assert exchanges.ask_scores(case(drew("7"), drew("7")), 0, TERMS) == (), "there is nothing to choose from"


def test_scores_become_points_in_proportion() -> None:
    asked = divided()
    asked.replies["scored"] = ((weighed(-1.0, -1.0, -50.0),), (FAILED,))
    points, kept = exchanges.scored(asked)
    assert points == (("7", 3), ("9", 2)), "equal shares of five points: the odd one to the first name"
    assert kept == (("9", 2),)


@pytest.mark.parametrize(
    ("verdicts", "points"),
    [
        pytest.param((), (("7", 4), ("8", 1)), id="not asked: its samples"),
        pytest.param(("no", "yes", "no"), (("9", 11), ("7", 4), ("8", 1)), id="it holds the other's answer for right"),
        pytest.param(("yes", "yes", "no"), (("7", 15), ("9", 11), ("8", 1)), id="both: its samples break the tie"),
        pytest.param(("maybe", "right or wrong", ""), (("7", 4), ("8", 1)), id="no verdicts"),
        pytest.param(("no", "3+4=7 => yes", "no"), (("9", 11), ("7", 4), ("8", 1)), id="after worked steps"),
    ],
)
def test_verdicts_outweigh_samples(verdicts: tuple[str, ...], points: tuple[tuple[str, int], ...]) -> None:
    asked = divided()
    assert [
        request.prompt for request in exchanges.ask_verdicts(asked, 0, TERMS) if isinstance(request, GenerateRequest)
    ] == [f"what is 3 + 4?\nIs it {one}?" for one in ("7", "9", "8")]
    asked.replies["judge"] = (tuple(wrote(text) for text in verdicts), (FAILED, FAILED, FAILED))
    assert exchanges.judged(asked) == [points, (("9", 2),)]


@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=8), st.integers(1, 64))
def test_spread_gives_every_point_and_is_fair(weights: list[float], points: int) -> None:
    names = [f"n{number}" for number in range(len(weights))]
    given_points = dict(spread(names, weights, points))
    assert sum(given_points.values()) == points
    for name, weight in zip(names, weights, strict=True):
        assert abs(given_points.get(name, 0) - weight / sum(weights) * points) < 1 + 1e-6


def test_without_temperature_one_sample_is_enough() -> None:
    assert Terms(5, 0.0, 64, 1).draw("x", 5).samples == 1
    assert TERMS.draw("x", 5, 0).sampling.seed != TERMS.draw("x", 5, 1).sampling.seed
    assert TERMS.draw("x", 5, 0) == TERMS.draw("x", 5, 0), "the same measurement again asks the same"
