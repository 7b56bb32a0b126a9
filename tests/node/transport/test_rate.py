"""Token buckets let through what the rate says: never more, and what they said to wait for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.transport.rate import Rate, RateLimiter, TokenBucket


@pytest.mark.parametrize(
    ("steps", "waits"),
    [
        pytest.param([(0, 10), (0, 1)], [0, 100], id="empty after its burst"),
        pytest.param([(0, 10), (99, 1), (100, 1)], [0, 1, 0], id="the wait is exact"),
        pytest.param([(0, 10), (10_000, 10), (10_000, 1)], [0, 0, 100], id="never fuller than full"),
        pytest.param([(0, 4), (0, 4), (0, 4)], [0, 0, 200], id="what is there, is taken"),
        pytest.param([(0, 25), (0, 1), (1_600, 1)], [0, 1_600, 0], id="more than fits leaves a debt"),
        pytest.param([(0, 10), (50, 1), (20, 1)], [0, 50, 50], id="a clock that goes back gives nothing"),
        pytest.param([(7_000_000, 10), (7_000_000, 1)], [0, 100], id="the clock may begin anywhere"),
    ],
)
def test_a_bucket_of_ten_with_ten_a_second(steps: list[tuple[int, int]], waits: list[int]) -> None:
    bucket = TokenBucket(per_s=10, burst=10)
    seen = []
    for now_ms, amount in steps:
        wait_ms = bucket.wait_ms(amount, now_ms)
        if wait_ms == 0:
            bucket.take(amount)
        seen.append(wait_ms)
    assert seen == waits


def test_either_limit_holds() -> None:
    """Few large envelopes and many small ones are both too much."""
    many = RateLimiter(Rate(envelopes_per_s=2, bytes_per_s=1_000_000, burst_s=1))
    assert [many.take(1, 0) for _ in range(3)] == [0, 0, 500]
    large = RateLimiter(Rate(envelopes_per_s=1_000, bytes_per_s=100, burst_s=1))
    assert [large.take(100, 0), large.take(50, 0)] == [0, 500]
    assert large.take(100, 500) == 500, "the smaller one that waited took nothing"


@given(
    st.integers(1, 50),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 100)), max_size=60),
)
def test_no_span_of_time_lets_more_through(per_s: int, burst_s: int, arrivals: list[tuple[int, int]]) -> None:
    """Over any time, at most the burst and what was gained since; and who waits as told gets through."""
    limiter, now_ms, passed = RateLimiter(Rate(per_s, 1_000, burst_s)), 0, list[int]()
    for gap_ms, size in arrivals:
        now_ms += gap_ms
        wait_ms = limiter.take(size, now_ms)
        if wait_ms > 0:
            now_ms += wait_ms
            assert limiter.take(size, now_ms) == 0
        passed.append(now_ms)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            gained = (passed[last] - passed[first]) * per_s / 1_000
            assert last - first + 1 <= per_s * burst_s + gained + 1e-6
