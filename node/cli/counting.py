"""A bar on stderr that counts what is done and says when all will be; nothing where no terminal shows it."""

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from node.cli.terminal import console


def counting_bar() -> Progress:
    """Each of its tasks has a field `told`: what else there is to say of it."""
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
