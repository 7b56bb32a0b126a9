"""The sums of the benchmark. A wrong one would make every published figure wrong."""

import json
from typing import cast

import pytest

from node.api import DecisionReport
from node.lab.bench.measures import Score, quantile, wilson


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [
        pytest.param([3.0, 1.0, 2.0], 0.5, 2.0, id="the middle one of three"),
        pytest.param([1.0, 2.0, 3.0, 4.0], 0.5, 2.0, id="the lower of two in the middle: nearest rank"),
        pytest.param([float(n) for n in range(1, 201)], 0.99, 198.0, id="two of 200 are above the 99th percentile"),
        pytest.param([7.0], 0.99, 7.0, id="one value is every quantile"),
    ],
)
def test_quantile(values: list[float], share: float, found: float) -> None:
    assert quantile(values, share) == found


@pytest.mark.parametrize(
    ("right", "asked", "low", "high"),
    [
        pytest.param(0, 0, 0.0, 1.0, id="nothing asked, nothing known"),
        pytest.param(5, 10, 0.237, 0.763, id="half of ten, as in Wilson's formula"),
        pytest.param(10, 10, 0.722, 1.0, id="all of ten is not certainty"),
    ],
)
def test_wilson(right: int, asked: int, low: float, high: float) -> None:
    assert wilson(right, asked) == pytest.approx((low, high), abs=1e-3)


def _decision(answer: str | None, **members: str | None) -> DecisionReport:
    parts = [{"name": name, "answer": its} for name, its in members.items()]
    cost = {"forward_passes": 6, "prompt_tokens": 0, "generated_tokens": 9, "model_ms": 0.0}
    return cast(DecisionReport, {"answer": answer, "members": parts, "cost": cost})


def test_a_score_counts_the_moot_its_members_and_who_errs_alike() -> None:
    score = Score()
    score.add("7", {"points": _decision("7", a="7", b="8", c="8"), "plurality": _decision("8", a="7", b="8", c="8")})
    score.add("1", {"points": _decision(None, a=None, b=None, c="2"), "plurality": _decision("1", a="1", b="1", c="1")})
    assert score.asked == 2
    assert dict(score.decided) == {"points": 1, "plurality": 1}
    assert score.best_member() == ("a", 1)
    assert score.anybody == 1
    assert (score.wrong_pairs, score.same_wrong) == (1 + 3, 1), "two that abstain have not erred alike"
    assert score.forward_passes == 12
    assert (score + score).asked == 4
    assert json.loads(json.dumps(score.report()))["members"] == {"a": 1, "b": 0, "c": 0}, "a file can be made of it"
