"""A world that plays nothing and fails where it is told to: for what must not depend on what is played."""

import os
import time
from dataclasses import replace

from node.lab.simulation.faults import Crash, Cut, Stall
from node.lab.simulation.outcome import Outcome, Violation
from node.lab.simulation.plan import Ask, Liar, Network, Plan, World
from node.lab.simulation.watch import Watch

CALM = Plan(
    scenario="fake",
    seed=1,
    world=World.MOOT,
    members=7,
    nodes=7,
    asks=tuple(Ask(1_000 * number, number % 7) for number in range(1, 9)),
    heal_ms=60_000,
)
ROUGH = replace(
    CALM,
    liars=(Liar(5, "silent"),),
    network=Network(delay_mean_ms=300, loss=0.4, duplication=0.2, replay=0.1),
    faults=(
        *(Crash(2_000 + 100 * number, number % 7, 0, 500) for number in range(20)),
        Cut(5_000, 9_000, (1, 2, 3)),
        Crash(30_000, 4, 2, 4_000),
        *(Stall(40_000 + number, 10, number % 7) for number in range(9)),
    ),
)


def draw(seed: int) -> Plan:
    return replace(CALM, seed=seed)


def outcome(plan: Plan, *, broken: str = "", slots: int = 2) -> Outcome:
    violation = Violation(invariant=broken, detail="as planned", at_ms=5, event=7) if broken else None
    return Outcome(
        plan=plan,
        violation=violation,
        slots=slots,
        events=100,
        virtual_ms=10_000,
        crashes=1,
        decided_ms=(10 * plan.seed, 20),
        counts={"messages": 3},
    )


def fine(plan: Plan, watch: Watch) -> Outcome:
    watch.tell(1, 0, 0, "played", plan.seed)
    return replace(outcome(plan), trace=watch.trace())


def fails_at_seven(plan: Plan, watch: Watch) -> Outcome:
    return outcome(plan, broken="agreement") if plan.seed % 10 == 7 else fine(plan, watch)


def differs(plan: Plan, watch: Watch) -> Outcome:
    watch.tell(1, 0, 0, "played", time.perf_counter_ns())
    return replace(outcome(plan), trace=watch.trace())


def dies_at_three(plan: Plan, watch: Watch) -> Outcome:
    if plan.seed == 3:
        os._exit(9)
    return fine(plan, watch)


def hangs_at_three(plan: Plan, watch: Watch) -> Outcome:
    while plan.seed == 3:
        pass
    return fine(plan, watch)


def needs_two_faults_and_loss(plan: Plan) -> Outcome:
    """It takes three members, a crash, a cut before somebody asks, and loss."""
    crashed = plan.members >= 3 and any(isinstance(fault, Crash) for fault in plan.faults)
    cut = any(isinstance(fault, Cut) and any(ask.at_ms > fault.at_ms for ask in plan.asks) for fault in plan.faults)
    return outcome(plan, broken="agreement" if crashed and cut and plan.network.loss else "")
