"""All experiments at all sizes, each with many seeds, on all cores; the same figures whatever the cores do."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

from node.lab.simulation.gossip import experiments, pauses
from node.lab.simulation.gossip.experiments import Samples
from node.lab.simulation.gossip.summary import Summary, summarize

SIZES = (10, 100, 1_000)
SEEDS = 5
LOSSES = (0.0, 0.1, 0.3)
LARGE, LIARS_MAX = 1_000, 100
"""Beyond these sizes some experiments take hours: a partition lets thousands accuse thousands."""
COVERED, SPREAD, COMPARED = 8, 64, 100
"""Sizes for which there are targets."""
SMALL = 200
"""A size of which each seed gives enough certainty; smaller ones get more seeds, larger ones fewer."""

Progress = Callable[[int, int, str], None]
"""Called with how many experiments are done, of how many, and which one was the last."""


@dataclass(frozen=True, slots=True)
class Task:
    """One experiment with one seed."""

    experiment: str
    nodes: int
    seed: int
    mode: str = ""
    loss: float = 0.0

    def __str__(self) -> str:
        parts = [self.mode] if self.mode else []
        parts += [f"{self.loss:.0%} loss"] if self.loss else []
        return f"{self.experiment} n={self.nodes}{' ' if parts else ''}{' '.join(parts)} seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Measurements:
    """Every figure of every experiment, in a fixed order."""

    sizes: tuple[int, ...]
    seeds: int
    summaries: tuple[Summary, ...]

    def find(self, experiment: str, figure: str, nodes: int, mode: str = "", loss: float = 0.0) -> Summary | None:
        wanted = (experiment, figure, nodes, mode, loss)
        for one in self.summaries:
            if (one.experiment, one.figure, one.nodes, one.mode, one.loss) == wanted:
                return one
        return None

    def curve(self, experiment: str, figure: str, mode: str = "", loss: float = 0.0) -> list[Summary]:
        """The figure at every size, the smallest first."""
        wanted = (experiment, figure, mode, loss)
        found = [one for one in self.summaries if (one.experiment, one.figure, one.mode, one.loss) == wanted]
        return sorted(found, key=lambda one: one.nodes)


def measure(
    sizes: Sequence[int] = SIZES,
    seeds: int = SEEDS,
    progress: Progress = lambda done, total, last: None,
    workers: int | None = None,
) -> Measurements:
    """Run every experiment that is feasible at each size.

    Args:
        sizes: numbers of members, at least 4 each.
        seeds: for a size of 200; smaller ones get up to five times as many, larger ones fewer, but two at least.
        progress: called after each experiment.
        workers: processes; all cores where it is not given.
    Raises:
        ValueError: a size is too small or too large, or there are no seeds.
    """
    if not sizes or min(sizes) < 4 or max(sizes) > 10_000 or seeds < 1:
        raise ValueError("give sizes from 4 to 10000 members, and at least one seed")
    tasks = planned(sorted(set(sizes)), seeds)
    results = _run_all(tasks, progress, workers or os.cpu_count() or 1)
    return Measurements(tuple(sorted(set(sizes))), seeds, tuple(gather(tasks, results)))


def planned(sizes: Sequence[int], seeds: int) -> list[Task]:
    """What is to be run, in the order of the summaries. The sizes of the targets are always among it."""
    tasks: list[Task] = []

    def plan(experiment: str, nodes: int, share: float = 1.0, mode: str = "", loss: float = 0.0) -> None:
        count = max(2, round(seeds * share * min(5.0, SMALL / nodes)))
        tasks.extend(Task(experiment, nodes, seed, mode, loss) for seed in range(1, count + 1))

    for nodes in sizes:
        plan("crashes", nodes)
        plan("join", nodes, 0.3)
        if nodes <= LARGE:
            plan("restart", nodes, 0.3)
            plan("heal", nodes, 0.3)
    for nodes in sorted({*sizes, COVERED, SPREAD}):
        for loss in LOSSES:
            plan("spread", nodes, loss=loss)
    for nodes in sorted({*(size for size in sizes if size <= LARGE), COMPARED}):
        for mode in pauses.MODES if nodes == COMPARED else ("lifeguard", "swim"):
            for loss in LOSSES if nodes == COMPARED else (0.0,):
                plan("stalls", nodes, 0.25, mode, loss)
    for nodes in sorted({min(size, LIARS_MAX) for size in sizes}):
        plan("accuser", nodes, 0.2, loss=0.1)
    return tasks


def run_task(task: Task) -> Samples:
    """Run one experiment. The same task gives the same samples in any process."""
    match task.experiment:
        case "crashes":
            if task.nodes > LARGE:
                return experiments.crashes(task.nodes, task.seed, count=1, idle_ms=5_000)
            return experiments.crashes(task.nodes, task.seed)
        case "spread":
            return experiments.spread(task.nodes, task.seed, loss=task.loss, count=5 if task.nodes <= LARGE else 2)
        case "join":
            return experiments.join(task.nodes, task.seed)
        case "restart":
            return experiments.restart(task.nodes, task.seed)
        case "heal":
            return experiments.heal(task.nodes, task.seed)
        case "stalls":
            return pauses.stalls(task.nodes, task.seed, mode=task.mode, loss=task.loss)
        case "accuser":
            return pauses.accuser(task.nodes, task.seed, loss=task.loss)
        case _:
            raise ValueError(f"no experiment {task.experiment}")


def _run_all(tasks: Sequence[Task], progress: Progress, workers: int) -> dict[Task, Samples]:
    """The largest first, so that no core waits long for the last one."""
    results: dict[Task, Samples] = {}
    queue = sorted(tasks, key=lambda task: -task.nodes)
    if workers == 1:
        for task in queue:
            results[task] = run_task(task)
            progress(len(results), len(tasks), str(task))
        return results
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(run_task, task): task for task in queue}
        for future in as_completed(running):
            results[running[future]] = future.result()
            progress(len(results), len(tasks), str(running[future]))
    return results


def gather(tasks: Sequence[Task], results: Mapping[Task, Samples]) -> list[Summary]:
    """Add up what tasks that differ only in their seed have found."""
    gathered: dict[tuple[str, int, str, float], Samples] = {}
    for task in tasks:
        samples = gathered.setdefault((task.experiment, task.nodes, task.mode, task.loss), {})
        for figure, values in results[task].items():
            samples.setdefault(figure, []).extend(values)
    return [
        summarize(experiment, figure, values, nodes=nodes, mode=mode, loss=loss)
        for (experiment, nodes, mode, loss), samples in gathered.items()
        for figure, values in samples.items()
    ]
