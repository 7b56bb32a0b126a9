"""Known tokens that are to be evaluated, prompts and branches that are followed: by whom next, and how many at once."""

from collections import deque
from dataclasses import dataclass, field

from node.model.batch.work import Runner, Work


@dataclass(slots=True, eq=False)
class Feed:
    """Tokens on their way into one sequence."""

    work: Work
    tokens: tuple[int, ...]
    sequence: int
    first: int
    """Position of the first token."""
    runner: Runner | None
    """The branch that is followed; None for the prompt."""
    given: int = 0
    """Tokens given to passes so far."""

    @property
    def left(self) -> int:
        return len(self.tokens) - self.given


@dataclass(slots=True, eq=False)
class _Line:
    """The feeds of one caller, in order."""

    feeds: deque[Feed] = field(default_factory=deque)
    credit: int = 0
    """Tokens that it may still feed in its present turn."""


class Feeds:
    """Callers take turns of `quantum` tokens; a turn that a pass cuts short goes on in the next.

    Within a caller first come first served: a prompt that is soon complete lets its samples begin, many that are half
    complete let none.
    """

    def __init__(self, quantum: int) -> None:
        self._quantum = quantum
        self._lines: dict[str, _Line] = {}
        self._order: deque[str] = deque()
        self.left = 0
        """Tokens of all together."""

    def __bool__(self) -> bool:
        return bool(self._order)

    def add(self, feed: Feed) -> None:
        caller = feed.work.job.caller
        if caller not in self._lines:
            self._lines[caller] = _Line()
            self._order.append(caller)
        self._lines[caller].feeds.append(feed)
        self.left += feed.left

    def remove(self, work: Work) -> None:
        """Take out all that this job still wanted to feed."""
        caller = work.job.caller
        if caller in self._lines:
            line = self._lines[caller]
            self.left -= sum(feed.left for feed in line.feeds if feed.work is work)
            line.feeds = deque(feed for feed in line.feeds if feed.work is not work)
            self._drop_empty(caller)

    def take(self, tokens: int, outputs: int) -> list[tuple[Feed, int, int]]:
        """What goes into the next pass.

        Args:
            tokens: at most.
            outputs: at most; a prompt needs one for its last token, a branch one for each.
        Returns:
            Each feed with the range of its tokens.
        """
        sizes: dict[Feed, int] = {}
        while tokens > 0 and outputs > 0 and self._order:
            caller = self._order[0]
            line = self._lines[caller]
            line.credit = line.credit or self._quantum
            feed = line.feeds[0]
            size = min(tokens, line.credit, feed.left)
            if feed.runner is not None:
                size = min(size, outputs)
                outputs -= size
            elif size == feed.left:
                outputs -= 1
            sizes[feed] = sizes.get(feed, 0) + size
            feed.given += size
            line.credit -= size
            tokens -= size
            self.left -= size
            if feed.left == 0:
                line.feeds.popleft()
            if line.feeds and line.credit == 0:
                self._order.rotate(-1)
            self._drop_empty(caller)
        return [(feed, feed.given - size, feed.given) for feed, size in sizes.items()]

    def _drop_empty(self, caller: str) -> None:
        if not self._lines[caller].feeds:
            del self._lines[caller]
            self._order.remove(caller)
