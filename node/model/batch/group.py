"""The jobs of one set of adapters: they share forward passes, and with no others."""

from collections.abc import Hashable

from node.model.batch.feeds import Feeds
from node.model.batch.plan import Purpose, Wanted
from node.model.batch.work import Runner, Work


class Group:
    """Running samples stand first in each pass, in a fixed order, so what is said about them seldom changes.

    That is worked out anew only when a sample begins or ends: there may be hundreds of passes a second, and all the
    time that they take in Python is taken from the model.
    """

    __slots__ = ("_changed", "_sequences", "_shares", "_wanted", "adapters", "feeds", "samples", "works")

    def __init__(self, adapters: Hashable, quantum: int) -> None:
        self.adapters = adapters
        self.samples: list[Runner] = []
        self.feeds = Feeds(quantum)
        self.works = 0
        """Jobs that are not over."""
        self._changed = False
        self._sequences: list[int] = []
        self._wanted: list[Wanted] = []
        self._shares: list[tuple[Work, int]] = []

    @property
    def busy(self) -> bool:
        """Whether there is something to evaluate."""
        return bool(self.samples or self.feeds)

    def start(self, runner: Runner) -> None:
        self.samples.append(runner)
        self._changed = True

    def clear_over(self) -> None:
        """Take out the samples that are over."""
        self.samples = [runner for runner in self.samples if not runner.over]
        self._changed = True

    def settled(self) -> tuple[list[int], list[Wanted], list[tuple[Work, int]]]:
        """The running samples' sequences, what is wanted of them, and how many of them each job has."""
        if self._changed:
            self._changed = False
            self._sequences = [runner.sequence for runner in self.samples]
            self._wanted = [
                Wanted(index, runner.work.job.id, runner.index, Purpose.DRAW)
                for index, runner in enumerate(self.samples)
            ]
            counts: dict[int, tuple[Work, int]] = {}
            for runner in self.samples:
                work = runner.work
                counts[work.job.id] = (work, counts.get(work.job.id, (work, 0))[1] + 1)
            self._shares = list(counts.values())
        return self._sequences, self._wanted, self._shares
