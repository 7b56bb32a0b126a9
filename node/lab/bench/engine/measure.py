"""All measurements of the engine, one after another; tables to read, and every figure as JSON values."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from node.lab.bench.engine import batcher, subjects, view
from node.lab.bench.engine.dying import Death, die
from node.lab.bench.engine.rounds import CALLERS, NAMES, Ladder, climb
from node.lab.bench.engine.sharing import Shared, share

HIGH = 0.95


def measure_engine(out: Console, rounds: int | None, seconds: float, *, small_only: bool) -> dict[str, Any]:
    """Measure the engine beside others, and what it shares and survives; print tables.

    Args:
        out: where the tables go.
        rounds: how often contenders take turns; None for as often as the model says.
        seconds: for each turn, about.
        small_only: leave the model of realistic size out.
    Returns:
        Every figure, as JSON values.
    """
    figures: dict[str, Any] = {"models": {}}
    talk = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task("the models of the bench")

        def tick(text: str) -> None:
            progress.update(task, description=text)
            if not out.is_terminal:  # nothing moves there, and minutes pass
                talk.print(text)

        makers = (subjects.small,) if small_only else (subjects.small, subjects.large)
        measured = [make(subjects.folder()) for make in makers]
        ladders = []
        for subject in measured:
            ladders.append(asyncio.run(climb(subject, rounds or subject.rounds, seconds, tick)))
            view.show_ladder(out, ladders[-1])
        for subject, ladder in zip(measured, ladders, strict=True):
            shared = asyncio.run(share(subject, tick))
            view.show_shared(out, shared)
            deaths = asyncio.run(die(subject, tick))
            view.show_deaths(out, deaths)
            figures["models"][subject.name] = _figures(ladder, shared, deaths)
        figures["batcher"] = _batcher(out, tick)
    return figures


def _batcher(out: Console, tick: Callable[[str], None]) -> list[dict[str, Any]]:
    costs = []
    for samples in batcher.SAMPLES:
        tick(f"planning of passes for {samples} samples")
        costs.append(batcher.measure(samples))
    view.show_batcher(out, costs)
    return [asdict(cost) for cost in costs]


def _figures(ladder: Ladder, shared: Shared, deaths: tuple[Death, ...]) -> dict[str, Any]:
    return {
        "answers_per_s": {
            name: {str(callers): ladder.rates(name, callers) for callers in CALLERS if ladder.rates(name, callers)}
            for name in NAMES
        },
        "wait_ms": {
            name: {
                str(callers): {
                    "median": ladder.waits_ms(name, callers, 0.5),
                    "high": ladder.waits_ms(name, callers, HIGH),
                }
                for callers in CALLERS
                if ladder.has_waits(name, callers)
            }
            for name in NAMES
        },
        "memory_bytes": {f"{name}, {callers} callers": size for (name, callers), size in ladder.memory.items()},
        "left_out": ladder.left_out,
        "shared": asdict(shared),
        "deaths": [asdict(death) for death in deaths],
    }
