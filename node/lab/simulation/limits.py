"""What a plan must keep to, so that what breaks in it is a fault of the code and not of the plan."""

from coordinator.voting import byzantine_threshold
from node.lab.simulation.draws import tolerated
from node.lab.simulation.faults import ClockStep, Clog, Crash, Cut, Disk, DiskFull, Fault, Leave, Stall
from node.lab.simulation.plan import Plan, World
from node.lab.simulation.slots.definitions import JUDGED_MAX
from node.lab.simulation.slots.shapes import SHAPES, liars_max

NODES_MAX = 10_000
SLOTS_MAX = 1_000_000
TIME_MS_MAX = 7 * 86_400_000


def problems(plan: Plan) -> list[str]:
    """Why the plan cannot be played; empty when it can."""
    found = []
    if not 1 <= plan.members <= plan.nodes <= NODES_MAX:
        found.append(f"members = {plan.members}, nodes = {plan.nodes}: 1 <= members <= nodes <= {NODES_MAX}")
    if not 0 <= plan.threshold <= plan.members:
        found.append(f"threshold = {plan.threshold}: 0 to {plan.members}")
    if not 0 <= plan.slots <= SLOTS_MAX:
        found.append(f"slots = {plan.slots}: 0 to {SLOTS_MAX}")
    if plan.shape not in SHAPES:
        found.append(f"shape = {plan.shape}: one of {', '.join(SHAPES)}")
    if plan.checked and plan.nodes > JUDGED_MAX:
        found.append(f"checked: with at most {JUDGED_MAX} nodes")
    if not (0 <= plan.heal_ms <= TIME_MS_MAX and 0 < plan.budget_ms <= TIME_MS_MAX):
        found.append(f"heal_ms = {plan.heal_ms}, budget_ms = {plan.budget_ms}: at most {TIME_MS_MAX}")
    network = plan.network
    for name in ("loss", "duplication", "replay"):
        if not 0 <= getattr(network, name) <= 1:
            found.append(f"network.{name} = {getattr(network, name)}: 0 to 1")
    if min(network.delay_min_ms, network.delay_mean_ms, network.in_flight_max) < 0:
        found.append("network: a delay or a capacity below 0")
    named = [liar.node for liar in plan.liars]
    if len(set(named)) < len(named):
        found.append("liars: one node is named twice")
    named += [ask.node for ask in plan.asks] + [seat.by for seat in plan.seats] + list(plan.models.slow)
    named += [node for seat in plan.seats for node in (seat.joins, seat.leaves) if node != -1]
    named += [node for fault in plan.faults for node in nodes_of(fault)]
    strangers = sorted({node for node in named if not 0 <= node < plan.nodes})
    if strangers:
        found.append(f"there are nodes 0 to {plan.nodes - 1}, and no {', '.join(map(str, strangers))}")
    late = [fault for fault in plan.faults if not 0 <= fault.at_ms <= end_ms(fault) <= plan.heal_ms]
    if late:
        found.append(f"faults: {len(late)} not over at heal_ms = {plan.heal_ms}, the first is {late[0]}")
    if any(not 0 <= at_ms <= plan.heal_ms for at_ms in asked_ms(plan)):
        found.append(f"asks, seats: not all between 0 and heal_ms = {plan.heal_ms}")
    return found


def asked_ms(plan: Plan) -> list[int]:
    """When anything is asked of the members, roster changes included."""
    return [ask.at_ms for ask in plan.asks] + [seat.at_ms for seat in plan.seats]


def nodes_of(fault: Fault) -> tuple[int, ...]:
    """Whom it befalls."""
    match fault:
        case Cut(side=side):
            return side
        case Clog(sender=sender, receiver=receiver):
            return sender, receiver
        case _:
            return (fault.node,)


def end_ms(fault: Fault) -> int:
    """When it is over, as far as the plan says; a crash waits for the node to have something to do."""
    match fault:
        case Crash(at_ms=at_ms, down_ms=length_ms) | Leave(at_ms=at_ms, away_ms=length_ms):
            return at_ms + length_ms
        case ClockStep(at_ms=at_ms):
            return at_ms
        case Cut() | Clog() | Stall() | DiskFull():
            return fault.at_ms + fault.for_ms


def faulty(plan: Plan) -> frozenset[int]:
    """The nodes that may contradict themselves: liars, and those whose disks forget what they said."""
    forgetful = {Disk.OLD, Disk.WIPED, Disk.TORN} if plan.world is World.SLOTS else {Disk.OLD, Disk.WIPED}
    spoiled = {fault.node for fault in plan.faults if isinstance(fault, Crash) and fault.disk in forgetful}
    return frozenset({liar.node for liar in plan.liars} | spoiled)


def is_tolerable(plan: Plan) -> bool:
    """Whether anything is promised here: not with too many who may contradict themselves, nor with small quorums."""
    if plan.world is World.SLOTS:
        most = liars_max(plan.shape, plan.members)
    else:
        # Changes may be decided in another order than they are proposed.
        most = tolerated(plan.members - sum(seat.joins == -1 for seat in plan.seats))
    return len(faulty(plan)) <= most and (plan.threshold == 0 or plan.threshold >= byzantine_threshold(plan.members))
