"""Intervals and tests of shares: known values, and that interval and test say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.lab.evaluate.shares import Paired, Share, at_least, clopper_pearson


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    [
        pytest.param(5, 10, 0.187, 0.813, id="half of ten"),
        pytest.param(0, 10, 0.0, 0.308, id="none of ten"),
        pytest.param(10, 10, 0.692, 1.0, id="all of ten"),
        pytest.param(1, 20, 0.001, 0.249, id="one of twenty"),
        pytest.param(0, 0, 0.0, 1.0, id="nothing tried, nothing known"),
        pytest.param(5_000, 10_000, 0.490, 0.510, id="many, without over- or underflow"),
    ],
)
def test_clopper_pearson(hits: int, tries: int, low: float, high: float) -> None:
    """Values as tables of the exact interval give them."""
    assert clopper_pearson(hits, tries) == pytest.approx((low, high), abs=6e-4)


@pytest.mark.parametrize(
    ("gained", "lost", "p_value", "verdict"),
    [
        pytest.param(0, 0, 1.0, "no difference measured", id="never apart"),
        pytest.param(4, 0, 0.125, "no difference measured", id="four to none may be chance: 2/16"),
        pytest.param(5, 0, 0.0625, "no difference measured", id="five to none too: 2/32"),
        pytest.param(6, 0, 0.03125, "better", id="six to none may not: 2/64"),
        pytest.param(0, 6, 0.03125, "worse", id="the other way round"),
        pytest.param(10, 10, 1.0, "no difference measured", id="even"),
        pytest.param(15, 5, 0.0414, "better", id="15 to 5: twice the sum of C(20,k)/2^20 for k to 5"),
    ],
)
def test_mcnemar(gained: int, lost: int, p_value: float, verdict: str) -> None:
    paired = Paired(gained, lost, 60)
    assert paired.p_value == pytest.approx(p_value, abs=1e-4)
    assert paired.verdict == verdict
    assert paired.difference == pytest.approx((gained - lost) / 60)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_interval_and_test_agree(gained: int, lost: int, neither: int) -> None:
    """A person who reads the interval and one who reads the sentence must learn the same."""
    paired = Paired(gained, lost, gained + lost + neither)
    low, high = paired.interval
    assert -1 <= low <= paired.difference + 1e-9 and paired.difference - 1e-9 <= high <= 1
    assert (low > 0 or high < 0) is (paired.p_value < 0.05)
    assert Paired(lost, gained, paired.asked).interval == pytest.approx((-high, -low), abs=1e-9)


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_share_lies_in_its_interval(right: int, wrong: int) -> None:
    """Also at none and all, where simpler intervals are empty."""
    found = Share(right, right + wrong)
    low, high = found.interval
    assert 0 <= low <= found.value + 1e-12 and found.value - 1e-12 <= high <= 1
    assert low < high
    assert Share(wrong, found.asked).interval == pytest.approx((1 - high, 1 - low), abs=1e-9)


@given(st.floats(0, 1))
def test_a_share_that_is_not_whole_never_reads_as_whole(value: float) -> None:
    assert (at_least(value) == "1.00") is (value == 1)
    assert float(at_least(value)) <= value


def test_pairs_are_counted() -> None:
    paired = Paired.of([True, True, False, False], [True, False, True, False])
    assert (paired.gained, paired.lost, paired.asked) == (1, 1, 4)
    with pytest.raises(ValueError, match="shorter"):
        Paired.of([True], [])


def test_a_share_of_nothing() -> None:
    assert Share(0, 0).value == 0.0 and Share(0, 0).interval == (0.0, 1.0)
    assert Share(3, 4).value == 0.75
