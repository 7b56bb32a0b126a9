"""A run of slots: federated voting alone, one slot after another, under everything that a plan says goes wrong."""

from functools import partial

from coordinator.voting import Nominate, QuorumSet, Slot, Statement
from node.lab.simulation.faults import Clog, Crash, Cut, Stall
from node.lab.simulation.lies import statement_liar
from node.lab.simulation.lies.liar import StatementLiar
from node.lab.simulation.links import Links
from node.lab.simulation.outcome import Outcome, Violated, Violation
from node.lab.simulation.plan import Plan
from node.lab.simulation.slots.bench import Bench
from node.lab.simulation.slots.definitions import Federation
from node.lab.simulation.slots.letters import SPOILED, Hashes, LetterDriver, letter
from node.lab.simulation.slots.member import SlotsMember
from node.lab.simulation.slots.oracle import Judge
from node.lab.simulation.slots.shapes import quorum_sets
from node.lab.simulation.slots.stage import Stage
from node.lab.simulation.streams import stream
from node.lab.simulation.timeline import Act, Timeline
from node.lab.simulation.watch import Watch

OLD_KEPT_MAX = 1_000  # statements among which a replayed one is chosen
FETCH_HEALED_MS = 200


def play_slots(plan: Plan, watch: Watch) -> Outcome:
    """Play the plan to its end, or to the first invariant that breaks."""
    return SlotsWorld(plan, watch).play()


class SlotsWorld:
    """The surroundings of all members: time, network, faults, liars and judgement."""

    def __init__(self, plan: Plan, watch: Watch) -> None:
        self.plan = plan
        self.slots = plan.slots
        self.healed = False
        self.timeline = Timeline()
        self._watch = watch
        self._watching = watch.on
        self._links = Links(plan.network, plan.seed)
        self._bounded = bool(plan.network.in_flight_max)
        self._replays = bool(plan.network.replay)
        self._old: list[Statement] = []
        self._rng = stream(plan.seed, "slots")
        # Each way for a slot to begin is absent from about half of the runs, so that none always hides another.
        self._head_start_ms = self._rng.choice([-1, -1, 0, 4_000])
        self._fetch_ms = self._rng.choice([0, 0, 200, 3_000])
        self._pause_ms = self._rng.choice([1, 1, 500, 2_000])
        self._extracts = self._rng.random() < 0.5
        self._hashes = Hashes()
        width = len(str(plan.nodes - 1))
        self.ids = tuple(f"n{number:0{width}}".encode() for number in range(plan.nodes))
        self._numbers = {node: number for number, node in enumerate(self.ids)}
        self.quorum_sets = quorum_sets(plan, self.ids)
        self._known_sets = _by_digest(self.quorum_sets)
        self._federation = Federation(self._known_sets) if plan.checked else None
        self._weights: list[dict[bytes, int]] = [{} for _ in self.ids]
        self._others = [[*range(number + 1, plan.nodes), *range(number)] for number in range(plan.nodes)]
        self._members: list[SlotsMember | None] = []
        """None is a liar that runs no slots of its own."""
        self._honest: list[SlotsMember] = []
        self._liars: dict[int, StatementLiar] = {}
        self._bench = Bench(self.quorum_sets, self._honest)
        self._crashes = 0
        self._open = 0
        self._counts = dict.fromkeys(("statements", "proposals", "fetched"), 0)

    def play(self) -> Outcome:
        violation = None
        try:
            self._set_up()
            if not self._run():
                self._bench.judge_undecided(self.slots)
        except Violated as broken:
            violation = Violation(
                invariant=broken.invariant,
                detail=broken.detail,
                at_ms=self.now_ms,
                event=self.timeline.events,
            )
        return Outcome(
            plan=self.plan,
            violation=violation,
            slots=len(self._bench.decided),
            events=self.timeline.events,
            virtual_ms=self.now_ms,
            crashes=self._crashes,
            decided_ms=self._bench.took_ms(),
            trace=self._watch.trace(),
            counts={**self._counts, **self._bench.counts},
        )

    # What members ask of it

    @property
    def now_ms(self) -> int:
        return self.timeline.now_ms

    def after(self, delay_ms: int, act: Act) -> None:
        self.timeline.after(delay_ms, act)

    def tell(self, number: int, slot: int, what: str, *parts: object) -> None:
        if self._watching:
            self._watch.tell(self.timeline.now_ms, number, slot, what, *parts)

    def driver(self, number: int, previous: bytes, values: set[bytes]) -> LetterDriver:
        return LetterDriver(
            previous,
            self._known_sets,
            self._weights[number],
            self._hashes,
            values,
            eager=self._fetch_ms == 0,
            extracts=self._extracts,
        )

    def broadcast(self, number: int, statement: Statement, at_most: int | None = None) -> int | None:
        liar = self._liars.get(number)
        if liar is not None:
            if not self.healed:
                for other in self._others[number]:
                    for lie in liar.alter(self.ids[other], statement):
                        self.lie(number, self.ids[other], lie)
            return at_most
        self._counts["statements"] += 1
        if at_most is None:
            for other in self._others[number]:
                self.send(number, other, statement)
            return None
        for other in self._others[number][:at_most]:
            self.send(number, other, statement)
        return max(0, at_most - len(self._others[number]))

    def send(self, sender: int, receiver: int, statement: Statement) -> None:
        timeline = self.timeline
        now_ms = timeline.now_ms
        for delay_ms in self._links.delays(sender, receiver, now_ms):
            timeline.at(now_ms + delay_ms, partial(self._arrive, sender, receiver, statement))
        if self._replays:
            self._replay(receiver, statement)

    def ask(self, number: int, slot: int, of: int) -> None:
        for delay_ms in self._links.delays(number, of, self.now_ms):
            self.after(delay_ms, partial(self._arrive_ask, number, of, slot))

    def judge(self, slot: Slot) -> Judge | None:
        return Judge(slot, self._federation) if self._federation is not None else None

    def begins(self, number: int, slot: int) -> None:
        self._bench.began_ms.setdefault(slot, self.now_ms)
        self.after(self._rng.randrange(self._pause_ms), partial(self._propose, number, slot))

    def fetches(self, number: int, slot: int, value: bytes) -> None:
        longest_ms = FETCH_HEALED_MS if self.healed else self._fetch_ms
        self.after(self._rng.randint(1, longest_ms), partial(self._fetched, number, slot, value))

    def said(self, number: int, statement: Statement) -> None:
        if not isinstance(statement, Nominate):
            self._bench.count_ballots(number, statement, healed=self.healed)

    def decided(self, number: int, slot: int, value: bytes) -> None:
        if number not in self._liars:
            self._bench.decide(self.ids[number], slot, value, self.now_ms)
            if slot == self.slots - 1:
                self._count_open()

    def died(self, number: int, down_ms: int) -> None:
        self._crashes += 1
        self._count_open()
        self.after(down_ms, partial(self._restart, number))

    # What liars ask of it

    def lie(self, number: int, to: bytes, statement: Statement) -> None:
        """Only in its own name: that is what signatures see to."""
        receiver = self._numbers.get(to)
        if self.healed or receiver is None or receiver == number:
            return
        if statement.node != self.ids[number]:
            return
        if isinstance(statement, Nominate):
            # A valid variation of what it nominates may be voted for.
            named = [value.replace(SPOILED, b"") for value in (*statement.votes, *statement.accepted)]
            self._bench.nominated(statement.slot, named)
        self.send(number, receiver, statement)

    def slot_of(self, number: int) -> int:
        """That it works on itself; for one that does not take part, the last that an honest member works on."""
        own = self._members[number] if number < len(self._members) else None
        runs = [own] if own is not None else self._honest
        return min(self.slots - 1, max((member.index for member in runs), default=0))

    # What happens

    def _set_up(self) -> None:
        kinds = {liar.node: liar.kind for liar in self.plan.liars}
        for number, node in enumerate(self.ids):
            rng = stream(self.plan.seed, f"node/{number}")
            if number in kinds:
                stage = Stage(self, number, rng)
                self._liars[number] = statement_liar(kinds[number], stage)
            member = None
            if number not in kinds or self._liars[number].runs_core:
                member = SlotsMember(
                    number,
                    node,
                    self.quorum_sets[node],
                    self._others[number],
                    self,
                    rng,
                    honest=number not in kinds,
                    watches=number >= self.plan.members,
                )
            self._members.append(member)
            if member is not None and member.honest:
                self._honest.append(member)
        for member in self._members:
            if member is not None:
                self.after(self._rng.randrange(self._pause_ms), member.start)
        self._count_open()
        for fault in sorted(self.plan.faults, key=lambda fault: fault.at_ms):
            match fault:
                case Crash(node=number):
                    member = self._members[number] if number < len(self._members) else None
                    if member is not None and member.honest:
                        member.crashes.append(fault)
                case Cut() | Clog() | Stall():
                    if fault.at_ms < self.plan.heal_ms:
                        self.timeline.at(fault.at_ms, partial(self._befall, fault))
                case _:
                    pass  # Nothing that a slot could notice.

    def _befall(self, fault: Cut | Clog | Stall) -> None:
        match fault:
            case Cut():
                self._links.cut(fault)
                self.after(fault.for_ms, partial(self._links.mend, fault))
            case Clog():
                self._links.clog(fault, self.now_ms)
            case Stall(node=number):
                member = self._members[number]
                if member is not None and member.honest:
                    member.stalled = True
                    self.after(fault.for_ms, member.go_on)

    def _run(self) -> bool:
        """Faults, then none; whether all has been decided."""
        plan = self.plan
        if self.timeline.run(plan.heal_ms, self._is_done):
            return True
        self.healed = True
        self._links.heal()
        self._bounded = self._replays = False
        for member in self._members:
            if member is None:
                continue
            member.crashes.clear()
            member.go_on()
            if not member.up:
                member.start()
        return self.timeline.run(plan.heal_ms + plan.budget_ms, self._is_done)

    def _is_done(self) -> bool:
        return self._open == 0

    def _count_open(self) -> None:
        self._open = sum(len(member.disk.ledger) < self.slots for member in self._honest)

    def _restart(self, number: int) -> None:
        member = self._members[number]
        assert member is not None
        if not member.up:
            member.start()

    def _arrive(self, sender: int, receiver: int, statement: Statement) -> None:
        if self._bounded:
            self._links.arrived(sender, receiver)
        if self._liars and (liar := self._liars.get(receiver)) is not None and not self.healed:
            liar.hear(statement)
        member = self._members[receiver]
        if member is None or not member.up:
            return
        if self._watching:
            self.tell(receiver, statement.slot, "hears", statement)
        if member.stalled:
            member.soon(partial(member.hear, statement))
        else:
            member.hear(statement)

    def _arrive_ask(self, by: int, receiver: int, slot: int) -> None:
        if self._bounded:
            self._links.arrived(by, receiver)
        member = self._members[receiver]
        if member is not None:
            member.soon(partial(member.asked, by, slot))

    def _replay(self, receiver: int, statement: Statement) -> None:
        if len(self._old) < OLD_KEPT_MAX:
            self._old.append(statement)
        else:
            self._old[self._rng.randrange(OLD_KEPT_MAX)] = statement
        if self._links.replays():
            old = self._rng.choice(self._old)
            self.after(self._rng.randrange(1, 1_000), partial(self._arrive, receiver, receiver, old))

    def _propose(self, number: int, slot: int) -> None:
        member, value = self._members[number], letter(number)
        assert member is not None
        if member.index != slot or not member.up:
            return
        self._counts["proposals"] += 1
        self._bench.nominated(slot, [value])
        wait_ms = 0
        if self._head_start_ms >= 0:
            # Ballots of everybody's own collide until nomination brings their values together.
            member.soon(partial(member.compete, slot, value))
            wait_ms = self._rng.randint(0, self._head_start_ms)
        if self._fetch_ms and self._rng.random() < 0.1:
            # It does not see yet that its proposal is invalid, and makes another when it does.
            self.after(wait_ms, partial(self._nominate, number, slot, SPOILED + value))
            wait_ms += FETCH_HEALED_MS if self.healed else self._fetch_ms
        self.after(wait_ms, partial(self._nominate, number, slot, value))

    def _nominate(self, number: int, slot: int, value: bytes) -> None:
        member = self._members[number]
        assert member is not None
        member.soon(partial(member.propose, slot, value))

    def _fetched(self, number: int, slot: int, value: bytes) -> None:
        member = self._members[number]
        assert member is not None
        self._counts["fetched"] += 1
        member.soon(partial(member.fetched, slot, value))


def _by_digest(quorum_sets: dict[bytes, QuorumSet]) -> dict[bytes, QuorumSet]:
    same: dict[int, bytes] = {}
    found = {}
    for quorum_set in quorum_sets.values():
        if id(quorum_set) not in same:
            same[id(quorum_set)] = quorum_set.digest()
        found[same[id(quorum_set)]] = quorum_set
    return found
