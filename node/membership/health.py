"""How far this node trusts itself to judge others: Lifeguard's local health multiplier.

Source: Dadgar et al., Lifeguard (arXiv 1707.00788), section 4.1.
"""

from dataclasses import dataclass

PENALTY_SPACING_MS = 1_000
"""Lag and local send errors come in bursts; one second of them is one sign of bad health."""


@dataclass(slots=True)
class LocalHealth:
    """0 is healthy. Missed acks and nacks, refuted suspicions of us and lag raise it; answered probes lower it."""

    score_max: int
    score: int = 0
    _penalized_ms: int | None = None

    def improve(self) -> None:
        self.score = max(0, self.score - 1)

    def worsen(self, by: int = 1) -> None:
        self.score = min(self.score_max, self.score + by)

    def penalize(self, now_ms: int, by: int = 1) -> None:
        """Worsen for a fault of this machine, at most once a second."""
        if self._penalized_ms is None or now_ms - self._penalized_ms >= PENALTY_SPACING_MS:
            self._penalized_ms = now_ms
            self.worsen(by)

    @property
    def factor(self) -> int:
        """What the probe interval is multiplied by."""
        return self.score + 1
