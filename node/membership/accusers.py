"""Who cries wolf: an accuser whose accusations are mostly refuted does not hasten anybody's death for a while.

One that lies, or sits behind a bad line, still starts suspicions; but it takes others to bring them to a quick end.
"""

from dataclasses import dataclass, field

from coordinator.signed import NodeId

SAMPLES_MIN = 5
"""Outcomes before an accuser is judged."""
SILENCED_MS = 600_000
"""How long its accusations confirm nothing; then it is judged anew."""
ACCUSERS_MAX = 4_096
"""Accusers remembered; the longest quiet are forgotten first."""


@dataclass(slots=True)
class _Outcomes:
    refuted: int = 0
    upheld: int = 0
    silenced_until_ms: int = 0


@dataclass(slots=True)
class Accusers:
    _by_node: dict[NodeId, _Outcomes] = field(default_factory=dict)

    def judge(self, accuser: NodeId, now_ms: int, *, refuted: bool) -> bool:
        """What became of an accusation. True: with it, the accuser has lost its weight."""
        outcomes = self._by_node.pop(accuser, None) or _Outcomes()
        self._by_node[accuser] = outcomes
        if len(self._by_node) > ACCUSERS_MAX:
            del self._by_node[next(iter(self._by_node))]
        outcomes.refuted += refuted
        outcomes.upheld += not refuted
        total = outcomes.refuted + outcomes.upheld
        if total < SAMPLES_MIN or 2 * outcomes.refuted <= total:
            return False
        self._by_node[accuser] = _Outcomes(silenced_until_ms=now_ms + SILENCED_MS)
        return True

    def has_weight(self, accuser: NodeId, now_ms: int) -> bool:
        outcomes = self._by_node.get(accuser)
        return outcomes is None or outcomes.silenced_until_ms <= now_ms
