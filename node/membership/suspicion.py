"""How long a suspicion lasts: long for a lone accuser, short once others confirm it.

Source: Dadgar et al., Lifeguard (arXiv 1707.00788), section 4.2; hashicorp/memberlist, suspicion.go and util.go.
"""

import math
from dataclasses import dataclass

from node.membership.settings import MembershipSettings


def suspicion_ms_min(settings: MembershipSettings, n: int) -> int:
    """The shortest suspicion among `n` live members, this node included. The dead do not slow it down."""
    return int(settings.suspicion_mult * max(1.0, math.log10(max(1, n))) * settings.probe_interval_ms)


@dataclass(slots=True)
class Countdown:
    """A running suspicion. It ends at `due_ms` unless the suspect refutes."""

    started_ms: int
    ms_min: int
    ms_max: int
    expected: int
    """Confirmations that bring it to its minimum; 0 where too few members could confirm."""
    confirmations: int = 0

    @classmethod
    def start(cls, settings: MembershipSettings, n: int, now_ms: int) -> "Countdown":
        """Begin to suspect one of `n` live members, this node and the suspect included."""
        ms_min = suspicion_ms_min(settings, n)
        expected = settings.suspicion_confirmations
        if n - 2 < expected:  # fewer could confirm than are expected to: do not wait for them
            expected = 0
        return cls(now_ms, ms_min, settings.suspicion_max_factor * ms_min, expected)

    @property
    def lasts_ms(self) -> int:
        if self.expected == 0:
            return self.ms_min
        share = math.log(self.confirmations + 1) / math.log(self.expected + 1)
        return max(self.ms_min, round(self.ms_max - (self.ms_max - self.ms_min) * share))

    @property
    def due_ms(self) -> int:
        return self.started_ms + self.lasts_ms

    def pause(self, lag_ms: int, now_ms: int) -> None:
        """Do not count time in which this node could not listen; after a long stall begin again."""
        self.started_ms = now_ms if lag_ms > self.ms_min else min(now_ms, self.started_ms + lag_ms)
