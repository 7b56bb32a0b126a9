"""Which of the waiting jobs begin, and when: fairly between callers, and only when all that they may need is free."""

from node.model.batch.jobs import Room
from node.model.batch.prefixes import Prefixes
from node.model.batch.queue import Queue
from node.model.batch.trunk import Trunk
from node.model.batch.work import Work

REFUSED_MAX = 8
"""Jobs that are tried in vain before a pass. With hundreds of callers to look through, the model would wait for us."""


class Admission:
    """Jobs wait in a queue until they begin, and have a prompt in the model's memory from then until they are over."""

    def __init__(self, room: Room, prefixes: Prefixes) -> None:
        self._room = room
        self._prefixes = prefixes
        self._queue = Queue()
        self._by_trunk: dict[int, Work] = {}
        """Those that have begun, by the sequence of their prompt."""
        self._places = 0
        """Taken by all that have begun; more than running_max where the last of them has many samples."""
        self._blocked: Work | None = None
        """Whose turn it is to begin, but whose cells are not free."""
        self._stirred = False
        """Whether a job may begin that could not before."""

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def submit(self, work: Work) -> None:
        self._queue.push(work)
        self._stirred = True

    def withdraw(self, work: Work) -> None:
        """A job that waits is not wanted any more."""
        self._queue.remove(work)
        if self._blocked is work:
            self._blocked = None
        self._stirred = True

    def begin(self) -> list[Work]:
        """Let jobs begin while there is room: each in its turn, the blocked one first."""
        begun: list[Work] = []
        if not self._stirred:
            return begun
        self._stirred = False
        passed_over: set[str] = set()
        while self._places < self._room.running_max and self._prefixes.seats and len(passed_over) < REFUSED_MAX:
            blocked = self._blocked
            if blocked is not None and blocked.job.caller not in passed_over:
                work: Work | None = blocked
            elif blocked is not None and blocked.overtaken >= self._room.cells:
                break
            else:
                work = self._queue.next(passed_over)
            if work is None:
                break
            if self._admit(work):
                begun.append(work)
                if work is blocked:
                    self._blocked = None
                elif blocked is not None:
                    blocked.overtaken += work.job.cells
            else:
                passed_over.add(work.job.caller)
                self._blocked = blocked or work
        return begun

    def _admit(self, work: Work) -> bool:
        trunk = self._prefixes.admit(work.job.adapters, work.data, work.promised)
        if trunk is None:
            return False
        self._queue.take(work)
        work.trunk = trunk
        self._by_trunk[trunk.sequence] = work
        self._places += work.places
        return True

    def advance(self, trunk: Trunk, done: int) -> list[Work]:
        """More of a prompt is evaluated. Returns the jobs that waited for it and wait no more."""
        return [self._by_trunk[woken.sequence] for woken in self._prefixes.advance(trunk, done)]

    def branch_over(self, work: Work, cells: int, *, sample: bool) -> None:
        """What was kept for a branch is free."""
        self._prefixes.give_back(cells)
        work.promised -= cells
        work.unfinished -= 1
        if sample and work.places > 1:
            work.places -= 1
            self._places -= 1
        self._stirred = True

    def job_over(self, work: Work, *, keep: bool) -> list[Work]:
        """What was kept for a job is free; its prompt is kept for later ones, as far as it is evaluated, or forgotten.

        Returns the jobs that waited for the prompt: they wait for their turn again, before all others of their callers.
        """
        orphans = self._leave(work, keep=keep)
        for orphan in orphans:  # the list grows: others may have waited for these
            orphans += self._leave(orphan, keep=False)
            orphan.trunk = None
        for orphan in sorted(orphans, key=lambda orphan: -orphan.number):
            self._queue.push_back(orphan)
            if self._blocked is not None and self._blocked.job.caller == orphan.job.caller:
                self._blocked = None
        self._stirred = True
        return orphans

    def _leave(self, work: Work, *, keep: bool) -> list[Work]:
        assert work.trunk is not None
        self._places -= work.places
        self._prefixes.give_back(work.promised)
        del self._by_trunk[work.trunk.sequence]
        return [self._by_trunk[orphan.sequence] for orphan in self._prefixes.finish(work.trunk, keep=keep)]
