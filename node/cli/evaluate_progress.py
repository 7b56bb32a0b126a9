"""How far `moot evaluate` is: a line that changes on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable

from rich.progress import TaskID

from node.cli.counting import Counting
from node.cli.terminal import say

PLAIN_EVERY_S = 10.0


class Watching(Counting):
    """Shows one part of the work at a time, with its rate and the time that it will still take. Use it as a context."""

    def __init__(self) -> None:
        super().__init__()
        self._task: TaskID | None = None
        self._what, self._steps = "", 0
        self._done, self._began_s, self._said_s = 0.0, 0.0, 0.0

    def begins(self, what: str, steps: int, parts: int = 1) -> Callable[[], None]:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(what, total=steps, told="")
        self._what, self._steps, self._done = what, steps, 0.0
        self._began_s = self._said_s = time.monotonic()
        if self._plain:
            say(f"{what}: {steps:,}")
        return lambda: self._advance(1 / parts)

    def completed(self, questions: int) -> None:
        if self._plain:
            self._said_s = time.monotonic()
            say(f"{questions:,} questions are complete; {self._told()}")

    def _advance(self, part: float) -> None:
        """Called by several threads where a live moot is measured; a step that is lost then is no harm."""
        assert self._task is not None, "something began"
        self._done += part
        self._bar.update(self._task, completed=self._done, told=f"{self._rate():.1f}/s")
        if self._plain and time.monotonic() - self._said_s >= PLAIN_EVERY_S:
            self._said_s = time.monotonic()
            say(f"{self._what}: {self._done:,.0f} of {self._steps:,}; {self._told()}")

    def _rate(self) -> float:
        return self._done / max(time.monotonic() - self._began_s, 1e-3)

    def _told(self) -> str:
        left_s = (self._steps - self._done) / max(self._rate(), 1e-3)
        return f"{self._rate():.1f} a second, about {left_s / 60:.1f} min of this part left"
