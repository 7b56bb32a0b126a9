"""When a simulated process gets its turn: as soon as something waits for it, or one of its cores asked to be woken."""

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from node.lab.simulation.timeline import Timeline
from node.shell import INBOX_MAX, CoreEvent


class Turns:
    """Everything that comes within one millisecond is taken in one turn, as a loop would that wakes for the first."""

    def __init__(
        self, timeline: Timeline, due_ms: Callable[[], int | None], runs: Callable[[], bool], play: Callable[[], None]
    ) -> None:
        """
        Args:
            timeline: virtual time.
            due_ms: when the cores want to be woken, in virtual time.
            runs: whether there is a process at all.
            play: plays one turn.
        """
        self.inbox: deque[CoreEvent] = deque()
        self.dropped = 0
        """Events that found the inbox full."""
        self.stalled_until_ms = 0
        self._timeline = timeline
        self._due_ms = due_ms
        self._runs = runs
        self._play = play
        self._planned_ms: int | None = None

    def take(self, events: Iterable[CoreEvent]) -> None:
        """What comes from peers, as far as there is room."""
        for event in events:
            if len(self.inbox) >= INBOX_MAX:
                self.dropped += 1
            else:
                self.inbox.append(event)
        self._plan_at(self._timeline.now_ms)

    def hand_in(self, event: CoreEvent) -> None:
        """What the node itself has to hear."""
        self.inbox.append(event)
        self._plan_at(self._timeline.now_ms)

    def plan(self) -> None:
        """Look when the next turn is."""
        if not self._runs():
            return
        now_ms = self._timeline.now_ms
        due_ms = now_ms if self.inbox else self._due_ms()
        if due_ms is not None:
            self._plan_at(max(now_ms, due_ms))

    def stall(self, until_ms: int) -> None:
        self.stalled_until_ms = max(self.stalled_until_ms, until_ms)

    def resume(self) -> None:
        """Let a stall end now."""
        self.stalled_until_ms = 0
        self.plan()

    def forget(self) -> None:
        """The process ended."""
        self.inbox.clear()
        self.stalled_until_ms = 0

    def _plan_at(self, at_ms: int) -> None:
        at_ms = max(at_ms, self.stalled_until_ms)
        if self._planned_ms is None or at_ms < self._planned_ms:
            self._planned_ms = at_ms
            self._timeline.at(at_ms, partial(self._wake, at_ms))

    def _wake(self, at_ms: int) -> None:
        """A turn that was set for later when it was still thought so finds nothing to do."""
        if self._planned_ms != at_ms:
            return
        self._planned_ms = None
        if not self._runs():
            return
        now_ms = self._timeline.now_ms
        if now_ms >= self.stalled_until_ms:
            due_ms = self._due_ms()
            if self.inbox or (due_ms is not None and due_ms <= now_ms):
                self._play()
        self.plan()
