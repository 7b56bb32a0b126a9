"""A whole network of membership cores on virtual time, from one seed: delays, loss, crashes, restarts, partitions."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from coordinator.effects import Note
from coordinator.signed import NodeId, Signed
from node.membership.core import Membership
from node.membership.events import (
    Confirmed,
    Event,
    Leave,
    MemberChanged,
    MemberForgotten,
    MemberView,
    Received,
    RememberMembers,
    Seed,
    Send,
    SendFailed,
    Status,
    Tick,
)
from node.membership.messages import MembershipMessage, SyncRequest
from node.membership.settings import MembershipSettings
from tests.node.membership.keys import TestVerifier

WALL_MS = 1_750_000_000_000
"""Wall clock when a test begins."""


def node_id(index: int) -> NodeId:
    return b"n%02d" % index


@dataclass(slots=True)
class Host:
    """One machine: what outlives a crash of its process."""

    index: int
    clock_offset_ms: int
    """Its monotonic clock minus the network's."""
    core: Membership | None = None
    remembered: tuple[Signed, ...] = ()
    stalled_until_ms: int = 0
    waiting: list[Event] = field(default_factory=list)
    """What came while it was stalled."""
    keys: dict[NodeId, tuple[int, int]] = field(default_factory=dict)
    """The highest key that this process has held of each member."""

    @property
    def node(self) -> NodeId:
        return node_id(self.index)

    @property
    def address(self) -> str:
        return f"host{self.index}:7000"


@dataclass(frozen=True, slots=True)
class Change:
    at_ms: int
    observer: NodeId
    subject: NodeId
    before: Status | None
    after: Status


class Network:
    """`size` hosts, none started. Every message may be delayed, lost or cut off; time jumps from event to event."""

    def __init__(
        self, seed: int, size: int, settings: MembershipSettings, *, loss: float = 0.0, seeds: int = 2
    ) -> None:
        self.rng = random.Random(seed)
        self.settings = settings
        self.loss = loss
        self.delay_ms = (1, 20)
        self.now_ms = 0
        self.verifier = TestVerifier()
        self.hosts = [Host(index, self.rng.randrange(1_000_000)) for index in range(size)]
        self.seeds = [Seed(host.node, host.address) for host in self.hosts[:seeds]]
        self.cut: Callable[[NodeId, NodeId], bool] = lambda sender, receiver: False
        self.admitted: Callable[[NodeId], bool] = lambda node: True
        self.refuses = True
        """A connection to a crashed process is refused at once; otherwise messages to it vanish."""
        self.changes: list[Change] = []
        self.notes: list[tuple[int, NodeId, Note]] = []
        self.sent = 0
        self._by_address = {host.address: host for host in self.hosts}
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = 0

    def start(self, *indexes: int) -> None:
        for index in indexes:
            host = self.hosts[index]
            host.keys = {}
            host.waiting = []
            host.core = Membership(
                signer=self.verifier.signer(host.node),
                verifier=self.verifier,
                settings=self.settings,
                rng=random.Random(self.rng.getrandbits(64)),
                epoch=WALL_MS + self.now_ms,
                address=host.address,
                meta=b"",
                admit=self.admitted,
                seeds=self.seeds,
                remembered=host.remembered,
                wall_offset_ms=WALL_MS - host.clock_offset_ms,
                now_ms=self.now_ms + host.clock_offset_ms,
            )
            self._plan_wake(host, host.core)

    def crash(self, *indexes: int) -> None:
        for index in indexes:
            self.hosts[index].core = None

    def leave(self, index: int) -> None:
        self.step(self.hosts[index], Leave())

    def stall(self, index: int, for_ms: int) -> None:
        """Its process does not run for a while; messages pile up."""
        self.hosts[index].stalled_until_ms = self.now_ms + for_ms

    def partition(self, *groups: Iterable[int]) -> None:
        side = {node_id(index): number for number, group in enumerate(groups) for index in group}
        self.cut = lambda sender, receiver: side[sender] != side[receiver]

    def heal(self) -> None:
        self.cut = lambda sender, receiver: False

    def run(self, for_ms: int, until: Callable[[], bool] | None = None) -> int:
        """Run for a while, or until a condition holds; gives the milliseconds that it took."""
        start_ms, end_ms = self.now_ms, self.now_ms + for_ms
        while self._heap and self._heap[0][0] <= end_ms:
            self.now_ms, _, act = heappop(self._heap)
            act()
            if until is not None and until():
                return self.now_ms - start_ms
        assert until is None, f"not within {for_ms} ms: {self.picture()}"
        self.now_ms = end_ms
        return for_ms

    def views(self, index: int) -> dict[NodeId, MemberView]:
        core = self.hosts[index].core
        assert core is not None, "a crashed process has no view"
        return {view.node: view for view in core.members()}

    def status(self, observer: int, subject: int) -> Status | None:
        view = self.views(observer).get(node_id(subject))
        return None if view is None else view.status

    def all_see(self, status: Status, observers: Sequence[int], subjects: Sequence[int]) -> bool:
        return all(self.status(o, s) is status for o in observers for s in subjects if o != s)

    def picture(self) -> str:
        """Who sees what, for a failed assertion."""
        rows = []
        for host in self.hosts:
            if host.core is not None:
                rows.append(f"{host.index}: " + " ".join(str(v.status.name) for v in self.views(host.index).values()))
        return f"at {self.now_ms}\n" + "\n".join(rows)

    def step(self, host: Host, event: Event) -> None:
        core = host.core
        if core is None:
            return
        if self.now_ms < host.stalled_until_ms:
            if not isinstance(event, Tick):
                host.waiting.append(event)
            return
        effects = core.step(event, self.now_ms + host.clock_offset_ms)
        for effect in effects:
            match effect:
                case Send(to=to, address=address, message=message):
                    assert to != host.node and address != host.address, "nobody sends to itself"
                    assert to is not None or isinstance(message, SyncRequest), "only a knock goes to an unknown node"
                    self._post(host, to, address, message)
                case MemberChanged(node=node, before=before, after=after):
                    assert node != host.node
                    self.changes.append(Change(self.now_ms, host.node, node, before, after))
                case RememberMembers(records=records):
                    host.remembered = records
                case MemberForgotten(node=node):
                    host.keys.pop(node, None)
                case Confirmed():
                    pass
                case Note():
                    self.notes.append((self.now_ms, host.node, effect))
        self._check_keys(host, core)
        self._plan_wake(host, core)

    def post(self, sender: NodeId, receiver: int, message: MembershipMessage) -> None:
        """Deliver a message that a test made up, from an authentic sender."""
        self._at(1, lambda: self.step(self.hosts[receiver], Received(sender, message)))

    def _post(self, sender: Host, to: NodeId | None, address: str, message: MembershipMessage) -> None:
        self.sent += 1
        receiver = self._by_address[address]
        if to is not None and receiver.node != to:
            return
        if self.cut(sender.node, receiver.node) or self.rng.random() < self.loss:
            return
        if receiver.core is None:
            if self.refuses:
                failed = SendFailed(to, address, local=False)
                self._at(self.rng.randint(*self.delay_ms), lambda: self.step(sender, failed))
            return
        received = Received(sender.node, message)
        self._at(self.rng.randint(*self.delay_ms), lambda: self.step(receiver, received))

    def _plan_wake(self, host: Host, core: Membership) -> None:
        due_ms = core.next_deadline_ms()
        if due_ms is None:
            return

        def wake() -> None:
            if host.core is not core or core.next_deadline_ms() != due_ms:
                return
            if self.now_ms < host.stalled_until_ms:
                self._at(host.stalled_until_ms - self.now_ms, lambda: self._resume(host))
            else:
                self.step(host, Tick(0))

        self._at(max(0, due_ms - host.clock_offset_ms - self.now_ms), wake)

    def _resume(self, host: Host) -> None:
        """After a stall the loop runs its timers first: nothing waiting has been read yet."""
        if self.now_ms >= host.stalled_until_ms:
            self.step(host, Tick(0))
            waiting, host.waiting = host.waiting, []
            for event in waiting:
                self.step(host, event)

    def _check_keys(self, host: Host, core: Membership) -> None:
        for view in core.members():
            key = (view.epoch, view.incarnation)
            assert key >= host.keys.get(view.node, key), "a stored key never decreases"
            host.keys[view.node] = key

    def _at(self, delay_ms: int, act: Callable[[], None]) -> None:
        self._order += 1
        heappush(self._heap, (self.now_ms + delay_ms, self._order, act))
