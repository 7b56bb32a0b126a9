"""`moot simulate gossip`: membership measured at many sizes, as a table on stdout and, where wanted, as plots."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from node.cli.terminal import answer, answer_json, console, say
from node.errors import Exit


def measure_gossip(
    sizes: Sequence[int], seeds: int | None, workers: int | None, plots: Path | None, as_json: bool
) -> int:
    """Measure, print and write; the exit code."""
    from node.lab.simulation.gossip.report import SEEDS, SIZES, measure, table, write
    from node.lab.simulation.gossip.targets import targets

    out = console(error=True)
    bar = Progress(
        TextColumn("gossip"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=None)
        found = measure(
            sizes or SIZES,
            seeds or SEEDS,
            lambda done, total, last: bar.update(task, completed=done, total=total, description=last),
            workers,
        )
    if as_json:
        for target in targets(found):
            answer_json(asdict(target))
    else:
        answer(table(found).rstrip("\n"))
    if plots is not None:
        for place in write(found, plots):
            say(("written ", "dim"), str(place))
    return Exit.OK
