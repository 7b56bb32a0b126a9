"""How alike members err: by hand, and at the ends where the number of votes is known."""

import random

import pytest

from node.lab.evaluate.agreement import Agreement, agreement, phi
from node.lab.evaluate.measure import Measured
from tests.node.lab.evaluate.scripted import case, drew


def measured(*answers: tuple[str | None, ...]) -> Measured:
    """One answer of each member to each question, of which the right one is 7."""
    count = len(answers[0])
    found = Measured(tuple("abcdefgh"[:count]), (1,) * count, (b"",) * count, ())
    found.cases = [case(*(drew(answer) for answer in some)) for some in answers]
    return found


def test_by_hand() -> None:
    found = agreement(measured(("7", "8", "8"), ("8", "8", "9"), (None, None, "8"), ("7", "7", "8")), None)
    assert found.same_wrong[0][1] == 1 / 2, "both erred on the second alike, on the third neither answered"
    assert found.same_wrong[0][2] == 0 and found.same_wrong[1][2] == 1 / 3
    assert found.same_wrong[1][0] == found.same_wrong[0][1] and found.same_wrong[0][0] is None
    assert found.mean_same_wrong == 2 / 7
    assert found.correlation == pytest.approx(1 / 3**0.5), "the third is always wrong: it has no correlation"


def test_members_that_are_always_right_or_wrong_have_no_correlation() -> None:
    found = agreement(measured(("7", "8"), ("7", "8")), None)
    assert found.correlation is None and found.votes is None and found.mean_same_wrong is None


@pytest.mark.parametrize(
    ("correlation", "members", "votes"),
    [
        pytest.param(0.0, 5, 5.0, id="independent: each counts"),
        pytest.param(1.0, 5, 1.0, id="copies: one vote"),
        pytest.param(0.5, 3, 1.5, id="between"),
        pytest.param(-0.1, 3, 3.75, id="complementing each other: more than they are"),
        pytest.param(-0.5, 3, None, id="so opposed that no number of independent votes is alike"),
        pytest.param(None, 3, None, id="unknown"),
    ],
)
def test_votes(correlation: float | None, members: int, votes: float | None) -> None:
    assert Agreement((), None, correlation, members).votes == (votes if votes is None else pytest.approx(votes))


def test_votes_are_what_a_mean_of_votes_varies_by() -> None:
    """The definition: the variance of the mean of N votes is that of one over the number of votes."""
    rng, said = random.Random(1), []
    for _ in range(4_000):
        easy = rng.random() < 0.5
        said.append(tuple("7" if rng.random() < (0.8 if easy else 0.4) else "8" for _ in range(4)))
    found = agreement(measured(*said), None)
    means = [sum(answer == "7" for answer in some) / 4 for some in said]
    middle = sum(means) / len(means)
    variance = sum((one - middle) ** 2 for one in means) / len(means)
    assert found.votes == pytest.approx(middle * (1 - middle) / variance, rel=0.02)


def test_phi() -> None:
    assert phi([True, False], [True, False]) == 1.0 and phi([True, False], [False, True]) == -1.0
    assert phi([True, True], [True, False]) is None
