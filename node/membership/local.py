"""What the parts of one node's membership share: settings, own record, tables, the time and the outbox."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coordinator.effects import Note
from coordinator.signed import NodeId, Signed
from node.membership.diversity import CANDIDATES_PER_CHOICE, diverse
from node.membership.events import Effect, MemberChanged, Send, Status
from node.membership.gossip import GossipQueue
from node.membership.health import LocalHealth
from node.membership.members import Member, believed
from node.membership.messages import Gossip, MembershipMessage, SyncReply
from node.membership.own import OwnRecord
from node.membership.revocations import Revocations
from node.membership.settings import MembershipSettings
from node.membership.table import Members

SPACED_MAX = 4_096
"""Pairs remembered by Spacing."""


@dataclass(slots=True)
class Spacing:
    """Lets a thing happen at most once in a while per key, so that no flood of questions makes a flood of answers."""

    interval_ms: int
    _last_ms: dict[tuple[NodeId, ...], int] = field(default_factory=dict)

    def allow(self, now_ms: int, *key: NodeId) -> bool:
        last_ms = self._last_ms.pop(key, None)
        allowed = last_ms is None or now_ms - last_ms >= self.interval_ms
        self._last_ms[key] = now_ms if last_ms is None or allowed else last_ms
        if len(self._last_ms) > SPACED_MAX:
            del self._last_ms[next(iter(self._last_ms))]
        return allowed


@dataclass(slots=True)
class Local:
    settings: MembershipSettings
    rng: random.Random
    own: OwnRecord
    admit: Callable[[NodeId], bool]
    operator_of: Callable[[NodeId], str]
    wall_offset_ms: int
    now_ms: int
    queue: GossipQueue
    members: Members
    health: LocalHealth
    corrections: Spacing
    revocations: Revocations
    urgent: bool = False
    """Something of our own is to be told without waiting for the next gossip round."""
    stopped: bool = False
    """A clone of this node runs. Two of them would contradict each other, so this one falls silent."""
    newcomers: list[int] = field(default_factory=list)
    """Places of the members met in this step, not yet in the walk of probes."""
    quiet: bool = False
    """What is met now came in bulk from one who has told others too: it is not passed on."""
    worth_keeping: bool = False
    """The shell is to be told at once what to remember."""
    unproven: list[NodeId] = field(default_factory=list)
    """Members that are to prove their address, by answering a probe."""
    proven: list[NodeId] = field(default_factory=list)
    """Members that have done so in this step."""
    out: list[Effect] = field(default_factory=list)

    @property
    def node(self) -> NodeId:
        return self.own.node

    @property
    def wall_ms(self) -> int:
        return max(0, self.now_ms + self.wall_offset_ms)

    @property
    def n(self) -> int:
        """Live members, this node included."""
        return self.members.live + 1

    def choose(self, count: int, fits: Callable[[Member], bool]) -> list[Member]:
        """So many random members that fit, unlikely to fail or lie together."""
        drawn = self.members.sample(self.rng, CANDIDATES_PER_CHOICE * count, fits)
        return diverse(drawn, count, self.operator_of)

    def send(self, to: NodeId, message: MembershipMessage) -> None:
        """Send to a known member; whoever has no known address gets nothing, for it never told us where it is."""
        member = self.members.get(to)
        if member is not None and to != self.node:
            self.out.append(Send(to, member.record.address, message))

    def note(self, event: str, **fields: str | int | bytes) -> None:
        self.out.append(Note(event, tuple(fields.items())))

    def change(self, member: Member, status: Status) -> None:
        """Give a member another status, and say so."""
        self.members.put(believed(member.signed, status, member.verified), self.now_ms)
        self.out.append(MemberChanged(member.node, member.status, status))

    def piggyback(self, to: Member, *, introduce: bool = False) -> tuple[Signed, ...]:
        """News for one message, first what concerns its receiver: that it is suspected (Lifeguard's buddy); us."""
        case = self.members.cases.get(to.node)
        first = () if case is None else case.to_refute()
        if introduce:
            first += (self.own.signed,)
        return self.queue.take(self.n, to.node, first)

    def correct(self, subject: NodeId, evidence: Sequence[Signed], to: NodeId) -> None:
        """Answer stale news with what outdates it, at most once in a while."""
        if to != self.node and self.corrections.allow(self.now_ms, subject, to):
            self.send(to, Gossip(tuple(evidence)))

    def ask_for(self, target: NodeId, whom: NodeId) -> None:
        """Ask for the newest record of a member."""
        self.send(whom, SyncReply((), (target,)))
