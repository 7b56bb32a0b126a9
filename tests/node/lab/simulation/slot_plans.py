"""Plans of slots for tests, small and rough: each kind of fault is absent from about half of the seeds."""

import random

from node.lab.simulation.faults import Clog, Crash, Cut, Disk, Fault, Stall
from node.lab.simulation.lies import STATEMENT_LIES
from node.lab.simulation.plan import Liar, Network, Plan, World
from node.lab.simulation.slots.shapes import liars_max

FAULTS_MS = 15_000


def rough(
    seed: int, members: int = 4, *, shape: str = "same", slots: int = 10, liars: int | None = None, threshold: int = 0
) -> Plan:
    """A plan with up to `liars` liars, by default as many as the shape bears, on the highest numbers."""
    rng = random.Random(f"{seed} {members} {shape}")
    lying = rng.randint(0, liars_max(shape, members)) if liars is None else liars
    return Plan(
        scenario="test",
        seed=seed,
        world=World.SLOTS,
        members=members,
        nodes=members,
        threshold=threshold,
        shape=shape,
        slots=slots,
        liars=tuple(Liar(members - 1 - n, rng.choice(STATEMENT_LIES)) for n in range(lying)),
        network=_network(rng),
        faults=tuple(sorted(_faults(rng, members), key=lambda fault: fault.at_ms)),
        heal_ms=FAULTS_MS,
        budget_ms=60_000 + 10_000 * slots,
    )


def _network(rng: random.Random) -> Network:
    return Network(
        delay_min_ms=rng.choice([0, 1, 30]),
        delay_mean_ms=rng.choice([20, 200, 800]),
        loss=rng.choice([0.0, rng.uniform(0, 0.5)]),
        duplication=rng.choice([0.0, rng.uniform(0, 0.5)]),
        replay=rng.choice([0.0, 0.1]),
        in_flight_max=rng.choice([0, 0, 10]),
    )


def _faults(rng: random.Random, members: int) -> list[Fault]:
    def when() -> int:
        return rng.randrange(FAULTS_MS)

    faults: list[Fault] = []
    if rng.random() < 0.5:
        for _ in range(rng.randrange(20)):
            disk = rng.choice([Disk.KEPT] * 9 + [Disk.TORN])
            effects = rng.randint(-1, members)
            faults.append(Crash(when(), rng.randrange(members), effects, rng.randrange(50, 5_000), disk))
    if rng.random() < 0.2:
        faults.append(Crash(when(), rng.randrange(members), 0, 500, rng.choice([Disk.WIPED, Disk.OLD])))
    if rng.random() < 0.5:
        side = tuple(sorted(rng.sample(range(members), rng.randint(1, members - 1))))
        faults.append(Cut(when(), rng.randrange(5_000), side, rng.random() < 0.3))
    if rng.random() < 0.5:
        faults.append(Clog(when(), rng.randrange(5_000), *rng.sample(range(members), 2)))
    if rng.random() < 0.5:
        faults.append(Stall(when(), rng.randrange(5_000), rng.randrange(members)))
    return faults
