"""The table of members: the newest owner-signed record of each, and what this node holds true of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from coordinator.signed import NodeId, Signed
from node.membership.events import MemberView, Status
from node.membership.records import Key, MemberRecord
from node.membership.suspicion import Countdown


@dataclass(slots=True)
class Member:
    """One other member. Its record changes only to one of a higher key that the member signed."""

    node: NodeId
    signed: Signed
    record: MemberRecord
    status: Status
    since_ms: int
    last_heard_ms: int | None = None
    rtt_ms: int | None = None
    verified: bool = False
    answered: bool = False
    """Our last probe of it succeeded."""
    accusations: dict[NodeId, Signed] = field(default_factory=dict)
    """By accuser, all of the record's key: why it is suspect or dead."""
    countdown: Countdown | None = None
    """Runs while it is suspect."""
    conflict: Signed | None = None
    """Another record of the same key, also signed by it: it equivocated."""

    @property
    def key(self) -> Key:
        return self.record.key

    @property
    def live(self) -> bool:
        return self.status in (Status.ALIVE, Status.SUSPECT)

    @property
    def trusted(self) -> bool:
        """Fit to be a relay: heard by ourselves and never caught."""
        return self.status is Status.ALIVE and self.verified and self.conflict is None

    def evidence(self) -> tuple[Signed, ...]:
        """What convinces another of this status: the record, then the accusations."""
        return (self.signed, *self.accusations.values())

    def view(self) -> MemberView:
        record = self.record
        return MemberView(
            self.node,
            self.status,
            record.epoch,
            record.incarnation,
            record.address,
            record.meta,
            self.verified,
            self.since_ms,
            self.last_heard_ms,
            self.rtt_ms,
        )


@dataclass(slots=True)
class Members:
    """All other members, tombstones included, in the order in which they became known."""

    _by_node: dict[NodeId, Member] = field(default_factory=dict)
    _suspects: dict[NodeId, Member] = field(default_factory=dict)
    live: int = 0
    """How many are alive or suspect."""

    def __len__(self) -> int:
        return len(self._by_node)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._by_node.values())

    def get(self, node: NodeId) -> Member | None:
        return self._by_node.get(node)

    def add(self, member: Member) -> None:
        assert member.node not in self._by_node, "a member is added once"
        self._by_node[member.node] = member
        self.live += member.live

    def remove(self, member: Member) -> None:
        del self._by_node[member.node]
        self._suspects.pop(member.node, None)
        self.live -= member.live

    def set_status(self, member: Member, status: Status, now_ms: int) -> None:
        if status is member.status:
            return
        self.live -= member.live
        member.status, member.since_ms = status, now_ms
        self.live += member.live
        if status is Status.SUSPECT:
            self._suspects[member.node] = member
        else:
            self._suspects.pop(member.node, None)

    def suspects(self) -> tuple[Member, ...]:
        return tuple(self._suspects.values())

    def having(self, *statuses: Status) -> list[Member]:
        return [member for member in self._by_node.values() if member.status in statuses]
