"""What a plan may hold, drawn part by part: each part from a stream of its own, within bounds that are said here.

In the manner of swarm testing (Groce et al., ISSTA 2012) a part that a scenario only permits is off in half of the
runs: a fault that is always there hides what needs its absence.
"""

import random
from dataclasses import dataclass

from coordinator.voting import byzantine_threshold
from node.lab.simulation.faults import ClockStep, Clog, Crash, Cut, Disk, DiskFull, Fault, Leave, Stall
from node.lab.simulation.lies import MOOT_LIES, STATEMENT_LIES
from node.lab.simulation.plan import Ask, Clocks, Liar, Models, Network, Seat, World
from node.lab.simulation.streams import stream

SIZES = (*(4,) * 12, *(5,) * 6, *(6,) * 4, *(7,) * 10, 1, 2, 3, 3, 10, 10, 13)
"""Members of a moot. Most faults show with few; from four on one member may lie."""

DELAY_MIN_MS_MAX = 30
DELAY_MEAN_MS_MAX = 1_500
LOSS_MAX, DUPLICATION_MAX, REPLAY_MAX = 0.6, 0.5, 0.2
IN_FLIGHT_MIN, IN_FLIGHT_MAX = 2, 20
CLOG_MS_MAX = 5_000
DOWN_MS_MIN, DOWN_MS_MAX = 50, 15_000
STALL_MS_MIN, STALL_MS_MAX = 100, 60_000
CUT_MS_MIN, CUT_MS_MAX = 500, 30_000
EFFECTS_MAX = 12
"""The first effects of a step are the ones where a crash tells apart what is saved from what is sent."""
STORM = 20
OFFSET_MS_MAX = 140_000
"""Members refuse records dated more than five minutes ahead: clocks stay less than that apart."""
DRIFT_PPM_MAX = 500
STEP_MS_MAX = 600_000
DEADLINE_MS_MAX = 20_000
QUESTIONS_MAX = 12
BUSY_MS = -300, 1_500
"""From a question on until it is decided, and a little before."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What all draws of one plan stand on."""

    scenario: str
    seed: int
    world: World
    members: int
    heal_ms: int
    busy_ms: tuple[int, ...] = ()
    """When questions are asked."""

    def chance(self, part: str) -> random.Random:
        return stream(self.seed, f"{self.scenario}/{part}")

    def permits(self, part: str) -> bool:
        """Whether a part that this scenario permits is there in this run."""
        return self.chance(f"{part}?").random() < 0.5

    def some_time(self, rng: random.Random, length_ms: int = 0, least_ms: int = 500) -> int:
        """A time from which on `length_ms` fit in before everything heals.

        Often about when a question is asked: most of the time nothing goes on that a fault could disturb.
        """
        last_ms = max(least_ms, self.heal_ms - length_ms - 1)
        if self.busy_ms and rng.random() < 0.5:
            return min(last_ms, max(least_ms, rng.choice(self.busy_ms) + rng.randint(*BUSY_MS)))
        return rng.randint(least_ms, last_ms)


def tolerated(members: int) -> int:
    """How many of them may lie, or forget what they said, without harm: less than a third."""
    return members - byzantine_threshold(members)


def members_of(seed: int, scenario: str) -> int:
    return stream(seed, f"{scenario}/size").choice(SIZES)


def skewed(rng: random.Random, least: float, most: float) -> int:
    """Between the two, each order of magnitude as likely as the others."""
    return round(least * float((most / least) ** rng.random()))


def lossy_network(ground: Ground) -> Network:
    """Each way to be bad is there in half of the runs."""
    slow, rng = ground.permits("delay"), ground.chance("delay")
    delay_min_ms = rng.randint(0, DELAY_MIN_MS_MAX if slow else 5)
    delay_mean_ms = skewed(rng, 30, DELAY_MEAN_MS_MAX) if slow else rng.randint(1, 60)
    return Network(
        delay_min_ms=delay_min_ms,
        delay_mean_ms=delay_mean_ms,
        loss=_share(ground, "loss", LOSS_MAX),
        duplication=_share(ground, "duplication", DUPLICATION_MAX),
        replay=_share(ground, "replay", REPLAY_MAX),
        in_flight_max=ground.chance("capacity").randint(IN_FLIGHT_MIN, IN_FLIGHT_MAX)
        if ground.permits("capacity")
        else 0,
    )


def fair_network(ground: Ground) -> Network:
    """As between machines of one building or of one country."""
    rng = ground.chance("delay")
    return Network(delay_min_ms=rng.randint(0, 10), delay_mean_ms=rng.randint(1, 60))


def clogs(ground: Ground) -> list[Fault]:
    rng = ground.chance("clogs")
    found: list[Fault] = []
    for _ in range(rng.randint(1, 12) if ground.members > 1 else 0):
        sender, receiver = rng.sample(range(ground.members), 2)
        for_ms = rng.randint(10, min(CLOG_MS_MAX, ground.heal_ms // 2))
        found.append(Clog(ground.some_time(rng, for_ms), for_ms, sender, receiver))
    return found


def cuts(ground: Ground) -> list[Fault]:
    """One after another, or a swizzle: members are cut off in one order and come back in another."""
    rng = ground.chance("cuts")
    if ground.members < 2:
        return []
    if rng.random() < 0.3:
        return _swizzle(ground, rng)
    found: list[Fault] = []
    for _ in range(rng.randint(1, 5)):
        for_ms = skewed(rng, CUT_MS_MIN, min(CUT_MS_MAX, ground.heal_ms // 2))
        found.append(Cut(ground.some_time(rng, for_ms), for_ms, _side(ground.members, rng), rng.random() < 0.3))
    return found


def crashes(ground: Ground, spoiled: tuple[int, ...] = ()) -> list[Fault]:
    """A few at any time, a storm, or all at once. Only the disks of the nodes in `spoiled` come back old or wiped.

    In a run of slots a torn save makes the disk unusable; the store of whole nodes keeps a save whole or not at all.
    """
    rng = ground.chance("crashes")
    whole = list(range(ground.members))
    style = rng.choice(("few", "few", "storm", "all"))
    times: list[tuple[int, int]] = []
    if style == "few":
        times = [(ground.some_time(rng, DOWN_MS_MAX), rng.choice(whole)) for _ in range(rng.randint(1, 8))]
    elif style == "storm":
        length_ms = min(DOWN_MS_MAX, ground.heal_ms // 3)
        start_ms = ground.some_time(rng, 2 * length_ms)
        times = [(start_ms + rng.randint(0, length_ms), rng.choice(whole)) for _ in range(STORM)]
    else:
        for _ in range(rng.randint(1, 3)):
            at_ms = ground.some_time(rng, DOWN_MS_MAX + 100)
            times += [(at_ms + rng.choice((0, 0, rng.randint(0, 100))), node) for node in whole]
    disks = ground.chance("disks")
    return [_crash(ground, rng, disks, at_ms, node, spoiled) for at_ms, node in sorted(times)]


def stalls(ground: Ground, nodes: tuple[int, ...] = ()) -> list[Fault]:
    rng = ground.chance("stalls")
    found: list[Fault] = []
    for _ in range(rng.randint(1, 6)):
        for_ms = skewed(rng, STALL_MS_MIN, min(STALL_MS_MAX, ground.heal_ms // 2))
        node = rng.choice(nodes or range(ground.members))
        found.append(Stall(ground.some_time(rng, for_ms), for_ms, node))
    return found


def clocks(ground: Ground) -> Clocks:
    rng = ground.chance("clocks")
    return Clocks(offset_ms_max=skewed(rng, 10, OFFSET_MS_MAX), drift_ppm_max=rng.randint(0, DRIFT_PPM_MAX))


def clock_steps(ground: Ground) -> list[Fault]:
    """A wall clock that is set wrong is set right again before all heals."""
    rng = ground.chance("clock steps")
    found: list[Fault] = []
    for _ in range(rng.randint(1, 4)):
        node, by_ms = rng.randrange(ground.members), rng.choice((-1, 1)) * skewed(rng, 100, STEP_MS_MAX)
        wrong_ms = rng.randint(1, ground.heal_ms // 2)
        at_ms = ground.some_time(rng, wrong_ms)
        found += [ClockStep(at_ms, node, by_ms), ClockStep(at_ms + wrong_ms, node, -by_ms)]
    return found


def full_disks(ground: Ground) -> list[Fault]:
    rng = ground.chance("full disks")
    found: list[Fault] = []
    for _ in range(rng.randint(1, 2)):
        for_ms = min(skewed(rng, 500, 20_000), ground.heal_ms // 2)
        found.append(DiskFull(ground.some_time(rng, for_ms), for_ms, rng.randrange(ground.members)))
    return found


def leaves(ground: Ground) -> list[Fault]:
    rng = ground.chance("leaves")
    found: list[Fault] = []
    for _ in range(rng.randint(1, 3)):
        away_ms = min(skewed(rng, 500, 20_000), ground.heal_ms // 2)
        found.append(Leave(ground.some_time(rng, away_ms), away_ms, rng.randrange(ground.members)))
    return found


def models(ground: Ground, slow: tuple[int, ...] = ()) -> Models:
    rng = ground.chance("models")
    failing = rng.random() * 0.5 if ground.permits("failing models") else 0.0
    return Models(latency_ms_mean=skewed(rng, 5, 400), slow=slow, failing=round(failing, 3))


def liars(ground: Ground, most: int) -> tuple[Liar, ...]:
    """At least one where one is tolerated, each with a way of lying of its own."""
    rng = ground.chance("liars")
    kinds = STATEMENT_LIES if ground.world is World.SLOTS else MOOT_LIES
    if most < 1:
        return ()
    nodes = sorted(rng.sample(range(ground.members), rng.randint(1, most)))
    return tuple(Liar(node, rng.choice(kinds)) for node in nodes)


def spoiled_disks(ground: Ground, liars: tuple[Liar, ...], most: int) -> tuple[int, ...]:
    """Members that may lose their disk's newest content: with the liars no more than `most`, as may lie.

    What such a member said before may still be under way when it speaks again.
    """
    rng, room = ground.chance("spoiled"), most - len(liars)
    return tuple(sorted(rng.sample(honest(ground, liars), rng.randint(1, room)))) if room > 0 else ()


def busy_times(ground: Ground) -> tuple[int, ...]:
    """When questions are asked: one by one, or many at once."""
    rng = ground.chance("busy times")
    together, once_ms = rng.random() < 0.2, ground.some_time(rng)
    return tuple(sorted(once_ms if together else ground.some_time(rng) for _ in range(rng.randint(1, QUESTIONS_MAX))))


def questions(ground: Ground, liars: tuple[Liar, ...] = ()) -> tuple[Ask, ...]:
    """Put to honest members."""
    rng, askers = ground.chance("questions"), honest(ground, liars)
    return tuple(Ask(at_ms, rng.choice(askers), skewed(rng, 1_000, DEADLINE_MS_MAX)) for at_ms in ground.busy_ms)


def seats(ground: Ground, liars: tuple[Liar, ...], faulty: int, joiners: int) -> tuple[Seat, ...]:
    """Newcomers come in and members go, one at a time or in each other's place; one who stays proposes it.

    In whatever order this is decided, the roster stays large enough for as many members as are `faulty`.
    """
    rng, (proposer, *others) = ground.chance("seats"), honest(ground, liars)
    leavers = rng.sample(others, len(others))
    newcomers = list(range(ground.members, ground.members + joiners))
    fewest, found = ground.members, list[Seat]()
    for at_ms in sorted(ground.some_time(rng) for _ in range(rng.randint(1, 4))):
        joins = newcomers.pop(0) if newcomers and rng.random() < 0.7 else -1
        leaves = leavers.pop() if leavers and rng.random() < (0.5 if joins != -1 else 1.0) else -1
        if joins == -1:
            if leaves == -1 or tolerated(fewest - 1) < faulty:
                continue
            fewest -= 1
        found.append(Seat(at_ms, proposer, joins, leaves))
    return tuple(found)


def honest(ground: Ground, liars: tuple[Liar, ...]) -> list[int]:
    lying = [liar.node for liar in liars]
    return [node for node in range(ground.members) if node not in lying]


def _share(ground: Ground, part: str, most: float) -> float:
    return round(ground.chance(part).random() * most, 3) if ground.permits(part) else 0.0


def _crash(
    ground: Ground, rng: random.Random, disks: random.Random, at_ms: int, node: int, spoiled: tuple[int, ...]
) -> Crash:
    effects = rng.choice((-1, 0, rng.randint(1, 3), rng.randint(0, EFFECTS_MAX)))
    down_ms = min(skewed(rng, DOWN_MS_MIN, DOWN_MS_MAX), max(1, ground.heal_ms - at_ms - 1))
    held = (Disk.KEPT,) if ground.world is World.SLOTS else (Disk.KEPT, Disk.KEPT, Disk.KEPT, Disk.TORN)
    disk = disks.choice((*held, Disk.TORN, Disk.OLD, Disk.WIPED) if node in spoiled else held)
    return Crash(at_ms, node, effects, down_ms, disk)


def _side(members: int, rng: random.Random) -> tuple[int, ...]:
    """One alone, a half, anybody, as many as a quorum can miss, or one more, so that neither side has a quorum."""
    few = tolerated(members)
    count = rng.choice((1, members // 2, 0, few, few + 1))
    if count == 0:
        side = tuple(node for node in range(members) if rng.random() < 0.5)
        return side if 0 < len(side) < members else (rng.randrange(members),)
    return tuple(sorted(rng.sample(range(members), min(count, members - 1))))


def _swizzle(ground: Ground, rng: random.Random) -> list[Fault]:
    nodes = rng.sample(range(ground.members), rng.randint(1, ground.members))
    length_ms = skewed(rng, 4 * CUT_MS_MIN, max(5 * CUT_MS_MIN, min(2 * CUT_MS_MAX, ground.heal_ms // 2)))
    start_ms, third_ms = ground.some_time(rng, length_ms), length_ms // 3
    return [
        Cut(begin_ms, max(CUT_MS_MIN, start_ms + 2 * third_ms + rng.randint(0, third_ms) - begin_ms), (node,))
        for node in nodes
        for begin_ms in (start_ms + rng.randint(0, third_ms),)
    ]
