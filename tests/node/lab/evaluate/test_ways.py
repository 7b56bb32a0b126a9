"""Ways that only count, each against counts by hand, and whose samples each has to pay for."""

import pytest

from node.lab.evaluate.case import Case, even
from node.lab.evaluate.ways import WAYS, apply
from tests.node.lab.evaluate.scripted import case, drew

SURE = drew("7", "7", "7", "7", "7")
GUESS = drew("8", "8", "9", "7", None)
OTHER = drew("8", "8", "8", "9", None)
SILENT = drew(None, None, None, None, None)


@pytest.mark.parametrize(
    ("way", "asked", "answer"),
    [
        pytest.param("points", case(SURE, GUESS, OTHER), "7", id="points: 6 for 7, 5 for 8"),
        pytest.param("plurality", case(SURE, GUESS, OTHER), "8", id="plurality: one head against two"),
        pytest.param("consistent", case(SURE, GUESS, OTHER), "7", id="consistent: the sure one"),
        pytest.param("consistent", case(GUESS, OTHER, SILENT), "8", id="consistent: 3 of 5 are the most"),
        pytest.param("points", case(SILENT, SILENT), None, id="nobody answers"),
        pytest.param("consistent", case(SILENT, SILENT), None, id="nobody is consistent"),
        pytest.param("cascade", case(OTHER, SURE, sizes=(1, 9)), "7", id="cascade: 3 of 5 agree, so the large one too"),
        pytest.param("cascade", case(SURE, OTHER, sizes=(9, 1)), "7", id="cascade: sizes, not places, decide"),
        pytest.param("cascade", case(drew("8", "8", "8", "8", "9"), SURE, sizes=(1, 9)), "8", id="cascade: 4 of 5"),
        pytest.param("cascade", case(SILENT, SURE, sizes=(1, 9)), "7", id="cascade: the small one is silent"),
    ],
)
def test_what_a_way_answers(way: str, asked: Case, answer: str | None) -> None:
    assert apply(way, WAYS[way], asked).answer == answer


def test_a_way_pays_for_what_it_uses() -> None:
    whole = apply("points", WAYS["points"], case(SURE, OTHER, GUESS, sizes=(1, 5, 9)))
    assert (whole.spent.prompt_tokens, whole.spent.generated_tokens, whole.spent.tokens) == (30, 45, 75)
    spared = apply("cascade", WAYS["cascade"], case(SURE, OTHER, GUESS, sizes=(1, 5, 9)))
    assert spared.spent == SURE.spent
    both = apply("cascade", WAYS["cascade"], case(OTHER, SURE, GUESS, sizes=(1, 5, 9)))
    assert both.spent == OTHER.spent + GUESS.spent, "the smallest and the largest"


@pytest.mark.parametrize(("tokens", "samples"), [(0, 3), (7, 3), (9, 3), (1, 1)])
def test_equal_parts_lose_no_token(tokens: int, samples: int) -> None:
    parts = even(tokens, samples)
    assert sum(parts) == tokens and max(parts) - min(parts) <= 1
