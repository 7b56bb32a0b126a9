"""What `moot simulate` plays: one run or many, what it says of them, and what it leaves behind of one that fails."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from node.cli import simulate_view as view
from node.cli.terminal import answer, answer_json, say
from node.errors import Exit, NodeError
from node.lab.ending import ended_politely

if TYPE_CHECKING:
    from node.lab.simulation.plan import Plan
    from node.lab.simulation.report import Failure

FILE_BYTES_MAX = 16 * 1024 * 1024
NOT_SHRUNK = frozenset({"hang", "died", "replay"})
"""Violations that a single play does not show."""


class NotAPlan(NodeError):
    """The file holds no plan that can be played."""

    exit_code = Exit.NOT_A_PLAN


@dataclass(frozen=True, slots=True)
class Order:
    """What holds for all runs of the command."""

    scenario: str
    nodes: int | None
    save: Path
    shrink: bool
    trace: bool
    as_json: bool


def play_campaign(
    order: Order, first: int, seeds: int | None, seconds: float | None, workers: int | None, keep_going: bool
) -> int:
    """Play many seeds; the exit code."""
    from node.lab.simulation.campaign import TWICE_EVERY, job_of, run
    from node.lab.simulation.report import Summary

    summary = Summary(order.scenario, seeds)
    job = job_of(order.scenario, order.nodes, 1 if order.trace else TWICE_EVERY)
    with ended_politely(), view.Progress(order.scenario, seeds) as progress:
        whole = run(
            job,
            summary,
            first=first,
            workers=workers,
            seconds=seconds,
            keep_going=keep_going,
            tell=progress.show,
        )
    if order.as_json:
        answer_json(summary.document() | {"interrupted": not whole})
    else:
        view.show_summary(summary, interrupted=not whole)
    seen: set[str] = set()
    for failure in summary.failures:
        kind = failure.violation.invariant
        _leave_behind(order, failure, shrink=order.shrink and whole and kind not in seen)
        seen.add(kind)
    if summary.failures:
        return Exit.BROKEN
    return Exit.OK if whole else Exit.INTERRUPTED


def play_one(order: Order, seed: int | None, file: Path | None) -> int:
    """Play one seed or one file; the exit code."""
    from node.lab.simulation.campaign import differing
    from node.lab.simulation.play import play
    from node.lab.simulation.report import Failure
    from node.lab.simulation.watch import Watch

    plan, watch = _plan(order, seed, file), Watch(traced=order.trace)
    outcome = play(plan, watch)
    violation = outcome.violation
    if order.trace and (second := _trace_elsewhere(plan)) != watch.trace():
        violation = differing(watch.trace(), second, outcome)
    failure = None if violation is None else Failure(plan, violation, watch.trace() or trace_of(plan), order.nodes)
    if order.as_json:
        answer_json(view.outcome_document(outcome, failure))
    else:
        view.show_outcome(outcome, failure)
    if failure is None:
        return Exit.OK
    _leave_behind(order, failure, shrink=order.shrink, named=file)
    return Exit.BROKEN


def tell_slot(order: Order, seed: int | None, file: Path | None, slot: int) -> int:
    """Tell the story of a slot; the exit code."""
    from node.lab.simulation import story
    from node.lab.simulation.play import play
    from node.lab.simulation.watch import Watch

    plan, watch = _plan(order, seed, file), Watch(kept=True)
    outcome = play(plan, watch)
    for line in story.of_slot(plan, watch, slot):
        answer(line)
    if outcome.violation is None:
        return Exit.OK
    view.show_violation(outcome.violation)
    return Exit.BROKEN


def trace_of(plan: "Plan") -> str:
    """The digest of everything that happens."""
    from node.lab.simulation.play import play
    from node.lab.simulation.watch import Watch

    watch = Watch(traced=True)
    play(plan, watch)
    return watch.trace()


def _trace_elsewhere(plan: "Plan") -> str:
    """In another process, where hashes of strings and places in memory are others."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(trace_of, plan).result()


def _plan(order: Order, seed: int | None, file: Path | None) -> "Plan":
    from node.lab.simulation.limits import problems
    from node.lab.simulation.report import read_plan
    from node.lab.simulation.scenarios import SCENARIOS

    if file is None:
        assert seed is not None
        return SCENARIOS[order.scenario].draw(seed, order.nodes)
    try:
        with file.open("rb") as opened:
            data = opened.read(FILE_BYTES_MAX + 1)
        if len(data) > FILE_BYTES_MAX:
            raise NotAPlan(f"{file}: larger than {FILE_BYTES_MAX} bytes; no plan is")
        plan = read_plan(data.decode())
    except OSError as error:
        raise NotAPlan(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise NotAPlan(f"{file}: {error}") from error
    if found := problems(plan):
        raise NotAPlan("\n".join([f"{file}: {len(found)} problem(s)", *(f"  - {problem}" for problem in found)]))
    return plan


def _leave_behind(order: Order, failure: "Failure", *, shrink: bool, named: Path | None = None) -> None:
    """Write down what failed, what little it takes to fail, and what happened last."""
    from node.lab.simulation.report import write_failure

    order.save.mkdir(parents=True, exist_ok=True)
    name = named.stem if named is not None else f"{failure.plan.scenario}-{failure.plan.seed}"
    place = named
    if place is None:
        place = order.save / f"{name}.json"
        write_failure(failure, place)
        say(("replay  ", "dim"), failure.command)
        say(("        ", "dim"), f"moot simulate --plan {place}")
    smallest = failure
    if shrink and failure.violation.invariant not in NOT_SHRUNK:
        smallest = _shrink(failure)
        if smallest.plan != failure.plan:
            place = order.save / f"{name}-small.json"
            write_failure(smallest, place)
            say(("        ", "dim"), f"moot simulate --plan {place}")
    if failure.violation.invariant not in NOT_SHRUNK:
        _write_story(smallest, order.save / f"{place.stem}.txt")


def _shrink(failure: "Failure") -> "Failure":
    from node.lab.simulation.play import play
    from node.lab.simulation.report import Failure
    from node.lab.simulation.shrink import shrink

    with view.Shrinking() as shrinking:
        shrunk = shrink(failure.plan, failure.violation, play, tell=shrinking.show)
    view.show_shrunk(shrunk)
    return Failure(shrunk.plan, shrunk.violation, trace_of(shrunk.plan))


def _write_story(failure: "Failure", place: Path) -> None:
    from node.lab.simulation import story
    from node.lab.simulation.play import play
    from node.lab.simulation.watch import Watch

    watch = Watch(kept=True)
    play(failure.plan, watch)
    violation = failure.violation
    lines = [f"{violation.invariant}: {violation.detail}", *story.of_end(failure.plan, watch)]
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    say(("events  ", "dim"), str(place))
