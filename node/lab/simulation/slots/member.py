"""One member in a run of slots: its process, its disk, and one slot of federated voting after another."""

import random
from collections.abc import Sequence
from functools import partial

from coordinator.voting import (
    Effect,
    Emit,
    Externalize,
    Externalized,
    Ignored,
    Nominate,
    QuorumSet,
    Slot,
    SlotState,
    Statement,
    is_newer,
    problem,
)
from node.lab.simulation.faults import Crash, Disk
from node.lab.simulation.history import History
from node.lab.simulation.outcome import Violated
from node.lab.simulation.slots.disk import Platter
from node.lab.simulation.slots.letters import SPOILED
from node.lab.simulation.slots.oracle import Judge
from node.lab.simulation.slots.shapes import watching_set
from node.lab.simulation.slots.structure import check_structure
from node.lab.simulation.slots.surroundings import Surroundings
from node.lab.simulation.timeline import Act

REPEAT_MS = 2_000
AHEAD_MAX = 20  # slots beyond its own of which a member keeps what it hears
HELP_SLOTS_MAX = 10  # decided slots in one answer to a member that is behind
ASKED = 2  # members that one asks for what it may have missed


class SlotsMember:
    """Events come in through `hear`, `propose`, `fetched`, `asked` and `tick`, only while it is `up`."""

    def __init__(
        self,
        number: int,
        node: bytes,
        quorum_set: QuorumSet,
        others: Sequence[int],
        world: Surroundings,
        rng: random.Random,
        *,
        honest: bool,
        watches: bool,
    ) -> None:
        self.number, self.node, self.quorum_set = number, node, quorum_set
        self.honest = honest
        self.up = False
        self.life = 0
        self.history = History(node)
        self.disk = Platter()
        self.slot: Slot | None = None
        self.index = 0
        """The slot that it works on, or waits to begin."""
        self.muted_to = 1 << 62 if watches else -1
        """It only follows up to this slot, as it may have voted there and does not know what."""
        self.stalled = False
        self.crashes: list[Crash] = []
        """Still to come, by time."""
        self._others = others
        self._world = world
        self._rng = rng
        self._voted_to = -1
        self._backup = Platter()
        self._ahead: dict[int, dict[tuple[bytes, bool], Statement]] = {}
        self._backlog: list[Act] = []
        self._wake_ms = -1
        self._judge: Judge | None = None
        self._watching_set = watching_set(quorum_set, node)

    # Its process

    def start(self) -> None:
        """A new process: it has what is on the disk."""
        self.up = True
        self.life += 1
        self.index = len(self.disk.ledger)
        self._open()
        self._later(self._rng.randrange(REPEAT_MS), self.tick)

    def _later(self, delay_ms: int, act: Act) -> None:
        """Unless the process has ended by then."""
        self._world.after(delay_ms, partial(self._run, self.life, act))

    def _run(self, life: int, act: Act) -> None:
        if self.life == life:
            self.soon(act)

    def soon(self, act: Act) -> None:
        """Now, or once its process runs again; never where that has ended."""
        if self.up:
            if self.stalled:
                self._backlog.append(act)
            else:
                act()

    def go_on(self) -> None:
        """It runs again, and finds all at once what came in the meantime."""
        self.stalled = False
        waiting, self._backlog = self._backlog, []
        for act in waiting:
            self._later(0, act)

    def votes_in(self, index: int) -> bool:
        return index > self.muted_to

    def decides_with(self, index: int) -> QuorumSet:
        return self.quorum_set if self.votes_in(index) else self._watching_set

    def story(self) -> str:
        """Where it stands, for the person who reads the failure."""
        if self.slot is None:
            return f"{self.node!r} {'waits for' if self.up else 'is down before'} slot {self.index}"
        slot = self.slot
        stands = f"b={slot.b} p={slot.p} p′={slot.p_prime} h={slot.h} c={slot.c} candidates={slot.candidates}"
        return f"{self.node!r} in slot {self.index} {slot.phase.value}{'' if slot.voting else ' watching'} {stands}"

    def _die(self, crash: Crash) -> None:
        self.up = False
        self.slot = None
        self._ahead.clear()
        self._backlog = []
        self._wake_ms = -1
        self._world.tell(self.number, self.index, "dies", crash.disk.value)
        found = self.disk.after(crash, self._backup)
        if found is not self.disk:
            self.disk = found
            self.muted_to = max(self.muted_to, self._voted_to)
        self._world.died(self.number, crash.down_ms)

    def _due_crash(self) -> Crash | None:
        if self.crashes and self.crashes[0].at_ms <= self._world.now_ms:
            return self.crashes.pop(0)
        return None

    # Its slots

    def _open(self) -> None:
        index, disk, world = self.index, self.disk, self._world
        if index >= world.slots:
            return
        previous = disk.ledger[-1] if disk.ledger else b"genesis"
        driver = world.driver(self.number, previous, disk.values)
        voting = self.votes_in(index)
        mine = self.decides_with(index)
        state = disk.state
        if state is not None:
            state = SlotState.decode(state.encode())
            self.slot = Slot.restore(self.node, index, mine, driver, state, previous=previous, voting=voting)
        else:
            self.slot = Slot(self.node, index, mine, driver, previous=previous, voting=voting)
        self._driver = driver
        self._judge = world.judge(self.slot) if self.honest else None
        if voting:
            self._voted_to = max(self._voted_to, index)
        if state is not None:
            effects = self.slot.resume(world.now_ms)
            if any(type(effect) is Emit for effect in effects):
                raise Violated("history", f"{self.node!r} says something new on its return")
            self._after(effects)
        if self.up and self.index == index and self.slot is not None:
            world.begins(self.number, index)
            self._hear_waiting()

    def _hear_waiting(self) -> None:
        """What came before the slot began; a member that is far behind asks at once for more."""
        index, life = self.index, self.life
        waiting = self._ahead.pop(index, {})
        for key in sorted(waiting):
            if self.up and self.life == life and self.index == index:
                self.hear(waiting[key])
        if self.up and self.life == life and self.index == index and any(later > index for later in self._ahead):
            self._ask()

    def _decide(self, index: int, value: bytes) -> None:
        self.history.decide(index, value)
        self._world.tell(self.number, index, "decides", value)
        slot = self.slot
        assert slot is not None
        said = [s for s in slot.statements() if type(s) is Externalize and s.commit.value == value]
        self.disk.decide(value, {s.node: s for s in said})
        self.slot = None
        self.index = index + 1
        self._world.decided(self.number, index, value)
        self._later(0, self._open)

    # Events

    def propose(self, slot: int, value: bytes) -> None:
        if self._considers(slot, value) and self.slot is not None:
            self._after(self.slot.nominate(value, self._world.now_ms))

    def compete(self, slot: int, value: bytes) -> None:
        """Begin with a ballot of its own instead of waiting for nomination."""
        if self.votes_in(slot) and self._considers(slot, value) and self.slot is not None:
            self._after(self.slot.bump(value, self._world.now_ms))

    def _considers(self, slot: int, value: bytes) -> bool:
        """Whether the slot still runs, now that the member knows this value."""
        if self.slot is None or self.index != slot:
            return False
        if self._judge is not None:
            self._judge.proposes(value)
        if SPOILED not in value and not self._driver.knows(value):
            self.fetched(slot, value)
        return self.index == slot

    def hear(self, statement: Statement) -> None:
        index = statement.slot
        if index == self.index and self.slot is not None:
            self._after(self.slot.receive(statement, self._world.now_ms), statement)
        elif self.index <= index <= self.index + AHEAD_MAX:
            waiting = self._ahead.setdefault(index, {})
            key = statement.node, type(statement) is Nominate
            before = waiting.get(key)
            if before is None or is_newer(before, statement):
                waiting[key] = statement
        elif index < self.index and type(statement) is Externalize:
            if statement.commit.value == self.disk.ledger[index]:
                self.disk.proofs[index].setdefault(statement.node, statement)

    def fetched(self, slot: int, value: bytes) -> None:
        """The bytes of a value, by which its validity shows, have come."""
        if self.slot is not None and self.index == slot:
            self._driver.learn(value)
            self._after(self.slot.revalidate(self._world.now_ms))

    def asked(self, by: int, slot: int) -> None:
        """Somebody is at this slot and may have missed something."""
        if slot < self.index:
            for index in range(slot, min(self.index, slot + HELP_SLOTS_MAX)):
                proofs = self.disk.proofs[index]
                for author in sorted(proofs):
                    self._world.send(self.number, by, proofs[author])
        elif slot == self.index and self.slot is not None:
            for statement in self.slot.own_statements():
                self._world.send(self.number, by, statement)

    def tick(self) -> None:
        """Say the last again and ask others what they have, as either may have been lost."""
        if self.slot is not None:
            for statement in self.slot.own_statements():
                if self.honest:
                    self.history.repeat(statement)
                self._world.broadcast(self.number, statement)
            self._ask()
        self._later(REPEAT_MS, self.tick)

    def _ask(self) -> None:
        for other in self._rng.sample(self._others, min(ASKED, len(self._others))):
            self._world.ask(self.number, self.index, other)

    def _wake(self) -> None:
        now_ms = self._world.now_ms
        if self._wake_ms <= now_ms:
            self._wake_ms = -1
        if self.slot is None:
            return
        self._after(self.slot.step_timers(now_ms))
        if self.slot is None:
            return
        due = self.slot.next_deadline_ms()
        if due is not None and due <= now_ms:
            raise Violated("past", f"{self.node!r}: a timer that is due and does not fire would fire for ever")
        self._set_alarm(self.slot)

    # Effects

    def _after(self, effects: Sequence[Effect], heard: Statement | None = None) -> None:
        """Check what the event left, carry its effects out, and arrange what must follow."""
        slot, world = self.slot, self._world
        assert slot is not None
        driver, index = self._driver, self.index
        if driver.wanted:
            for value in driver.wanted:
                world.fetches(self.number, index, value)
            driver.wanted = []
        if effects and type(effects[0]) is Ignored:
            return
        if self._judge is not None:
            self._judge.step(slot, heard, effects, world.now_ms, driver.knows)
        if not effects:
            return
        if self.honest:
            check_structure(slot)
        emitted = [effect.statement for effect in effects if type(effect) is Emit]
        decided = next((effect.value for effect in effects if type(effect) is Externalized), None)
        if (emitted or decided is not None) and not self._carry_out(slot, emitted):
            return
        if decided is not None:
            self._decide(index, decided)
        else:
            self._set_alarm(slot)

    def _carry_out(self, slot: Slot, emitted: Sequence[Statement]) -> bool:
        """Save, then send; whether it lived through it."""
        crash = self._due_crash() if self.crashes else None
        left = None if crash is None else crash.effects
        if crash is not None and crash.effects < 0:
            if crash.disk is Disk.KEPT and self._rng.random() < 0.5:
                self._save(slot, emitted)
            self._die(crash)
            return False
        self._save(slot, emitted)
        for statement in emitted:
            left = self._world.broadcast(self.number, statement, left)
        if crash is not None:
            self._die(crash)
            return False
        return True

    def _save(self, slot: Slot, emitted: Sequence[Statement]) -> None:
        """From here on it counts as said, for it is said again after a crash."""
        if not emitted:
            return
        state = self.disk.state = slot.state()
        for statement in emitted:
            self._world.tell(self.number, slot.index, "says", statement)
            if self.honest:
                if statement is not state.nominate and statement is not state.ballot:
                    raise Violated("saved-first", f"{statement} is sent, and what was saved does not hold it")
                if (found := problem(statement)) is not None:
                    raise Violated("structure", f"{statement} is not sane: {found}")
                self.history.say(statement)
                self._world.said(self.number, statement)
        if any(crash.disk is Disk.OLD for crash in self.crashes) and self._rng.random() < 0.2:
            self._backup = self.disk.copied()

    def _set_alarm(self, slot: Slot) -> None:
        due = slot.next_deadline_ms()
        now_ms = self._world.now_ms
        if due is None or now_ms < self._wake_ms <= due:
            return
        self._wake_ms = max(due, now_ms)
        self._later(self._wake_ms - now_ms, self._wake)
