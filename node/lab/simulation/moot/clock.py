"""A simulated machine's clocks: a monotonic one that runs a little fast or slow, a wall clock that may be wrong."""

from dataclasses import dataclass

from node.shell import CLOCK_STEP_MS

WALL_MS = 1_750_000_000_000
"""The true wall clock when a run begins."""
MILLION = 1_000_000


@dataclass(slots=True)
class HostClock:
    """Virtual time is true. Both clocks of a machine drift alike; only the wall clock is ever set."""

    base_ms: int
    """What the monotonic clock shows when the run begins."""
    drift_ppm: int = 0
    wall_error_ms: int = 0

    def monotonic_ms(self, now_ms: int) -> int:
        return self.base_ms + now_ms + now_ms * self.drift_ppm // MILLION

    def wall_ms(self, now_ms: int) -> int:
        return WALL_MS + self.wall_error_ms + now_ms + now_ms * self.drift_ppm // MILLION

    def wall_offset_ms(self) -> int:
        """Wall clock minus monotonic clock."""
        return WALL_MS + self.wall_error_ms - self.base_ms

    def is_set_since(self, wall_offset_ms: int) -> bool:
        """Whether the wall clock was set since it was so far ahead of the monotonic one."""
        return abs(self.wall_offset_ms() - wall_offset_ms) >= CLOCK_STEP_MS

    def when(self, monotonic_ms: int) -> int:
        """The first moment at which the monotonic clock shows so much."""
        passed = monotonic_ms - self.base_ms
        if not self.drift_ppm:
            return passed
        now_ms = passed * MILLION // (MILLION + self.drift_ppm)
        while now_ms > 0 and self.monotonic_ms(now_ms - 1) >= monotonic_ms:
            now_ms -= 1
        while self.monotonic_ms(now_ms) < monotonic_ms:
            now_ms += 1
        return now_ms
