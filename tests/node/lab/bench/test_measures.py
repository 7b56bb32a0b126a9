"""The sums of the benchmark. A wrong one would make every published figure wrong."""

import pytest

from node.lab.bench.measures import quantile, wilson


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
