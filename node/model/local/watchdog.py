"""Tells a model's process that hangs from one that works: the one that works says something every second."""

CHECKS = 20
"""Per timeout."""


class Watchdog:
    """Counts silence in steps, so that a node that was itself held up for long has not seen a long silence.

    Args:
        timeout_ms: of silence while something is under way.
    """

    def __init__(self, timeout_ms: int) -> None:
        self.step_ms = max(10, timeout_ms // CHECKS)
        self._steps_max = -(-timeout_ms // self.step_ms)
        self._silent = 0

    def heard(self) -> None:
        """The process said something."""
        self._silent = 0

    def check(self, *, busy: bool) -> bool:
        """To be called every `step_ms`. True: it hangs."""
        self._silent = self._silent + 1 if busy else 0
        return self._silent > self._steps_max
