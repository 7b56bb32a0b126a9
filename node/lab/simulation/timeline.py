"""Virtual time: a heap of things to come, played one after another. Nothing waits and nothing looks at a clock."""

from collections.abc import Callable
from heapq import heappop, heappush

Act = Callable[[], None]


class Timeline:
    """Acts of one millisecond are played in the order in which they were set."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.events = 0
        """Acts played."""
        self._number = 0
        self._heap: list[tuple[int, int, Act]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, at_ms: int, act: Act) -> None:
        """Play `act` at this time, which is not over."""
        assert at_ms >= self.now_ms, "an event in the past"
        self._number += 1
        heappush(self._heap, (at_ms, self._number, act))

    def after(self, delay_ms: int, act: Act) -> None:
        self.at(self.now_ms + delay_ms, act)

    def run(self, until_ms: int, done: Callable[[], bool] | None = None) -> bool:
        """Play all that comes before `until_ms`, or until `done` holds, which is asked after each act.

        Returns whether `done` held; time stands at `until_ms` when it did not.
        """
        if done is not None and done():
            return True
        heap = self._heap
        while heap and heap[0][0] < until_ms:
            self.now_ms, _, act = heappop(heap)
            self.events += 1
            act()
            if done is not None and done():
                return True
        self.now_ms = max(self.now_ms, until_ms)
        return False
