"""Many seeds of one scenario, on one core or on all, added up as they come."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from node.lab.simulation.crew import Crew, Job
from node.lab.simulation.outcome import Outcome, Violation
from node.lab.simulation.plan import Plan
from node.lab.simulation.play import play
from node.lab.simulation.report import Failure, Played, Summary
from node.lab.simulation.scenarios import SCENARIOS
from node.lab.simulation.watch import Watch

TWICE_EVERY = 50

Tell = Callable[[Summary], None]


@dataclass(frozen=True, slots=True)
class SeedJob:
    """What is done with a seed. Workers get it in writing, so its parts are functions of modules."""

    draw: Callable[[int], Plan]
    play: Callable[[Plan, Watch], Outcome] = play
    twice_every: int = TWICE_EVERY
    """Each so manieth seed is played twice, to see that both go alike; 0 is none."""
    sized: int | None = None
    """How many members were asked for, if the scenario was not left to draw that."""

    def __call__(self, seed: int) -> Played:
        begin = time.process_time()
        plan = self.draw(seed)
        twice = bool(self.twice_every) and seed % self.twice_every == 0
        watch = Watch(traced=twice)
        outcome = self.play(plan, watch)
        if twice and outcome.violation is None and (second := self._trace(plan)) != watch.trace():
            outcome = replace(outcome, violation=differing(watch.trace(), second, outcome))
        failure = None
        if outcome.violation is not None:
            failure = Failure(plan, outcome.violation, watch.trace() or self._trace(plan), self.sized)
        return Played.of(outcome, time.process_time() - begin, failure, twice=twice and failure is None)

    def lost(self, seed: int, invariant: str, detail: str) -> Played:
        plan = self.draw(seed)
        broken = Violation(invariant=invariant, detail=detail, at_ms=0, event=0)
        outcome = Outcome(plan=plan, violation=broken, slots=0, events=0, virtual_ms=0, crashes=0)
        return Played.of(outcome, 0.0, Failure(plan, broken, "", self.sized))

    def _trace(self, plan: Plan) -> str:
        watch = Watch(traced=True)
        self.play(plan, watch)
        return watch.trace()


def differing(first: str, second: str, outcome: Outcome) -> Violation:
    """Equal plans that do not go alike: then no run proves anything."""
    detail = f"two plays of one plan differ: {first} and {second}"
    return Violation(invariant="replay", detail=detail, at_ms=outcome.virtual_ms, event=outcome.events)


def job_of(scenario: str, nodes: int | None, twice_every: int = TWICE_EVERY) -> SeedJob:
    return SeedJob(partial(_draw, scenario, nodes), twice_every=twice_every, sized=nodes)


def run(
    job: Job,
    summary: Summary,
    *,
    first: int = 1,
    workers: int | None = None,
    seconds: float | None = None,
    keep_going: bool = False,
    tell: Tell = lambda _: None,
) -> bool:
    """Play `summary.asked` seeds from `first` on and add them up in `summary`; whether nobody interrupted it.

    It ends early at the first violation unless it is to keep going, after so many `seconds`, or on Ctrl-C. One worker
    is this process itself.
    """
    workers = cores() if workers is None else workers
    seeds = iter(range(first, first + summary.asked)) if summary.asked is not None else count(first)
    begin = time.monotonic()
    crew = None if workers == 1 else Crew(job, seeds, min(workers, summary.asked or workers))
    played: Iterator[Played | None] = map(job, seeds) if crew is None else crew.played()
    try:
        for one in played:
            if one is not None:
                summary.add(one)
            summary.wall_s = time.monotonic() - begin
            summary.lost_workers = crew.lost if crew else 0
            tell(summary)
            if summary.failures and not keep_going:
                break
            if seconds is not None and summary.wall_s >= seconds:
                break
    except KeyboardInterrupt:
        return False
    finally:
        if crew is not None:
            crew.stop()
        summary.wall_s = time.monotonic() - begin
    return True


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _draw(scenario: str, nodes: int | None, seed: int) -> Plan:
    return SCENARIOS[scenario].draw(seed, nodes)
