"""How much one liar may send: enough to be a nuisance, and never so much that a run does nothing but hear it."""

PER_MOMENT_MAX = 50
"""Messages in one millisecond, and so also in answer to one message."""
PER_SECOND_MAX = 300


class Allowance:
    """Counts messages in the current millisecond and in the current second of virtual time."""

    def __init__(self) -> None:
        self._at_ms = self._second = -1
        self._in_moment = self._in_second = 0

    def take(self, now_ms: int) -> bool:
        """Whether one more may be sent now; it then counts as sent."""
        if now_ms != self._at_ms:
            self._at_ms, self._in_moment = now_ms, 0
        if now_ms // 1_000 != self._second:
            self._second, self._in_second = now_ms // 1_000, 0
        if self._in_moment >= PER_MOMENT_MAX or self._in_second >= PER_SECOND_MAX:
            return False
        self._in_moment += 1
        self._in_second += 1
        return True
