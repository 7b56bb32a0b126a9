"""Who comes and goes: a member that is suspected and refutes again and again is flappy, and people should know.

It may be overloaded, or answer some and not others on purpose. Nothing follows from it but a note.
"""

from dataclasses import dataclass, field

from coordinator.signed import NodeId

FLAPS_MIN = 3
FLAPS_WITHIN_MS = 60_000
FLAPPING_MAX = 1_024
"""Members whose flaps are counted; the longest steady are forgotten first."""


@dataclass(slots=True)
class Flaps:
    _times_ms: dict[NodeId, tuple[int, ...]] = field(default_factory=dict)

    def count(self, node: NodeId, now_ms: int) -> bool:
        """It refuted a suspicion. True: it has done so too often lately; then the count begins anew."""
        times_ms = self._times_ms.pop(node, ())
        recent = (*(at_ms for at_ms in times_ms if now_ms - at_ms < FLAPS_WITHIN_MS), now_ms)
        if len(recent) >= FLAPS_MIN:
            return True
        self._times_ms[node] = recent
        if len(self._times_ms) > FLAPPING_MAX:
            del self._times_ms[next(iter(self._times_ms))]
        return False
