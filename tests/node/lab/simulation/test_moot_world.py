"""Whole nodes on virtual time: every fault can be played, and a moot of production cores comes through all of them."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from node.lab.simulation.faults import ClockStep, Clog, Crash, Cut, Disk, DiskFull, Fault, Leave, Stall
from node.lab.simulation.moot.world import MootWorld, play_moot
from node.lab.simulation.plan import Ask, Clocks, Liar, Models, Network, Plan, Seat, World
from node.lab.simulation.watch import Watch

ASKS = tuple(Ask(1_000 + 1_500 * number, number % 4) for number in range(6))
CALM = Plan(
    scenario="test",
    seed=1,
    world=World.MOOT,
    members=4,
    nodes=4,
    asks=ASKS,
    heal_ms=15_000,
    budget_ms=120_000,
)
ROUGH = replace(
    CALM,
    network=Network(delay_min_ms=5, delay_mean_ms=60, loss=0.1, duplication=0.1, replay=0.1),
    clocks=Clocks(offset_ms_max=60_000, drift_ppm_max=500),
    models=Models(latency_ms_mean=100, slow=(1,), failing=0.2),
    liars=(Liar(3, "mirror"),),
    faults=(
        Crash(1_200, 0, 2, 700),
        Crash(2_500, 1, 0, 300, Disk.TORN),
        Cut(4_000, 2_000, (0, 1), one_way=True),
        Clog(4_500, 1_000, 2, 0),
        Stall(7_000, 2_000, 2),
        ClockStep(8_000, 1, 3_000),
        DiskFull(9_000, 1_000, 1),
        Leave(11_000, 500, 2),
    ),
)


@pytest.mark.parametrize("ed25519", [False, True])
def test_a_calm_moot_decides_all_that_is_asked_within_a_second(ed25519: bool) -> None:
    """Else no figure of a run under faults would mean anything."""
    outcome = play_moot(replace(CALM, ed25519=ed25519), Watch())
    assert outcome.violation is None
    assert outcome.counts["questions"] == len(outcome.decided_ms) == len(ASKS)
    assert outcome.slots <= len(ASKS) and max(outcome.decided_ms) < 1_000
    assert outcome.virtual_ms == CALM.heal_ms, "all was decided before the end"


FAULTS: dict[str, tuple[Fault, ...]] = {
    "before the saves": (Crash(1_050, 0, -1, 500),),
    "between saves and sends": (Crash(1_050, 0, 0, 500),),
    "among the sends": (Crash(1_050, 0, 2, 500),),
    "in the midst of a save": (Crash(1_050, 0, 3, 500, Disk.TORN),),
    "an old disk": (Crash(4_050, 0, 1, 500, Disk.OLD),),
    "a wiped disk": (Crash(4_050, 0, 1, 500, Disk.WIPED),),
    "all at once": tuple(Crash(1_100, number, 1, 300) for number in range(4)),
    "halves": (Cut(900, 9_000, (0, 1)),),
    "one way": (Cut(900, 9_000, (0,), one_way=True),),
    "clog": (Clog(900, 5_000, 0, 1), Clog(900, 5_000, 1, 0)),
    "stall": (Stall(900, 12_000, 2),),
    "clock": (ClockStep(900, 0, -200_000), Crash(2_000, 0, 0, 100)),
    "full disk": (DiskFull(900, 5_000, 1),),
    "goodbye": (Leave(2_000, 4_000, 3),),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_moot_comes_through_every_fault(name: str) -> None:
    """Else either a core breaks under it, or the simulator cannot play it."""
    plan = replace(CALM, faults=FAULTS[name])
    calm, outcome = play_moot(CALM, Watch(traced=True)), play_moot(plan, Watch(traced=True))
    assert outcome.violation is None
    assert outcome.trace != calm.trace, "the fault did not happen"
    assert outcome.crashes == sum(isinstance(fault, Crash) for fault in plan.faults)
    assert outcome.counts["questions"] >= len(ASKS) - 1, "a question may die with its asker, no other"


def test_a_stopped_node_is_asked_again_and_a_liar_never() -> None:
    """Else a run under faults would ask less than its plan says."""
    plan = replace(CALM, liars=(Liar(2, "silent"),), faults=(Crash(900, 1, 0, 3_000),))
    outcome = play_moot(plan, Watch())
    assert outcome.violation is None and outcome.counts["questions"] == len(ASKS)


def trace() -> str:
    outcome = play_moot(ROUGH, Watch(traced=True))
    return f"{outcome.trace} {outcome.violation} {outcome.events} {outcome.slots} {outcome.counts}"


def test_a_plan_gives_the_same_run_whatever_hashing_does() -> None:
    """Else a failure found by a seed could not be replayed, nor made smaller."""
    program = "from tests.node.lab.simulation.test_moot_world import trace; print(trace())"
    traces = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for hash_seed in ("0", "1", "4711")
    }
    assert traces == {trace() + "\n"}
    assert "None" in traces.pop(), "the run itself is good"


def test_another_seed_gives_another_run() -> None:
    """Else a thousand seeds would be one."""
    one, other = (play_moot(replace(CALM, seed=seed), Watch(traced=True)) for seed in (1, 2))
    assert one.trace != other.trace


def test_machines_drift_apart_and_go_wrong_as_the_plan_says() -> None:
    """Else clocks would never be tried."""
    world = MootWorld(ROUGH, Watch())
    clocks = [host.clock for host in world.hosts]
    assert len({clock.drift_ppm for clock in clocks}) > 1 and len({clock.wall_error_ms for clock in clocks}) > 1
    for clock in clocks:
        for virtual_ms in (0, 1, 999, 86_400_000):
            shown = clock.monotonic_ms(virtual_ms)
            assert clock.monotonic_ms(clock.when(shown)) == shown
            assert clock.when(shown) <= virtual_ms < clock.when(shown + 1)


def test_what_was_sent_before_comes_again() -> None:
    """Else nothing old would ever reach a node that restarted."""
    outcome = play_moot(replace(CALM, network=Network(replay=0.3)), Watch())
    assert outcome.violation is None and outcome.counts["replayed"] > 100


@pytest.mark.parametrize("seed", range(6))
def test_a_rough_run_with_a_liar_holds(seed: int) -> None:
    """All kinds of faults in one run; wide campaigns do this by the thousand."""
    outcome = play_moot(replace(ROUGH, seed=seed), Watch())
    assert outcome.violation is None and outcome.slots > 0


def test_members_come_and_go_while_questions_are_decided() -> None:
    """Else quorums of two rosters would never be tried against each other."""
    seats = (Seat(1_500, 0, joins=4), Seat(1_600, 1, joins=5, leaves=3), Seat(8_000, 2, leaves=0))
    plan = replace(CALM, nodes=6, seats=seats)
    world = MootWorld(plan, Watch())
    world.run()
    outcome = world.outcome(None)
    assert outcome.counts["questions"] == len(ASKS) and outcome.counts["epochs"] == 3
    members = {world.hosts[number].node for number in (1, 2, 4, 5)}
    assert world.checks.decisions.roster.nodes == members
    ledgers = [host.process.moot.ledger for host in world.hosts if host.process is not None and host.node in members]
    assert {ledger.height for ledger in ledgers} == {outcome.slots} and len(ledgers) == 4


def test_a_change_that_another_one_outran_is_proposed_anew() -> None:
    """Two are wanted at once; only one of them can follow the roster that both know."""
    seats = (Seat(1_500, 0, joins=4), Seat(1_500, 1, joins=5))
    world = MootWorld(replace(CALM, nodes=6, seats=seats), Watch())
    world.run()
    assert world.checks.decisions.roster.epoch == 2 and world.seats.proposed == 3
