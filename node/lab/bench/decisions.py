"""How long a moot on this machine takes to decide, and what its nodes weigh."""

import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from node.lab.bench.measures import quantile
from node.lab.bench.protocol import Alone, Memory, alone, burst, memory
from node.lab.demo_federation import Federation
from node.model import reference

JOIN_WAIT_S = 60.0


def measure_decisions(out: Console, questions: int, seed: int) -> dict[str, Any]:
    """Measure a moot of nodes that are processes of their own, one for each reference model; print tables.

    Args:
        out: where the tables go.
        questions: for the time of a decision, and as many at once.
        seed: of the questions.
    Returns:
        Every figure, as JSON values.
    """
    with tempfile.TemporaryDirectory(prefix="moot-bench-") as folder, Federation(Path(folder), reference.TEAM) as moot:
        moot.found("bench")
        for name in moot.names:
            moot.start(name)
        with _progress(out) as progress:
            for name in moot.names:
                moot.wait_for("all members alive", partial(_complete, moot, name), JOIN_WAIT_S)
            task = progress.add_task("one question after another", total=questions)
            timed = alone(moot, questions, seed, lambda: progress.advance(task))
            task = progress.add_task("many questions at once", total=questions)
            many = burst(moot, questions, seed + 1, lambda: progress.advance(task))
            weights = memory(moot)
    _show_times(out, timed)
    out.print(
        f"Many at once: {many.questions} questions in {many.seconds:.1f} s, "
        f"{many.questions / many.seconds:.1f} decisions a second, "
        f"{many.questions / max(1, many.slots):.1f} to a slot.\n"
    )
    _show_memory(out, weights)
    return {"alone": asdict(timed), "burst": asdict(many), "memory": [asdict(one) for one in weights]}


def _complete(moot: Federation, name: str) -> bool | None:
    """Whether this node sees everybody and may vote."""
    client = moot.client(name)
    alive = sum(member["status"] == "alive" for member in client.members())
    return True if alive == len(moot.names) and not client.status()["watching"] else None


def _progress(out: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=out,
        transient=True,
    )


def _show_times(out: Console, timed: Alone) -> None:
    table = Table(
        box=SIMPLE_HEAD, title=f"One question after another, {len(timed.protocol_ms)} questions, milliseconds"
    )
    for column in ("", "median", "90 %", "99 %", "worst"):
        table.add_column(column, justify="left" if not column else "right")
    rows = {
        "models: asked to last preference": timed.model_ms,
        "protocol: ready to proven": timed.protocol_ms,
        "whole: question to answer": timed.whole_ms,
    }
    for name, values in rows.items():
        table.add_row(name, *(f"{quantile(values, share):.0f}" for share in (0.5, 0.9, 0.99, 1.0)))
    out.print(table)


def _show_memory(out: Console, weights: list[Memory]) -> None:
    table = Table(box=SIMPLE_HEAD, title="Memory in MiB: resident (proportional)")
    for column in ("node", "node process", "model process"):
        table.add_column(column, justify="left" if column == "node" else "right")
    for one in weights:
        node = f"{one.node_rss_kib / 1024:.0f} ({one.node_pss_kib / 1024:.0f})"
        table.add_row(one.name, node, f"{one.model_rss_kib / 1024:.0f} ({one.model_pss_kib / 1024:.0f})")
    out.print(table)
