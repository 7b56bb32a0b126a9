"""Long work on the command line: a bar that counts what is done, and an end that a person may choose."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from node.cli.terminal import console


def counting_bar() -> Progress:
    """On stderr, with the time that is left; nothing where no terminal shows it.

    Each of its tasks has a field `told`: what else there is to say of it.
    """
    out = console(error=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    )


@contextmanager
def ended_politely() -> Iterator[None]:
    """SIGTERM is a KeyboardInterrupt too: whoever ends the process so also gets what there is so far."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
