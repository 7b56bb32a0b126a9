"""An early end that a person may choose, by Ctrl-C or SIGTERM, and gets what there is so far."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ended_politely() -> Iterator[None]:
    """SIGTERM does what Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_: int, frame: FrameType | None) -> None:
    """By Ctrl-C's own handler: asyncio's cancels the task, while an exception in its loop would leave tasks behind."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):  # a shell's background job ignores Ctrl-C
        handler = signal.default_int_handler
    handler(signal.SIGINT, frame)
