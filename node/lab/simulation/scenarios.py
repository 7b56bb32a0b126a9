"""The scenarios by name: each draws a plan from a seed and says by when all must be done."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from node.lab.simulation import draws
from node.lab.simulation.draws import Ground, tolerated
from node.lab.simulation.faults import Crash, Fault
from node.lab.simulation.limits import faulty
from node.lab.simulation.plan import Liar, Models, Plan, World
from node.lab.simulation.slots.definitions import JUDGED_MAX
from node.lab.simulation.slots.shapes import ASYMMETRIC_MAX, ORGANIZATIONS, SHAPES, liars_max

CALM_BUDGET_MS = 60_000
"""Nothing goes wrong but that a question's deadline may pass: 20 s, and 5 s more until any profile will do. The rest
is for voting, that takes less than one."""

BUDGET_MS = 240_000
"""After the last fault a member may be held dead by all until the next attempt to reconnect (30 s) or to reach a seed
(72 s), and have to wait for the next full exchange (30 s). A question that first comes then has its deadline (20 s) and
5 s more. A ballot of which the counter has grown has a timer of 30 s at most, that may just have begun; the next ballot
can need as long again, and each liar that stays silent can cost a round more. That makes 217 s; most need ten."""

FAR_CLOCK_BUDGET_MS = BUDGET_MS + 360_000
"""A member that started while its clock was ten minutes ahead is refused until the others' clocks are within five."""

SLOT_BUDGET_MS = 10_000
"""Of each slot, beside the common part: silent leaders cost rounds of a timer that grows by half a second each."""

SLOTS_MIN, SLOTS_MAX = 10, 100
HEAL_MS_LEAST = 3_000
SLOT_MS_MIN, SLOT_MS_MAX = 100, 3_000
"""How long things go wrong, for each slot: on a good network one takes less than a second, on a bad one several."""

ED25519_SHARE = 0.02
"""Real signatures take most of a run's time, and are as good as tags in nearly all that can go wrong."""


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    line: str
    """What it is about, for people."""
    plans: Callable[[Ground], Plan]
    world: World = World.MOOT
    heal_ms: tuple[int, int] = (30_000, 120_000)
    """Bounds of how long things go wrong."""
    least: int = 1
    """Fewer members would make nothing of it."""

    def draw(self, seed: int, nodes: int | None = None) -> Plan:
        """The plan of this seed; `nodes` sets how many members there are."""
        members = nodes or max(self.least, draws.members_of(seed, self.name))
        ground = Ground(self.name, seed, self.world, members, 0)
        ground = replace(ground, heal_ms=draws.skewed(ground.chance("length"), *self.heal_ms))
        if self.world is World.MOOT:
            ground = replace(ground, busy_ms=draws.busy_times(ground))
        return self.plans(ground)


def _calm(ground: Ground, liars: tuple[Liar, ...] = ()) -> Plan:
    """Members that answer questions while nothing goes wrong."""
    return Plan(
        scenario=ground.scenario,
        seed=ground.seed,
        world=ground.world,
        members=ground.members,
        nodes=ground.members,
        liars=liars,
        network=draws.fair_network(ground),
        models=draws.models(ground),
        asks=draws.questions(ground, liars),
        heal_ms=ground.heal_ms,
        budget_ms=BUDGET_MS,
        ed25519=ground.chance("ed25519").random() < ED25519_SHARE,
    )


def _rough(ground: Ground, faults: list[Fault], liars: tuple[Liar, ...] = ()) -> Plan:
    """With these faults, on a bad network in half of the runs."""
    calm = _calm(ground, liars)
    network = draws.lossy_network(ground) if ground.permits("network") else calm.network
    return replace(calm, network=network, faults=tuple(sorted(faults, key=lambda fault: fault.at_ms)))


def _healthy(ground: Ground) -> Plan:
    return replace(_calm(ground), budget_ms=CALM_BUDGET_MS)


def _lossy(ground: Ground) -> Plan:
    clogs = draws.clogs(ground) if ground.permits("clogs") else []
    return replace(_rough(ground, clogs), network=draws.lossy_network(ground))


def _partition(ground: Ground) -> Plan:
    return _rough(ground, draws.cuts(ground))


def _churn(ground: Ground) -> Plan:
    spoiled = draws.spoiled_disks(ground, (), tolerated(ground.members)) if ground.permits("spoiled") else ()
    faults = draws.crashes(ground, spoiled)
    faults += draws.leaves(ground) if ground.permits("leaves") else []
    faults += draws.full_disks(ground) if ground.permits("full disks") else []
    return _rough(ground, faults)


def _byzantine(ground: Ground) -> Plan:
    faults = draws.crashes(ground) if ground.permits("crashes") else []
    return _rough(ground, faults, draws.liars(ground, tolerated(ground.members)))


def _upgrade_of_roster(ground: Ground) -> Plan:
    faults = draws.crashes(ground) if ground.permits("crashes") else []
    faults += draws.cuts(ground) if ground.permits("cuts") else []
    return _seated(ground, _rough(ground, faults, _some_liars(ground)))


def _asker_dies(ground: Ground) -> Plan:
    """While it sends the question, or a little later."""
    asks, rng = draws.questions(ground), ground.chance("asker dies")
    faults: list[Fault] = []
    for ask in asks:
        at_ms = ask.at_ms + rng.choice((0, 0, 5, 20, 100, 500))
        down_ms = draws.skewed(rng, 1_000, draws.DOWN_MS_MAX)
        if at_ms + down_ms < ground.heal_ms:
            faults.append(Crash(at_ms, ask.node, rng.randint(-1, draws.EFFECTS_MAX), down_ms))
    return replace(_rough(ground, faults), asks=asks)


def _slow_minority(ground: Ground) -> Plan:
    """As many as the others can do without have slow models, and stand still now and then."""
    rng, few = ground.chance("slow"), max(1, tolerated(ground.members))
    slow = tuple(sorted(rng.sample(range(ground.members), few)))
    return replace(_rough(ground, draws.stalls(ground, slow)), models=draws.models(ground, slow))


def _everything(ground: Ground) -> Plan:
    liars = _some_liars(ground)
    spoiled = draws.spoiled_disks(ground, liars, tolerated(ground.members)) if ground.permits("spoiled") else ()
    faults = [fault for part, drawn in _FAULTS.items() if ground.permits(part) for fault in drawn(ground)]
    faults += draws.crashes(ground, spoiled) if ground.permits("crashes") else []
    steps = draws.clock_steps(ground) if ground.permits("clock steps") else []
    plan = _rough(ground, faults + steps, liars)
    if steps:
        plan = replace(plan, budget_ms=FAR_CLOCK_BUDGET_MS)
    if ground.permits("clocks"):
        plan = replace(plan, clocks=draws.clocks(ground))
    if ground.permits("slow"):
        plan = replace(plan, models=draws.models(ground, (ground.chance("slow").randrange(ground.members),)))
    return _seated(ground, plan) if ground.permits("seats") else plan


def _seated(ground: Ground, plan: Plan) -> Plan:
    joiners = ground.chance("joiners").randint(0, 3)
    seats = draws.seats(ground, plan.liars, len(faulty(plan)), joiners)
    return replace(plan, seats=seats, nodes=plan.members + joiners)


def _some_liars(ground: Ground) -> tuple[Liar, ...]:
    return draws.liars(ground, tolerated(ground.members)) if ground.permits("liars") else ()


def _slots(ground: Ground) -> Plan:
    slots = draws.skewed(ground.chance("slots"), SLOTS_MIN, SLOTS_MAX)
    heal_ms = max(HEAL_MS_LEAST, slots * draws.skewed(ground.chance("length"), SLOT_MS_MIN, SLOT_MS_MAX))
    ground = replace(ground, heal_ms=heal_ms)
    shape = ground.chance("shape").choice(_shapes(ground.members))
    most = liars_max(shape, ground.members)
    liars = draws.liars(ground, most) if ground.permits("liars") else ()
    spoiled = draws.spoiled_disks(ground, liars, most) if ground.permits("spoiled") else ()
    watchers = ground.chance("watchers").randint(1, 2) if ground.permits("watchers") else 0
    faults = [fault for part, drawn in _SLOT_FAULTS.items() if ground.permits(part) for fault in drawn(ground)]
    faults += draws.crashes(ground, spoiled) if ground.permits("crashes") else []
    budget_ms = CALM_BUDGET_MS + slots * SLOT_BUDGET_MS
    plan = replace(_rough(ground, faults, liars), asks=(), models=Models(), ed25519=False, budget_ms=budget_ms)
    nodes = ground.members + watchers
    checked = nodes <= JUDGED_MAX and ground.permits("checked")  # It takes a third more time.
    return replace(plan, slots=slots, shape=shape, nodes=nodes, checked=checked)


def _shapes(members: int) -> list[str]:
    """Those that make sense for so many."""
    least = {"organizations": ORGANIZATIONS, "own": 2, "asymmetric": 2}
    most = {"asymmetric": ASYMMETRIC_MAX}
    return [shape for shape in SHAPES if least.get(shape, 1) <= members <= most.get(shape, members)]


_FAULTS: dict[str, Callable[[Ground], list[Fault]]] = {
    "clogs": draws.clogs,
    "cuts": draws.cuts,
    "stalls": draws.stalls,
    "leaves": draws.leaves,
    "full disks": draws.full_disks,
}

_SLOT_FAULTS: dict[str, Callable[[Ground], list[Fault]]] = {
    "clogs": draws.clogs,
    "cuts": draws.cuts,
    "stalls": draws.stalls,
}

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("healthy", "a good network, and nobody lies or dies", _healthy, heal_ms=(10_000, 40_000)),
        Scenario("lossy", "messages are lost, late, doubled, replayed and held up", _lossy),
        Scenario("partition", "members are cut off from each other, one way or both", _partition, least=2),
        Scenario("churn", "members crash in storms, lose disks, leave and return", _churn),
        Scenario("byzantine", "as many members lie as may, each in its own way", _byzantine, least=4),
        Scenario("upgrade-of-roster", "members join and leave by decision, under faults", _upgrade_of_roster, least=2),
        Scenario("asker-dies", "whoever asks is killed while it asks", _asker_dies, least=2),
        Scenario("slow-minority", "a few models are slow, and their nodes stand still at times", _slow_minority),
        Scenario("everything", "all of these at once, each in half of the runs", _everything),
        Scenario("slots", "federated voting alone, slot after slot, on quorum sets of all shapes", _slots, World.SLOTS),
    )
}
