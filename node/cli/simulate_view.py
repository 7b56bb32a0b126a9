"""How simulations look: progress on stderr while they run, what they add up to on stdout."""

from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.status import Status
from rich.text import Text

from node.cli.counting import Counting
from node.cli.show import duration, milliseconds, plural
from node.cli.terminal import answer, console, say

if TYPE_CHECKING:
    from node.lab.simulation.outcome import Outcome, Violation
    from node.lab.simulation.plan import Plan
    from node.lab.simulation.report import Failure, Summary
    from node.lab.simulation.shrink import Shrunk

FACT_WIDTH = 14
PLAIN_EVERY_S = 60.0
"""How often a line says how far it is, where no terminal shows that."""


class Progress(Counting):
    """Seeds played, what they decided, how fast, and when it will be over."""

    def __init__(self, scenario: str, seeds: int | None) -> None:
        super().__init__()
        self._task = self._bar.add_task(scenario, total=seeds, told="")
        self._line_s = PLAIN_EVERY_S
        self._broken = 0

    def show(self, summary: "Summary") -> None:
        rate = summary.events / summary.wall_s if summary.wall_s else 0.0
        told = f"{summary.slots:,} slots  {rate:,.0f} events/s  {plural(summary.violations.total(), 'violation')}"
        self._bar.update(self._task, completed=summary.seeds, told=told)
        for failure in summary.failures[self._broken :]:  # At once: the end of a long campaign may be hours away.
            self._bar.console.print(
                Text.assemble((f"{failure.violation.invariant}  ", "red"), failure.command), soft_wrap=True
            )
        self._broken = len(summary.failures)
        if self._plain and summary.wall_s >= self._line_s:
            self._line_s += PLAIN_EVERY_S
            say(f"{summary.scenario}: {plural(summary.seeds, 'seed')}  {told}")


class Shrinking:
    """Says how small the plan is by now."""

    def __init__(self) -> None:
        self._status = Status("making the plan smaller", console=console(error=True))

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def show(self, plays: int, plan: "Plan") -> None:
        parts = f"{plural(plan.members, 'member')}, {plural(len(plan.faults), 'fault')}, {plural(plays, 'play')}"
        self._status.update(f"making the plan smaller: {parts}")


def show_summary(summary: "Summary", *, interrupted: bool) -> None:
    asked = "" if summary.asked is None else f" of {summary.asked:,}"
    ended = "; interrupted" if interrupted else ""
    answer(f"{summary.scenario}: {summary.seeds:,}{asked} seeds in {duration(int(summary.wall_s * 1000))}{ended}")
    _fact("slots decided", f"{summary.slots:,}")
    _fact("events", f"{summary.events:,}, {summary.events_per_s:,.0f} a second on one core")
    _fact("virtual time", f"{duration(summary.virtual_ms)}, {summary.speed:,.0f} times real time on one core")
    times = [summary.decided_ms(share) for share in (0.5, 0.99, 1.0)]
    _fact("a decision", ", ".join(f"{name} {milliseconds(ms)}" for name, ms in zip(_TIMES, times, strict=True)))
    _fact("crashes", f"{summary.crashes:,}")
    _fact("liars", _counted(summary.liars))
    if summary.twice:
        _fact("played twice", f"{plural(summary.twice, 'seed')}, both times alike")
    if summary.lost_workers:
        _fact("workers lost", f"{summary.lost_workers:,}")
    _fact("violations", _counted(summary.violations))
    for failure in summary.failures:
        answer(f"seed {failure.plan.seed}")
        show_violation(failure.violation)


def show_outcome(outcome: "Outcome", failure: "Failure | None") -> None:
    plan = outcome.plan
    answer(f"{plan.scenario}, seed {plan.seed}: {plural(plan.members, 'member')}, {duration(outcome.virtual_ms)}")
    _fact("slots decided", f"{outcome.slots:,}")
    _fact("events", f"{outcome.events:,}")
    _fact("crashes", f"{outcome.crashes:,}")
    _fact("liars", ", ".join(f"n{liar.node} {liar.kind}" for liar in plan.liars) or "none")
    if outcome.trace:
        _fact("trace", outcome.trace)
    if failure is None:
        _fact("violations", "none")
    else:
        show_violation(failure.violation)


def outcome_document(outcome: "Outcome", failure: "Failure | None") -> dict[str, Any]:
    return {
        "scenario": outcome.plan.scenario,
        "seed": outcome.plan.seed,
        "members": outcome.plan.members,
        "slots": outcome.slots,
        "events": outcome.events,
        "virtual_s": round(outcome.virtual_ms / 1000, 3),
        "crashes": outcome.crashes,
        "trace": outcome.trace or None,
        "counts": outcome.counts,
        "violation": None if failure is None else asdict(failure.violation),
    }


def show_violation(violation: "Violation") -> None:
    where = f"after {milliseconds(violation.at_ms)} of virtual time, event {violation.event:,}"
    say(("broken  ", "bold red"), f"{violation.invariant}, {where}")
    for line in violation.detail.splitlines():
        say(("        ", "dim"), line)


def show_shrunk(shrunk: "Shrunk") -> None:
    ended = "" if shrunk.complete else ", and stopped there"
    say(("smaller ", "dim"), f"with {plural(shrunk.plays, 'play')}{ended}: {'; '.join(shrunk.lines()) or 'nothing'}")


def _fact(name: str, value: str) -> None:
    answer(f"  {name:<{FACT_WIDTH}} {value}")


def _counted(counts: "dict[str, int]") -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


_TIMES = ("median", "99 %", "slowest")
