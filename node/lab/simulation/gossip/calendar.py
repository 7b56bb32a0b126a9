"""Things to come, in a list for each millisecond.

With ten thousand nodes each millisecond holds many things; a heap of them all would compare each with a dozen others.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Calendar(Generic[Thing]):
    """Things of one millisecond come in the order in which they were entered."""

    __slots__ = ("_days", "_times")

    def __init__(self) -> None:
        self._days: dict[int, list[Thing]] = {}
        self._times: list[int] = []
        """A heap of the milliseconds that hold something."""

    def enter(self, at_ms: int, thing: Thing) -> None:
        """`at_ms` is later than the millisecond that was taken last."""
        day = self._days.get(at_ms)
        if day is None:
            self._days[at_ms] = [thing]
            heappush(self._times, at_ms)
        else:
            day.append(thing)

    def take(self, until_ms: int) -> Iterator[tuple[int, list[Thing]]]:
        """Each millisecond before `until_ms` that holds something, in order, with what entered meanwhile."""
        while self._times and self._times[0] < until_ms:
            at_ms = heappop(self._times)
            yield at_ms, self._days.pop(at_ms)
