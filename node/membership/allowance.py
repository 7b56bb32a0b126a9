"""How many signatures one member may make us check: some hundreds a second, and more only in answers that we asked for.

A signature costs a hundred microseconds. A member that signs accusations without end would otherwise take up the whole
node, though each single one is in order.
"""

from dataclasses import dataclass, field

from coordinator.signed import NodeId

CHECKS_PER_S = 400
CHECKS_AT_ONCE_MAX = 800
"""Two seconds' worth, saved up by whoever was silent."""
SENDERS_MAX = 4_096
"""Members whose allowance is remembered; the longest silent are forgotten first, and have it in full again."""


@dataclass(slots=True)
class Allowance:
    _left: dict[NodeId, tuple[int, int]] = field(default_factory=dict)
    """In thousandths of a check, and as of when, by sender."""

    def take(self, sender: NodeId, now_ms: int) -> bool:
        """Spend one check. False: the sender has used up its allowance."""
        left = self._as_of(sender, now_ms)
        if left < 1_000:
            return False
        self._left[sender] = left - 1_000, now_ms
        return True

    def grant(self, sender: NodeId, checks: int, now_ms: int) -> None:
        """We asked it for something: so many checks are welcome, beyond what it has. They do not add up."""
        self._left[sender] = max(self._as_of(sender, now_ms), checks * 1_000), now_ms

    def _as_of(self, sender: NodeId, now_ms: int) -> int:
        """Refill what a sender has left, and make it the one heard last."""
        full = CHECKS_AT_ONCE_MAX * 1_000
        left, at_ms = self._left.pop(sender, (full, now_ms))
        left = max(left, min(full, left + (now_ms - at_ms) * CHECKS_PER_S))
        self._left[sender] = left, now_ms
        if len(self._left) > SENDERS_MAX:
            del self._left[next(iter(self._left))]
        return left
