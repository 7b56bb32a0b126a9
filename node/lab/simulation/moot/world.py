"""Plays a plan of whole nodes: machines, network, who asks, what goes wrong, and the end that all must come to."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from coordinator import events
from coordinator.charter import Charter
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.roster import Member
from coordinator.messages import Records
from coordinator.records import AnswerKind, Question, QuestionError
from coordinator.signed import Digest, NodeId
from coordinator.tally import only
from coordinator.voting import byzantine_threshold
from node.lab.simulation.faults import ClockStep, Clog, Crash, Cut, Disk, DiskFull, Fault, Leave, Stall
from node.lab.simulation.keys import Keyring
from node.lab.simulation.lies import moot_liar
from node.lab.simulation.lies.liar import Message, MootLiar
from node.lab.simulation.links import Links
from node.lab.simulation.moot.checks import SETTLING_MS, MootChecks
from node.lab.simulation.moot.clock import WALL_MS, HostClock
from node.lab.simulation.moot.host import Host
from node.lab.simulation.moot.model import HostModel
from node.lab.simulation.moot.post import Post
from node.lab.simulation.moot.seats import Seats
from node.lab.simulation.moot.stage import Stage
from node.lab.simulation.moot.surroundings import Surroundings, address_of
from node.lab.simulation.outcome import Outcome, Violated, Violation
from node.lab.simulation.plan import Ask, Plan
from node.lab.simulation.streams import stream
from node.lab.simulation.timeline import Timeline
from node.lab.simulation.watch import Watch

ASK_AGAIN_MS = 1_000
"""Whoever finds a node down tries again."""
LOOK_MS = 250
"""How often it is looked whether everything has come to its end."""
MONOTONIC_MS_MAX = 1_000_000_000
"""What a machine's monotonic clock may show when a run begins."""
FAIR_DELAY_MS = 100
ALONE_OF_256 = 24
"""How many questions, by their nonce, ask one member alone."""
FAIR_CLOCK_MS = 150_000
"""Machines whose wall clocks are further off may be refused by others, rightly."""
FOR_EVER_MS = 1 << 60

MakeHost = Callable[..., Host]


def play_moot(plan: Plan, watch: Watch, make_host: MakeHost = Host) -> Outcome:
    """How the plan ends. What a core fails with is raised as it is. Tests plant faults in what `make_host` makes."""
    world = MootWorld(plan, watch, make_host)
    violation = None
    try:
        world.run()
    except Violated as violated:
        at_ms, event = world.timeline.now_ms, world.timeline.events
        violation = Violation(invariant=violated.invariant, detail=violated.detail, at_ms=at_ms, event=event)
    return world.outcome(violation)


class UnsafeCharter(Charter):
    """Takes any threshold: for runs that must go wrong."""

    __slots__ = ()

    def problems(self, members: int) -> list[str]:
        return []


def founded(plan: Plan, ids: tuple[NodeId, ...]) -> Genesis:
    members = [Member(node, f"n{number}", f"org{number}", 1, address_of(number)) for number, node in enumerate(ids)]
    members = sorted(members[: plan.members], key=lambda member: member.node)
    safe = byzantine_threshold(len(members))
    charter = UnsafeCharter if 0 < plan.threshold < safe else Charter
    rules = charter(threshold=plan.threshold or safe, turnout=len(members) // 2 + 1)
    return Genesis("simulated", WALL_MS, tuple(members), rules)


class MootWorld:
    def __init__(self, plan: Plan, watch: Watch, make_host: MakeHost = Host) -> None:
        self.plan = plan
        self.watch = watch
        self.timeline = Timeline()
        self.healed = False
        self._workload = stream(plan.seed, "workload")
        self._asks_open = 0
        self._is_heard = any(isinstance(one, Crash) and one.disk in (Disk.OLD, Disk.WIPED) for one in plan.faults)
        self._asked_ms: dict[Digest, int] = {}
        keys = Keyring(plan.seed, plan.nodes, ed25519=plan.ed25519)
        self.genesis = founded(plan, keys.ids)
        self._links = Links(plan.network, plan.seed)
        self._post = Post(self.timeline, self._links, plan.seed, wire=plan.ed25519)
        self._post.deliver, self._post.refuse = self._deliver, self._refuse
        self._numbers = {node: number for number, node in enumerate(keys.ids)}
        verifier = keys.verifier(self.genesis.moot_id)
        self.checks = MootChecks(self.genesis, verifier, self.timeline)
        self.surroundings = Surroundings(
            plan.seed,
            self.timeline,
            self._post,
            self.genesis,
            self._numbers,
            {address_of(number): number for number in range(plan.nodes)},
            verifier,
            self.checks,
            watch,
        )
        self._keys = keys
        self.hosts = [self._make_host(number, make_host) for number in range(plan.nodes)]
        self._liars: dict[int, tuple[Stage, MootLiar]] = {}
        for liar in plan.liars:
            self.hosts[liar.node].honest = False
        self.checks.watch_over(self.hosts)
        self.seats = Seats(plan.seats, self.hosts, self.timeline, lambda: self.checks.decisions.roster)
        self._lie()
        self._schedule()

    def run(self) -> None:
        """Faults, then health.

        Raises:
            Violated: an invariant does not hold.
        """
        plan, timeline = self.plan, self.timeline
        timeline.run(plan.heal_ms)
        self._heal()
        end_ms = (
            max([plan.heal_ms, *(ask.at_ms for ask in plan.asks), *(seat.at_ms for seat in plan.seats)])
            + plan.budget_ms
        )
        settled_ms = timeline.now_ms + SETTLING_MS
        while not self._is_over():
            if timeline.now_ms >= end_ms:
                self._say_what_is_open()
                break
            timeline.run(min(timeline.now_ms + LOOK_MS, end_ms))
            if settled_ms <= timeline.now_ms:
                self.checks.settle()
                settled_ms = FOR_EVER_MS
            self.checks.check_rise()
        for host in self.checks.honest:
            self.checks.look(host)

    def outcome(self, violation: Violation | None) -> Outcome:
        ended = self.checks.ended_ms
        took = tuple(ended[one] - at_ms for one, at_ms in self._asked_ms.items() if one in ended)
        post = self._post
        return Outcome(
            plan=self.plan,
            violation=violation,
            slots=len(self.checks.decisions.agendas),
            events=self.timeline.events,
            virtual_ms=self.timeline.now_ms,
            crashes=sum(host.crashes for host in self.hosts),
            decided_ms=took,
            trace=self.watch.trace(),
            counts={
                "questions": len(self.checks.decisions.slots),
                "messages": post.messages,
                "letters": post.letters,
                "replayed": post.replayed,
                "repeats": self.checks.repeats,
                "epochs": self.checks.decisions.roster.epoch,
                "healed_ms": max(0, self.timeline.now_ms - self.plan.heal_ms),
            },
        )

    # Before it begins.

    def _make_host(self, number: int, make_host: MakeHost) -> Host:
        clocks, rng = self.plan.clocks, stream(self.plan.seed, f"clock/{number}")
        clock = HostClock(
            rng.randrange(MONOTONIC_MS_MAX),
            rng.randint(-clocks.drift_ppm_max, clocks.drift_ppm_max),
            rng.randint(-clocks.offset_ms_max, clocks.offset_ms_max),
        )
        model = HostModel(number, self.plan.models, self.plan.seed, self.timeline)
        return make_host(number, self.surroundings, self._keys.signer(number, self.genesis.moot_id), clock, model)

    def _lie(self) -> None:
        for liar in self.plan.liars:
            host = self.hosts[liar.node]
            signer = self._keys.signer(liar.node, self.genesis.moot_id)
            rng = stream(self.plan.seed, f"liar/{liar.node}")
            stage = Stage(host, signer, self.genesis, self._numbers, self._post, self.timeline, rng)
            lies = moot_liar(liar.kind, stage)
            host.lie_through(lies)
            self._liars[liar.node] = stage, lies

    def _schedule(self) -> None:
        plan = self.plan
        for host in self.hosts[: plan.members]:
            if host.number not in self._liars or self._liars[host.number][1].runs_core:
                self.timeline.at(0, host.start)
        for fault in plan.faults:
            if fault.at_ms < plan.heal_ms:
                self._schedule_fault(fault)
        for ask in plan.asks:
            self._asks_open += 1
            self.timeline.at(ask.at_ms, partial(self._ask, ask, self._question(ask)))
        network = plan.network
        if network.loss or network.in_flight_max or network.delay_mean_ms + network.delay_min_ms > FAIR_DELAY_MS:
            self._trouble(range(plan.nodes), FOR_EVER_MS)
        for host in self.hosts:
            if abs(host.clock.wall_error_ms) > FAIR_CLOCK_MS:
                self.checks.views.trouble(host.number, FOR_EVER_MS)

    def _schedule_fault(self, fault: Fault) -> None:
        self.timeline.at(fault.at_ms, partial(self._strike, fault))
        if isinstance(fault, Crash) and fault.disk is Disk.OLD:
            back_up_ms = stream(self.plan.seed, f"backup/{fault.node}/{fault.at_ms}").randint(0, fault.at_ms)
            self.timeline.at(back_up_ms, partial(self.hosts[fault.node].back_up, fault))

    # What happens.

    def _deliver(self, sender: int, receiver: int, messages: tuple[Message, ...]) -> bool:
        host, lying = self.hosts[receiver], self._liars.get(receiver)
        if lying is None:
            arrived = host.arrive(self.hosts[sender].node, messages)
            if arrived and self._is_heard:
                for message in messages:
                    if isinstance(message, Records):
                        self.checks.heard(host, message)
            return arrived
        stage, liar = lying
        if stage.silent:
            return False
        for message in messages:
            liar.hear(self.hosts[sender].node, message)
        return host.arrive(self.hosts[sender].node, messages) if liar.runs_core else True

    def _refuse(self, sender: int, receiver: int) -> None:
        self.hosts[sender].refused(self.hosts[receiver].node, address_of(receiver))

    def _question(self, ask: Ask) -> Question:
        rng = self._workload
        text = f"what is {rng.randrange(100)} + {rng.randrange(100)}?"
        nonce = rng.randbytes(16)
        tally = only(self.hosts[nonce[1] % self.plan.nodes].node) if nonce[0] < ALONE_OF_256 else ""
        return Question(text, AnswerKind.NUMBER, (), ask.deadline_ms, tally, 0, nonce)

    def _ask(self, ask: Ask, question: Question) -> None:
        """Put the question to this node; to the next honest member in the place of one that is none."""
        number, nodes = ask.node, self.checks.decisions.roster.nodes
        while not self.hosts[number].honest or self.hosts[number].node not in nodes:
            number = (number + 1) % self.plan.nodes
        host = self.hosts[number]
        now_ms = self.timeline.now_ms
        if host.process is None or host.is_stalled():
            self.timeline.after(ASK_AGAIN_MS, partial(self._ask, ask, question))
            return
        self._asks_open -= 1
        sessions = host.process.moot.questions.sessions
        before = len(sessions)
        try:
            host.do(events.Asked(replace(question, asked_ms=host.clock.wall_ms(now_ms))))
        except QuestionError:
            return
        if len(sessions) > before:
            self._asked_ms[next(reversed(sessions))] = now_ms

    def _strike(self, fault: Fault) -> None:
        timeline, hosts, links = self.timeline, self.hosts, self._links
        now_ms = timeline.now_ms
        if self.watch.on:
            self.watch.tell(now_ms, -1, None, "fault", fault)
        if not isinstance(fault, Cut | Clog) and fault.node in self._liars and not self._liars[fault.node][1].runs_core:
            return
        match fault:
            case Crash():
                hosts[fault.node].doom = fault
            case Cut():
                links.cut(fault)
                timeline.after(fault.for_ms, partial(links.mend, fault))
                self._trouble(range(self.plan.nodes), now_ms + fault.for_ms)
            case Clog():
                links.clog(fault, now_ms)
                self._trouble((fault.sender, fault.receiver), now_ms + fault.for_ms)
            case Stall():
                hosts[fault.node].turns.stall(now_ms + fault.for_ms)
                self._trouble([fault.node], now_ms + fault.for_ms)
            case ClockStep():
                hosts[fault.node].clock.wall_error_ms += fault.by_ms
                self._trouble([fault.node], FOR_EVER_MS)
            case DiskFull():
                hosts[fault.node].disk.full = True
                timeline.after(fault.for_ms, partial(self._make_room, fault.node))
            case Leave():
                hosts[fault.node].leave(fault.away_ms)
                self._trouble([fault.node], now_ms + fault.away_ms)

    def _make_room(self, number: int) -> None:
        self.hosts[number].disk.full = False
        self.hosts[number].start()

    def _trouble(self, numbers: "range | list[int] | tuple[int, ...]", until_ms: int) -> None:
        for number in numbers:
            self.checks.views.trouble(number, until_ms)

    # The end.

    def _heal(self) -> None:
        self.healed = True
        self._links.heal()
        for number, (stage, liar) in sorted(self._liars.items()):
            stage.silent = True
            if liar.runs_core:
                self.hosts[number].end()
        for host in self.hosts:
            if host.honest and host.lives:
                host.heal()
        self.checks.healed()

    def _is_over(self) -> bool:
        return not self._asks_open and not self.seats.open() and next(iter(self.checks.open_words()), None) is None

    def _say_what_is_open(self) -> None:
        if self._asks_open:
            raise Violated("undecided", f"{self._asks_open} questions could not be asked")
        if self.seats.open():
            raise Violated("undecided", f"{self.seats.open()} changes of the roster")
        found = list(self.checks.open_words())
        invariant = found[0].partition(":")[0]
        raise Violated(invariant, "; ".join(found))
