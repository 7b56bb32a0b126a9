"""Jobs that wait for room: first come first served within a caller, deficit round robin by tokens between callers.

Source: Shreedhar and Varghese, Efficient Fair Queuing using Deficit Round Robin (SIGCOMM 1995).
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from node.model.batch.work import Work

QUANTUM = 64
"""Tokens of credit per round: about a short job, so that callers with short ones take turns job by job."""


@dataclass(slots=True, eq=False)
class _Line:
    """The jobs of one caller."""

    works: deque[Work] = field(default_factory=deque)
    credit: int = QUANTUM
    """Who comes is given its first round's at once."""


class Queue:
    """While two callers wait all the time, what one is given exceeds the other's by at most a round and a job of each.

    A caller that has nothing waiting gathers no credit: nobody saves up.
    """

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._order: deque[str] = deque()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def push(self, work: Work) -> None:
        self._line(work).works.append(work)
        self._size += 1

    def push_back(self, work: Work) -> None:
        """Put a job that was taken before all others of its caller, and do not charge for it again."""
        work.cost = 0
        self._line(work).works.appendleft(work)
        self._size += 1

    def _line(self, work: Work) -> _Line:
        caller = work.job.caller
        if caller not in self._lines:
            self._lines[caller] = _Line()
            self._order.append(caller)
        return self._lines[caller]

    def next(self, passed_over: Collection[str]) -> Work | None:
        """The job whose turn it is, when some of the callers are passed over; they gather no credit meanwhile."""
        if len(passed_over) == len(self._lines):
            return None
        while True:
            caller = self._order[0]
            if caller not in passed_over:
                line = self._lines[caller]
                if line.credit >= line.works[0].cost:
                    return line.works[0]
                line.credit += QUANTUM
            self._order.rotate(-1)

    def take(self, work: Work) -> None:
        """The first job of a caller begins."""
        line = self._lines[work.job.caller]
        assert line.works[0] is work, "first come first served"
        line.credit -= work.cost
        self.remove(work)

    def remove(self, work: Work) -> None:
        caller = work.job.caller
        line = self._lines[caller]
        line.works.remove(work)
        self._size -= 1
        if not line.works:
            del self._lines[caller]
            self._order.remove(caller)
