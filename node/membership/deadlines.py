"""When what is due, the soonest first: a heap in which a time can be moved or taken back."""

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from coordinator.signed import NodeId

OBSOLETE_MAX = 64
"""Entries of the heap beyond twice those in force, before it is made anew."""


@dataclass(slots=True)
class Deadlines:
    _due_ms: dict[NodeId, int] = field(default_factory=dict)
    _heap: list[tuple[int, NodeId]] = field(default_factory=list)
    """Entries that `_due_ms` does not confirm are obsolete."""

    def __len__(self) -> int:
        return len(self._due_ms)

    def set(self, node: NodeId, due_ms: int) -> None:
        """Give a deadline, in place of the one before."""
        if self._due_ms.get(node) == due_ms:
            return
        self._due_ms[node] = due_ms
        heappush(self._heap, (due_ms, node))
        if len(self._heap) > 2 * len(self._due_ms) + OBSOLETE_MAX:
            self._heap = [(due_ms, node) for node, due_ms in self._due_ms.items()]
            heapify(self._heap)

    def drop(self, node: NodeId) -> None:
        self._due_ms.pop(node, None)

    def next_ms(self) -> int | None:
        heap = self._heap
        while heap:
            due_ms, node = heap[0]
            if self._due_ms.get(node) == due_ms:
                return due_ms
            heappop(heap)
        return None

    def take(self, now_ms: int) -> list[NodeId]:
        """Take out all that is due by now, the earliest first."""
        due: list[NodeId] = []
        next_ms = self.next_ms()
        while next_ms is not None and next_ms <= now_ms:
            node = heappop(self._heap)[1]
            del self._due_ms[node]
            due.append(node)
            next_ms = self.next_ms()
        return due
