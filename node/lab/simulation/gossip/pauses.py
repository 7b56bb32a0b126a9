"""Who is held dead though it is well: members whose processes stall now and then, and one that accuses everybody."""

from random import Random

from coordinator.signed import Kind, Signed
from node.lab.simulation.gossip.experiments import WARM_UP_MS, Samples
from node.lab.simulation.gossip.plain import PlainMembership, plain
from node.lab.simulation.gossip.world import WALL_MS, Wires, World
from node.lab.simulation.streams import stream
from node.membership.core import Membership
from node.membership.events import Status
from node.membership.messages import GOSSIP_MAX, Gossip
from node.membership.records import Suspicion
from node.membership.settings import MembershipSettings

MODES = ("lifeguard", "settings", "swim")
"""Our defaults; Lifeguard off by settings; and off also where there is no setting."""
STALLED_SHARE = 0.04
STALL_MS = (1_000, 30_000)
AWAKE_MS = (10, 10_000)
"""How long a starved process does not run and then does, in turns: any magnitude in between is as likely as any other.

Lifeguard's experiments (arXiv 1707.00788, section 5) vary both over magnitudes too. The worst is to wake for a moment:
long enough to accuse, too short to hear the answer.
"""
STALLS_MS = 120_000
ACCUSED_MS = 60_000
ACCUSES_EACH_MS = 2_000


def stalls(nodes: int, seed: int, *, mode: str = "lifeguard", loss: float = 0.0, for_ms: int = STALLS_MS) -> Samples:
    """4 % of the members stall again and again; the others are well.

    Returns:
        deaths, declared of members that are well, by anybody, in the whole time; deaths_by_well, only by those that
        are well themselves; well_suspected, how many of the well were ever suspected by anybody; sick_deaths, declared
        of the stalling ones.
    """
    settings = MembershipSettings()
    world = World(seed, nodes, settings if mode == "lifeguard" else plain(settings), Wires(loss=loss))
    world.core_type = PlainMembership if mode == "swim" else Membership
    rng = stream(seed, "gossip/stalls")
    sick = sorted(rng.sample(range(nodes), max(1, round(STALLED_SHARE * nodes))))
    world.start_converged()
    world.run(WARM_UP_MS)
    turns = sorted((WARM_UP_MS + _magnitude(rng, *AWAKE_MS), number) for number in sick)
    while turns[0][0] < WARM_UP_MS + for_ms:
        at_ms, number = turns.pop(0)
        world.run(at_ms)
        lasts_ms = _magnitude(rng, *STALL_MS)
        world.stall(number, lasts_ms)
        turns = sorted([*turns, (at_ms + lasts_ms + _magnitude(rng, *AWAKE_MS), number)])
    world.run(WARM_UP_MS + for_ms)
    of_well = [one for one in world.census.verdicts if one.subject not in sick]
    return {
        "deaths": [len(of_well)],
        "deaths_by_well": [sum(one.observer not in sick for one in of_well)],
        "well_suspected": [sum(subject not in sick for subject in world.census.suspected_ms)],
        "sick_deaths": [len(world.census.verdicts) - len(of_well)],
    }


def accuser(nodes: int, seed: int, *, loss: float = 0.1) -> Samples:
    """One member tells everybody again and again that it cannot reach anybody. It keeps the rest of the protocol.

    Returns:
        deaths, declared of anybody though all are well.
    """
    world = World(seed, nodes, MembershipSettings(), Wires(loss=loss))
    liar = stream(seed, "gossip/accuser").randrange(nodes)
    world.start_converged()
    world.run(WARM_UP_MS)
    for _ in range(ACCUSED_MS // ACCUSES_EACH_MS):
        lies = _accusations(world, liar)
        for receiver in range(nodes):
            if receiver != liar:
                for start in range(0, len(lies), GOSSIP_MAX):
                    world.post(liar, receiver, Gossip(tuple(lies[start : start + GOSSIP_MAX])))
        world.run(world.now_ms + ACCUSES_EACH_MS)
    world.run(world.now_ms + 60_000)
    return {"deaths": [len(world.census.verdicts)], "suspected": [len(world.census.suspected_ms)]}


def _magnitude(rng: Random, least: int, most: int) -> int:
    return int(least * (most / least) ** rng.random())


def _accusations(world: World, liar: int) -> list[Signed]:
    """Of everybody, at the newest incarnation that the liar's own core has heard of: any other would not count."""
    core, signer = world.hosts[liar].core, world.signer(liar)
    assert core is not None, "the liar runs"
    views = [view for view in core.members() if view.node != signer.node and view.status is not Status.LEFT]
    bodies = [Suspicion(view.node, view.epoch, view.incarnation, WALL_MS + world.now_ms).encode() for view in views]
    return [signer.sign(Kind.SUSPICION, body) for body in bodies]
