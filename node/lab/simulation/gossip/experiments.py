"""What is done to a world to see how fast and how dear its membership is: crashes, news, joins, restarts, partitions.

Every experiment takes a size and a seed and gives figures by name, each a list of samples.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from node.lab.simulation.gossip.theory import sync_interval_ms
from node.lab.simulation.gossip.world import Wires, World
from node.lab.simulation.streams import stream
from node.membership.events import SetMeta
from node.membership.settings import MembershipSettings

Samples: TypeAlias = dict[str, list[float]]

WARM_UP_MS = 10_000
"""Before anything is measured: everybody has probed, and no beginning is left."""
IDLE_MS = 30_000
PATIENCE_MS = 600_000
"""After which what did not happen never does."""
QUIET_MS = 8_000
"""In which an update has been spread or never will be."""
PARTED_MS = 120_000
NEVER = math.inf


def crashes(nodes: int, seed: int, *, count: int = 5, idle_ms: int = IDLE_MS) -> Samples:
    """One member after another crashes for good.

    Returns:
        first_ms, until the first suspicion; all_ms, until every live member holds it dead; idle_bytes and
        failing_bytes, sent by a node in a second, before and meanwhile.
    """
    # As in a moot that has been running, first exchanges fall anywhere in the interval, and there is but one in a run.
    settings = MembershipSettings()
    settings = replace(settings, sync_interval_ms=sync_interval_ms(settings, nodes))
    world = World(seed, nodes, settings)
    world.seeds = []
    rng = stream(seed, "gossip/crashes")
    world.start_converged()
    world.run(WARM_UP_MS)
    before = world.bytes
    world.run(WARM_UP_MS + idle_ms)
    samples: Samples = {"first_ms": [], "all_ms": [], "failing_bytes": []}
    samples["idle_bytes"] = [(world.bytes - before) * 1_000 / idle_ms / nodes]
    for number in rng.sample(range(nodes), min(count, max(1, nodes // 10))):
        world.run(world.now_ms + rng.randrange(1_000, 3_000))
        live = len(world.live) - 1
        before, crashed_ms = world.bytes, world.now_ms
        world.crash(number)
        found = world.run(crashed_ms + PATIENCE_MS, _everybody_holds_dead(world, number, live))
        took_ms = world.now_ms - crashed_ms
        suspected_ms = world.census.suspected_ms.get(number)
        samples["first_ms"].append(suspected_ms - crashed_ms if suspected_ms is not None else NEVER)
        samples["all_ms"].append(took_ms if found else NEVER)
        samples["failing_bytes"].append((world.bytes - before) * 1_000 / took_ms / live)
    return samples


def spread(nodes: int, seed: int, *, loss: float = 0.0, count: int = 5) -> Samples:
    """Members publish other metadata, one after another, without full exchange to help.

    Returns:
        most_ms, until 99 % have it; all_ms; and for each update: complete, 1 or 0 as it reached all by gossip alone;
        reached, the share that it reached.
    """
    settings = replace(MembershipSettings(), sync_interval_ms=2 * PATIENCE_MS)
    world = World(seed, nodes, settings, Wires(loss=loss))
    world.seeds = []
    rng = stream(seed, "gossip/spread")
    world.start_converged()
    world.run(WARM_UP_MS)
    samples: Samples = {"most_ms": [], "all_ms": [], "complete": [], "reached": []}
    for number in range(count):
        world.run(world.now_ms + rng.randrange(1_000))
        teller, told_ms = rng.randrange(nodes), world.now_ms
        heard_ms = world.census.watch(teller, b"%d" % number).heard_ms
        world.step(teller, SetMeta(b"%d" % number))
        world.run(told_ms + QUIET_MS)
        took_ms = sorted(at_ms - told_ms for at_ms in heard_ms.values())
        most = math.ceil(0.99 * nodes) - 1
        samples["most_ms"].append(took_ms[most - 1] if len(took_ms) >= most else NEVER)
        samples["all_ms"].append(took_ms[-1] if len(took_ms) == nodes - 1 else NEVER)
        samples["complete"].append(len(took_ms) == nodes - 1)
        samples["reached"].append(len(took_ms) / (nodes - 1))
    return samples


def join(nodes: int, seed: int) -> Samples:
    """One new member knocks at the seeds of a moot that runs.

    Returns:
        known_ms, until all others hold it alive; knows_ms, until it holds all others alive too.
    """
    world = World(seed, nodes, MembershipSettings())
    newcomer = nodes - 1
    world.start_converged(*range(newcomer))
    world.run(WARM_UP_MS)
    begun_ms = world.now_ms
    world.start(newcomer)
    known = world.run(begun_ms + PATIENCE_MS, lambda: sum(world.census.alive[:newcomer]) == newcomer * newcomer)
    known_ms = world.now_ms - begun_ms if known else NEVER
    knows = world.run(begun_ms + PATIENCE_MS, lambda: world.census.all_alive(nodes))
    return {"known_ms": [known_ms], "knows_ms": [world.now_ms - begun_ms if knows else NEVER]}


def restart(nodes: int, seed: int) -> Samples:
    """All processes die at once and start again within a second.

    Returns:
        alive_ms, from the first start until everybody holds everybody alive.
    """
    world = World(seed, nodes, MembershipSettings())
    rng = stream(seed, "gossip/restart")
    world.start_converged()
    world.run(WARM_UP_MS + 30_000)  # by then they remember one another
    world.crash(*range(nodes))
    begun_ms = world.now_ms
    for at_ms, number in sorted((rng.randrange(1_000), number) for number in range(nodes)):
        world.run(begun_ms + at_ms)
        world.start(number)
    done = world.run(begun_ms + PATIENCE_MS, lambda: world.census.all_alive(nodes))
    return {"alive_ms": [world.now_ms - begun_ms if done else NEVER]}


def heal(nodes: int, seed: int) -> Samples:
    """The network falls into halves for two minutes, long enough for each half to hold the other dead.

    Returns:
        parted, the share of the other half that each held dead; healed_ms, from the end of the partition until
        everybody holds everybody alive.
    """
    world = World(seed, nodes, MembershipSettings())
    rng = stream(seed, "gossip/heal")
    sides = [number % 2 for number in range(nodes)]
    rng.shuffle(sides)
    world.start_converged()
    world.run(WARM_UP_MS)
    world.partition(sides)
    world.run(world.now_ms + PARTED_MS)
    parted = sum(world.census.dead_at) / (2 * sum(sides) * (nodes - sum(sides)))
    world.partition(None)
    healed_ms = world.now_ms
    done = world.run(healed_ms + PATIENCE_MS, lambda: world.census.all_alive(nodes))
    return {"parted": [parted], "healed_ms": [world.now_ms - healed_ms if done else NEVER]}


def _everybody_holds_dead(world: World, number: int, live: int) -> Callable[[], bool]:
    return lambda: world.census.dead_at[number] == live
