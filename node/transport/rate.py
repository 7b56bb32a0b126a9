"""Token buckets: how many envelopes and bytes one peer may send. Integers only; the time is handed in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """A lasting rate, and how many seconds' worth of it may come at once."""

    envelopes_per_s: int
    bytes_per_s: int
    burst_s: int = 2


class TokenBucket:
    """Holds up to `burst` tokens, full at first, and gains `per_s` tokens each second."""

    def __init__(self, per_s: int, burst: int) -> None:
        assert per_s > 0
        assert burst > 0
        self._per_s = per_s
        self._full = burst * 1_000
        self._level = self._full
        """In thousandths of a token, so that milliseconds times tokens per second is exact."""
        self._at_ms: int | None = None

    def wait_ms(self, amount: int, now_ms: int) -> int:
        """How long until `amount` tokens are there; 0 when they are. Takes nothing.

        What is larger than the bucket waits for a full one.
        """
        if self._at_ms is not None:
            self._level = min(self._full, self._level + max(0, now_ms - self._at_ms) * self._per_s)
        self._at_ms = now_ms
        lacking = min(amount * 1_000, self._full) - self._level
        return max(0, -(-lacking // self._per_s))

    def take(self, amount: int) -> None:
        """Take tokens that are there; a large amount leaves the bucket in debt."""
        self._level -= amount * 1_000


class RateLimiter:
    """Counts envelopes and bytes together: an envelope passes when both buckets let it."""

    def __init__(self, rate: Rate) -> None:
        self._envelopes = TokenBucket(rate.envelopes_per_s, rate.envelopes_per_s * rate.burst_s)
        self._bytes = TokenBucket(rate.bytes_per_s, rate.bytes_per_s * rate.burst_s)

    def take(self, size: int, now_ms: int) -> int:
        """Let an envelope of `size` bytes pass, and give 0; or give the milliseconds to wait, and take nothing."""
        wait_ms = max(self._envelopes.wait_ms(1, now_ms), self._bytes.wait_ms(size, now_ms))
        if wait_ms == 0:
            self._envelopes.take(1)
            self._bytes.take(size)
        return wait_ms
