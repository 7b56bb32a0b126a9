"""Up to ten thousand production membership cores on virtual time: messages handed over as objects, their bytes counted.

Each host has a monotonic clock of its own. A core is woken only when its deadline is due. Signatures are quick tags
that cannot be forged in here, and no connection is refused: what is sent to a machine that is gone vanishes. Everything
else that a core sees is what it sees in a node.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coordinator.signed import Kind, NodeId, Signed, Signer
from node.lab.simulation.gossip.calendar import Calendar
from node.lab.simulation.gossip.census import Census
from node.lab.simulation.gossip.sizes import envelope_size
from node.lab.simulation.keys import Keyring
from node.lab.simulation.streams import stream
from node.membership.core import Membership
from node.membership.events import (
    Event,
    MemberChanged,
    Received,
    RememberMembers,
    Seed,
    Send,
    Status,
    Tick,
)
from node.membership.members import NOBODY, Known
from node.membership.messages import MembershipMessage
from node.membership.records import MemberRecord
from node.membership.settings import MembershipSettings

WALL_MS = 1_750_000_000_000
"""Wall clock at the beginning."""
OFFSET_MS_MAX = 1_000_000
"""Of a host's monotonic clock."""
MOOT = bytes(32)
SEEDS = 2
"""Hosts that are seeds."""
SEQUENCE = 1_000
"""Of every envelope, where its size is added up."""
TICK = Tick(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """How messages fare. Delays are even between the bounds, and drawn for each message, so that they also overtake."""

    delay_ms_min: int = 30
    delay_ms_max: int = 70
    loss: float = 0.0


DELAY_MS = (Wires().delay_ms_min + Wires().delay_ms_max) / 2
"""The mean on the usual wires."""


class Host:
    """One machine: what outlives its process."""

    __slots__ = ("bytes", "core", "number", "offset_ms", "remembered", "stalled_ms", "waiting", "wake_ms")

    def __init__(self, number: int, offset_ms: int) -> None:
        self.number = number
        self.offset_ms = offset_ms
        """Its monotonic clock minus virtual time."""
        self.core: Membership | None = None
        self.remembered: tuple[Signed, ...] = ()
        self.wake_ms = 0
        """The first entry of the calendar that wakes it; 0 is none."""
        self.stalled_ms = 0
        """Until when its process does not run."""
        self.waiting: list[Event] = []
        """What came while it did not."""
        self.bytes = 0


class World:
    """`size` hosts, none of them started."""

    def __init__(self, seed: int, size: int, settings: MembershipSettings, wires: Wires = Wires()) -> None:
        self.size = size
        self.settings = settings
        self.wires = wires
        self.now_ms = 0
        self.census = Census(size)
        self.bytes_by_kind: dict[type, int] = {}
        self.bytes = 0
        self._seed = seed
        self._rng = stream(seed, "gossip/net")
        self._keys = Keyring(seed, size, ed25519=False)
        self.ids = self._keys.ids
        self.numbers = {node: number for number, node in enumerate(self.ids)}
        self._signers = [self._keys.signer(number, MOOT) for number in range(size)]
        self._verifier = self._keys.verifier(MOOT)
        offsets = stream(seed, "gossip/clocks")
        self.hosts = [Host(number, offsets.randrange(OFFSET_MS_MAX)) for number in range(size)]
        self._addresses = {address_of(number): number for number in range(size)}
        self._sides: Sequence[int] | None = None
        self._starts = 0
        self._calendar: Calendar[tuple[Host, Event | None]] = Calendar()
        """A host and what comes to it; None wakes it."""
        self.core_type: type[Membership] = Membership
        self.seeds = [Seed(self.ids[one], address_of(one)) for one in range(min(SEEDS, size))]
        """Where everyone knocks. Who has none never joins, and spares the exchanges of newcomers."""

    @property
    def live(self) -> list[Host]:
        return [host for host in self.hosts if host.core is not None]

    def signer(self, number: int) -> Signer:
        return self._signers[number]

    def start(self, *numbers: int, known: Known = NOBODY) -> None:
        """Start processes. They begin with nobody and knock at the seeds, or begin with all of `known` alive."""
        for number in numbers:
            host = self.hosts[number]
            self._starts += 1
            host.core = self.core_type(
                signer=self._signers[number],
                verifier=self._verifier,
                settings=self.settings,
                rng=stream(self._seed, f"gossip/core/{number}/{self._starts}"),
                epoch=WALL_MS + self.now_ms,
                address=address_of(number),
                meta=b"",
                admit=self._admits,
                seeds=self.seeds,
                remembered=host.remembered,
                wall_offset_ms=WALL_MS - host.offset_ms,
                now_ms=self.now_ms + host.offset_ms,
                known=known,
            )
            host.waiting, host.stalled_ms, host.wake_ms = [], 0, 0
            self.census.begin(number, max(0, len(known.order) - 1))
            self._plan_wake(host, host.core)

    def start_converged(self, *numbers: int) -> None:
        """These processes, or all, run and have for a while: everyone holds everyone alive."""
        settings = self.settings
        started = numbers or tuple(range(self.size))
        records = [
            self._signers[number].sign(
                Kind.MEMBER,
                MemberRecord(
                    WALL_MS + self.now_ms,
                    0,
                    Status.ALIVE,
                    address_of(number),
                    b"",
                    WALL_MS + self.now_ms,
                    settings.record_ttl_s,
                ).encode(),
            )
            for number in started
        ]
        self.start(*started, known=Known(records))

    def crash(self, *numbers: int) -> None:
        """These machines are gone: what is sent to them vanishes."""
        for number in numbers:
            self.hosts[number].core = None
            self.census.end(number)

    def stall(self, number: int, for_ms: int) -> None:
        """Its process does not run for a while; messages pile up."""
        host = self.hosts[number]
        host.stalled_ms = self.now_ms + for_ms
        self._calendar.enter(host.stalled_ms, (host, None))

    def partition(self, sides: Sequence[int] | None) -> None:
        """Only hosts on one side reach each other; None heals it."""
        self._sides = sides

    def step(self, number: int, event: Event) -> None:
        """Something happens on this host itself."""
        host = self.hosts[number]
        assert host.core is not None, "nothing happens in a process that does not run"
        self._step(host, host.core, event)

    def post(self, sender: int, receiver: int, message: MembershipMessage) -> None:
        """Deliver what a liar made up, on the way that all messages take."""
        self._post(self.hosts[sender], self.hosts[receiver], message)

    def run(self, until_ms: int, done: Callable[[], bool] | None = None) -> bool:
        """Play until this time, or until `done` holds, which is asked after each millisecond in which something came.

        Returns whether `done` held; time stands at `until_ms` when it did not.
        """
        for at_ms, day in self._calendar.take(until_ms):
            self.now_ms = at_ms
            for host, event in day:
                core = host.core
                if core is None:
                    continue
                if at_ms < host.stalled_ms:
                    if event is not None:
                        host.waiting.append(event)
                elif event is not None:
                    self._step(host, core, event)
                elif host.stalled_ms == at_ms:
                    self._resume(host, core)
                elif host.wake_ms == at_ms:
                    host.wake_ms = 0
                    self._wake(host, core)
            if done is not None and done():
                return True
        self.now_ms = until_ms
        return False

    def _step(self, host: Host, core: Membership, event: Event) -> None:
        now_ms = self.now_ms
        for effect in core.step(event, now_ms + host.offset_ms):
            if isinstance(effect, Send):
                number = self.numbers[effect.to] if effect.to is not None else self._addresses[effect.address]
                self._post(host, self.hosts[number], effect.message)
            elif isinstance(effect, MemberChanged):
                subject = self.numbers[effect.node]
                self.census.changed(now_ms, host.number, subject, effect.before, effect.after)
                if subject in self.census.news and effect.after is Status.ALIVE:
                    self._hear_news(host, core, subject, renewed=effect.before is Status.ALIVE)
            elif isinstance(effect, RememberMembers):
                host.remembered = effect.records
        self._plan_wake(host, core)

    def _post(self, sender: Host, receiver: Host, message: MembershipMessage) -> None:
        size = envelope_size(message, SEQUENCE)
        kind = type(message)
        self.bytes_by_kind[kind] = self.bytes_by_kind.get(kind, 0) + size
        self.bytes += size
        sender.bytes += size
        wires, sides = self.wires, self._sides
        if sides is not None and sides[sender.number] != sides[receiver.number]:
            return
        if wires.loss and self._rng.random() < wires.loss:
            return
        span_ms = wires.delay_ms_max - wires.delay_ms_min + 1
        arrives_ms = self.now_ms + wires.delay_ms_min + int(self._rng.random() * span_ms)
        self._calendar.enter(arrives_ms, (receiver, Received(self.ids[sender.number], message)))

    def _hear_news(self, host: Host, core: Membership, subject: int, *, renewed: bool) -> None:
        """A watched member is alive to this one again, or still and with something new in its record.

        Who takes a suspicion back may hold a record that is newer than the news, or an older one: then it is looked up.
        """
        news = self.census.news[subject]
        if renewed or any(view.node == self.ids[subject] and view.meta == news.meta for view in core.members()):
            news.heard_ms.setdefault(host.number, self.now_ms)

    def _plan_wake(self, host: Host, core: Membership) -> None:
        """Enter when the core is due, unless the host is woken before anyway: then it is looked at again."""
        due_ms = core.next_deadline_ms()
        if due_ms is None:
            return
        due_ms = max(due_ms - host.offset_ms, self.now_ms + 1)
        if host.wake_ms == 0 or due_ms < host.wake_ms:
            host.wake_ms = due_ms
            self._calendar.enter(due_ms, (host, None))

    def _wake(self, host: Host, core: Membership) -> None:
        due_ms = core.next_deadline_ms()
        if due_ms is not None and due_ms - host.offset_ms <= self.now_ms:
            self._step(host, core, TICK)
        else:
            self._plan_wake(host, core)

    def _resume(self, host: Host, core: Membership) -> None:
        """After a stall the loop runs its timers first: nothing that waits has been read yet."""
        waiting, host.waiting, host.wake_ms = host.waiting, [], 0
        self._step(host, core, TICK)
        for event in waiting:
            self._step(host, core, event)

    @staticmethod
    def _admits(node: NodeId) -> bool:
        return True


def address_of(number: int) -> str:
    return f"host{number}.example:7000"
