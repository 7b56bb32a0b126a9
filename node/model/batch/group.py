"""The jobs of one set of adapters: they share forward passes, and with no others."""

from collections.abc import Hashable

from node.model.batch.feeds import Feed, Feeds
from node.model.batch.jobs import Room
from node.model.batch.plan import Purpose, Wanted
from node.model.batch.work import Runner, Work


class Group:
    """Running samples stand first in each pass, each in its place, so what is said about them seldom changes.

    It is kept from pass to pass, and only where a sample begins or ends it is written anew: there may be hundreds of
    passes a second, and all the time that they take in Python is taken from the model.
    """

    __slots__ = ("_gather", "_going", "_held", "adapters", "feeds", "samples", "sequences", "shares", "wanted", "works")

    def __init__(self, adapters: Hashable, room: Room) -> None:
        self.adapters = adapters
        self.feeds = Feeds(room.chunk_tokens)
        self._gather = room.gather_tokens
        self._held = 0
        """Passes without any of the known tokens, though some were there."""
        self._going = False
        """Whether a pass was too full for the rest of them."""
        self.works = 0
        """Jobs that are not over."""
        self.samples: list[Runner] = []
        """Those that run, each in its place."""
        self.sequences: list[int] = []
        """Of each of them."""
        self.wanted: list[Wanted] = []
        """Of each of them."""
        self.shares: dict[Work, int] = {}
        """How many of them each job has."""

    @property
    def busy(self) -> bool:
        """Whether there is something to evaluate."""
        return bool(self.samples or self.feeds)

    def take(self, tokens: int, outputs: int) -> list[tuple[Feed, int, int]]:
        """Known tokens for the next pass, as Feeds.take; none while those that are there wait for more."""
        if not (self._going or self.feeds.left >= self._gather or self._held >= len(self.samples) // 2):
            self._held += 1
            return []
        taken = self.feeds.take(tokens, outputs)
        self._held, self._going = 0, bool(self.feeds)
        return taken

    def start(self, runner: Runner) -> None:
        place = len(self.samples)
        self.samples.append(runner)
        self.sequences.append(runner.sequence)
        self.wanted.append(_drawing(runner, place))
        self.shares[runner.work] = self.shares.get(runner.work, 0) + 1

    def clear_over(self) -> None:
        """Take out the samples that are over: the last one moves into the gap."""
        for place in reversed(range(len(self.samples))):
            runner = self.samples[place]
            if runner.over:
                last = self.samples.pop()
                self.sequences[place] = self.sequences[-1]
                self.sequences.pop()
                self.wanted.pop()
                if last is not runner:
                    self.samples[place] = last
                    self.wanted[place] = _drawing(last, place)
                self.shares[runner.work] -= 1
                if self.shares[runner.work] == 0:
                    del self.shares[runner.work]


def _drawing(runner: Runner, place: int) -> Wanted:
    return Wanted(place, runner.work.job.id, runner.index, Purpose.DRAW)
