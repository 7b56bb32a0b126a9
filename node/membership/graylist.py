"""Who brings forgeries: a member that hands on badly signed items is not listened to for a while.

Honest members check before they pass on. It may still ping and be pinged, so that nobody is held dead for it; what it
tells of others is not read. A reconnect changes nothing, for the count is kept by node.
"""

from dataclasses import dataclass, field

from coordinator.signed import NodeId

BAD_SIGNATURE_POINTS = 10
POINTS_MAX = 100
DECAY_MS = 600_000
"""In which all points fade, and how long the graylist lasts."""
OFFENDERS_MAX = 4_096
"""Members whose points are kept; the longest blameless are forgotten first."""


@dataclass(slots=True)
class Graylist:
    _points: dict[NodeId, tuple[int, int]] = field(default_factory=dict)
    """Points, and when they were given last."""
    _until_ms: dict[NodeId, int] = field(default_factory=dict)

    def blame(self, node: NodeId, now_ms: int) -> bool:
        """It brought a forgery. True: with it, it is on the graylist."""
        points, at_ms = self._points.pop(node, (0, now_ms))
        faded = (now_ms - at_ms) * POINTS_MAX // DECAY_MS
        points = max(0, points - faded) + BAD_SIGNATURE_POINTS
        if points >= POINTS_MAX:
            self._until_ms[node] = now_ms + DECAY_MS
            return True
        self._points[node] = points, now_ms
        if len(self._points) > OFFENDERS_MAX:
            del self._points[next(iter(self._points))]
        return False

    def holds(self, node: NodeId, now_ms: int) -> bool:
        until_ms = self._until_ms.get(node)
        if until_ms is None:
            return False
        if until_ms <= now_ms:
            del self._until_ms[node]
            return False
        return True
