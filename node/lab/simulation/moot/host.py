"""One simulated machine: what outlives a crash, and a process that runs the production cores as `node.shell` does."""

from collections.abc import Sequence
from functools import partial

from coordinator import effects as moot_effects
from coordinator import events as moot_events
from coordinator.effects import Ended, Generate, Note, Progress, RosterChanged, Save, SendEntries
from coordinator.messages import ENTRIES_MAX, Entries, MootMessage
from coordinator.signed import Digest, NodeId, Signer
from node.lab.simulation.faults import Crash, Disk
from node.lab.simulation.lies.liar import Message, MootLiar
from node.lab.simulation.moot.clock import HostClock
from node.lab.simulation.moot.disk import DiskIsFull, HostDisk
from node.lab.simulation.moot.model import HostModel
from node.lab.simulation.moot.mouth import Mouth
from node.lab.simulation.moot.process import Effect, Process, run_cores
from node.lab.simulation.moot.surroundings import Surroundings, address_of
from node.lab.simulation.moot.turns import Turns
from node.membership import events as member_events
from node.membership.events import MemberChanged, MemberForgotten, RememberMembers
from node.membership.messages import MembershipMessage
from node.shell import REPLY_BYTES_MAX, STEP_MAX, CoreEvent

NEVER_MS = 1 << 60
LEAVE_WAIT_MS = 2_000
"""How long a leaving node says goodbye at most; `node.runtime` waits as long."""
CLONE_RESTART_MS = 5_000
"""After how long a node that stopped since its identity is in use is started again."""


class Host:
    """A number, a disk, clocks, a key, a model; up or down. `honest` ones are judged by the checks."""

    def __init__(
        self, number: int, surroundings: Surroundings, signer: Signer, clock: HostClock, model: HostModel
    ) -> None:
        self.number = number
        self.node = signer.node
        self.clock = clock
        self.disk = HostDisk()
        self.model = model
        self.honest = True
        self.process: Process | None = None
        self.lives = 0
        self.doom: Crash | None = None
        """How the process dies the next time that it carries effects out."""
        self.backups: dict[Crash, HostDisk] = {}
        """Copies made before crashes after which one of them is put back."""
        self.forgetful = False
        """It once found less on its disk than it had saved."""
        self.reported: dict[Digest, int] = {}
        """Questions that it said were decided, with their slots."""
        self.crashes = 0
        self.started_ms = 0
        self.down_until_ms = 0
        self._surroundings = surroundings
        self._signer = signer
        self._mouth = Mouth(number, surroundings)
        self.turns = Turns(surroundings.timeline, self._due_ms, lambda: self.process is not None, self._turn)
        self._away_ms: int | None = None
        """It is leaving, and will come back so much later."""
        model.answer = self.turns.hand_in

    # The life of the process.

    def start(self) -> None:
        """Start the process unless it runs, or its disk is full."""
        surroundings, now_ms = self._surroundings, self._surroundings.timeline.now_ms
        if self.process is not None or now_ms < self.down_until_ms or self.disk.full:
            return
        monotonic_ms, wall_ms = self.clock.monotonic_ms(now_ms), self.clock.wall_ms(now_ms)
        epoch = self.disk.next_epoch(wall_ms)
        self.lives, self.started_ms = self.lives + 1, now_ms
        process = run_cores(
            seed=surroundings.seed,
            life=f"{self.number}/{self.lives}",
            genesis=surroundings.genesis,
            signer=self._signer,
            verifier=surroundings.verifier,
            disk=self.disk,
            address=address_of(self.number),
            epoch=epoch,
            monotonic_ms=monotonic_ms,
            wall_ms=wall_ms,
        )
        self.process = process
        self.model.is_wanted = process.moot.questions.is_unanswered
        if surroundings.watch.on:
            surroundings.watch.tell(now_ms, self.number, None, "started", epoch, process.moot.ledger.height)
        surroundings.checks.started(self, process)
        self._perform(process.start(monotonic_ms))
        self.turns.plan()

    def stop(self, down_ms: int) -> None:
        """End the process at once, and start it again after a while."""
        timeline = self._surroundings.timeline
        self.process = None
        self.model.forget()
        self.turns.forget()
        self._away_ms = None
        self.down_until_ms = timeline.now_ms + down_ms
        if self._surroundings.watch.on:
            self._surroundings.watch.tell(timeline.now_ms, self.number, None, "stopped", down_ms)
        timeline.after(down_ms, self.start)

    def leave(self, away_ms: int) -> None:
        if self.process is not None and self._away_ms is None:
            self._away_ms = away_ms
            self.turns.hand_in(member_events.Leave())
            self._surroundings.timeline.after(LEAVE_WAIT_MS, partial(self._gone, self.process))

    def heal(self) -> None:
        """Nothing goes wrong here any more."""
        self.doom = None
        self.disk.full = False
        self.down_until_ms = 0
        self.turns.resume()
        self.start()

    def end(self) -> None:
        """End the process for good."""
        self.stop(0)
        self.down_until_ms = NEVER_MS

    def back_up(self, crash: Crash) -> None:
        self.backups[crash] = self.disk.copy()

    def arrive(self, sender: NodeId, messages: Sequence[Message]) -> bool:
        """Take a letter; false when no process listens."""
        if self.process is None:
            return False
        self.turns.take(_received(sender, message) for message in messages)
        return True

    def refused(self, to: NodeId, address: str) -> None:
        """Nobody listened where this machine sent to."""
        if self.process is not None:
            self.turns.hand_in(member_events.SendFailed(to, address, local=False))

    def do(self, event: moot_events.Event) -> None:
        """Step the moot at once, so that what it refuses can be told to who asked.

        Raises:
            QuestionError, RosterError: the moot refuses; nothing has changed.
        """
        assert self.process is not None, "only a running node can be asked"
        now_ms = self.clock.monotonic_ms(self._surroundings.timeline.now_ms)
        self._perform(self.process.step(event, now_ms))
        self.turns.plan()

    def is_stalled(self) -> bool:
        return self._surroundings.timeline.now_ms < self.turns.stalled_until_ms

    def lie_through(self, liar: MootLiar) -> None:
        self.honest = False
        self._mouth.liar = liar

    # Turns.

    def _due_ms(self) -> int | None:
        due_ms = None if self.process is None else self.process.due_ms()
        return None if due_ms is None else self.clock.when(due_ms)

    def _turn(self) -> None:
        """One step of both cores over everything that waits, then all its effects."""
        process = self.process
        assert process is not None, "only a running process has a turn"
        now_ms, due_ms = self.clock.monotonic_ms(self._surroundings.timeline.now_ms), process.due_ms()
        inbox, watch = self.turns.inbox, self._surroundings.watch
        effects: list[Effect] = []
        if self.clock.is_set_since(process.wall_offset_ms):
            effects += process.set_clock(self.clock.wall_offset_ms(), now_ms)
        for _ in range(min(len(inbox), STEP_MAX)):
            event = inbox.popleft()
            if watch.on:
                self._tell("event", event)
            effects += process.step(event, now_ms)
        effects += process.tick(0 if due_ms is None else max(0, now_ms - due_ms), now_ms)
        self._perform(effects)
        self._surroundings.checks.turned(self)

    # Effects.

    def _perform(self, effects: Sequence[Effect]) -> None:
        """All saves at once, then the rest in order. A crash comes before the saves, or later."""
        if not effects:
            return
        if self._surroundings.watch.on:
            for effect in effects:
                self._tell("effect", effect)
        process, doom = self.process, self.doom
        saves = [effect for effect in effects if isinstance(effect, Save)]
        rest = [effect for effect in effects if not isinstance(effect, Save)]
        self.doom = None
        if doom is not None and (doom.effects < 0 or doom.disk is Disk.TORN):
            self._die(doom)  # A transaction of which only a part reached the disk is undone when it is opened again.
            return
        try:
            if saves:
                self.disk.save(saves)
                self._surroundings.checks.saved(self, saves)
            for effect in rest if doom is None else rest[: doom.effects]:
                self._carry_out(effect)
                if self.process is not process:
                    break
        except DiskIsFull:
            self.stop(1)  # It is started again when there is room; until then a start does nothing.
        self._mouth.send()
        if doom is not None and self.process is process:
            self._die(doom)

    def _die(self, crash: Crash) -> None:
        self.crashes += 1
        full = self.disk.full
        if crash.disk is Disk.OLD:
            self.disk = self.backups.get(crash, HostDisk()).copy()
        elif crash.disk is Disk.WIPED:
            self.disk = HostDisk()
        self.disk.full = full
        self.forgetful |= crash.disk in (Disk.OLD, Disk.WIPED)
        self.stop(crash.down_ms)

    def _carry_out(self, effect: Effect) -> None:
        surroundings = self._surroundings
        match effect:
            case moot_effects.Send(to, message):
                self._send_moot(to, message)
            case member_events.Send(to, address, message):
                self._mouth.say(to, address, message)
            case SendEntries(to, slot, until):
                count = ENTRIES_MAX if until is None else min(ENTRIES_MAX, until - slot)
                entries = self.disk.proven_from(slot, count, REPLY_BYTES_MAX)
                if entries:
                    self._send_moot(to, Entries(slot, entries))
            case Generate():
                self.model.ask(effect)
            case Ended():
                surroundings.checks.ended(self, effect)
            case MemberChanged():
                surroundings.checks.changed(self, effect)
                self._hand_in_reachable()
            case RememberMembers(records):
                self.disk.remember_members(records)
            case MemberForgotten(node):
                surroundings.checks.forgotten(self, node)
                self._hand_in_reachable()
            case RosterChanged():
                self._hand_in_reachable()
            case Note("leave.done"):
                self._gone(self.process)
            case Note("clone.running"):
                surroundings.checks.cloned(self)
                self.stop(CLONE_RESTART_MS)
            case Progress() | _:
                pass

    def _hand_in_reachable(self) -> None:
        """What is reachable now, once for all changes of a turn."""
        assert self.process is not None, "only a running process has changes"
        inbox = self.turns.inbox
        if inbox and isinstance(inbox[-1], moot_events.Reachable):
            inbox.pop()
        self.turns.hand_in(moot_events.Reachable(self.process.membership.reachable()))

    def _gone(self, process: Process | None) -> None:
        """The others were told that this node leaves, or the time for that is over."""
        if self._away_ms is not None and self.process is process:
            self._mouth.send()
            self.stop(self._away_ms)

    def _send_moot(self, to: NodeId, message: MootMessage) -> None:
        assert self.process is not None
        address = self.process.membership.address_of(to)
        if address is not None:
            if self.honest:
                self._surroundings.checks.sends(self, message)
            self._mouth.say(to, address, message)

    def _tell(self, what: str, about: object) -> None:
        process, watch = self.process, self._surroundings.watch
        slot = process.moot.ledger.height if process is not None else None
        if isinstance(about, moot_events.Reachable):
            about = "reachable", sorted(about.nodes)  # a set tells its members in no certain order
        watch.tell(self._surroundings.timeline.now_ms, self.number, slot, what, about)


def _received(sender: NodeId, message: Message) -> CoreEvent:
    if isinstance(message, MembershipMessage):
        return member_events.Received(sender, message)
    return moot_events.Received(sender, message)
