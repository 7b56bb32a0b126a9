"""What goes into the membership core and what comes out: events, effects, and a member as others may see it."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from coordinator.effects import Note
from coordinator.signed import NodeId, Signed
from node.membership.messages import MembershipMessage


class Status(Enum):
    """How reachable a member is, as this node sees it. The value is the rank of news about one incarnation."""

    ALIVE = 0
    SUSPECT = 1
    DEAD = 2
    LEFT = 3


@dataclass(frozen=True, slots=True)
class Seed:
    """Where to knock when joining. The node is None where only the address was given."""

    node: NodeId | None
    address: str


@dataclass(frozen=True, slots=True)
class MemberView:
    """One member at one moment. Times are this node's monotonic milliseconds."""

    node: NodeId
    status: Status
    epoch: int
    incarnation: int
    address: str
    meta: bytes
    compatible: bool
    """It speaks a version of the protocol that we speak."""
    verified: bool
    """We heard it ourselves in this epoch; without it there is only its signed record, perhaps an old one."""
    since_ms: int
    last_heard_ms: int | None
    rtt_ms: int | None


@dataclass(frozen=True, slots=True)
class Received:
    """A message came. The transport has checked the envelope: the sender is authentic."""

    sender: NodeId
    message: MembershipMessage


@dataclass(frozen=True, slots=True)
class Tick:
    """A deadline is due. `lag_ms`: how much later than asked for the event loop ran, 0 when unknown."""

    lag_ms: int = 0


@dataclass(frozen=True, slots=True)
class SendFailed:
    """A message could not be sent. `local`: the fault is on this machine (no route, no socket), not there."""

    to: NodeId | None
    address: str
    local: bool


@dataclass(frozen=True, slots=True)
class SetMeta:
    """Publish other metadata in our record. Raises RecordError where it is too large."""

    meta: bytes


@dataclass(frozen=True, slots=True)
class Leave:
    """Say goodbye. `Note("leave.done")` follows once the others were told; then the process may end."""


@dataclass(frozen=True, slots=True)
class Confirm:
    """Find out whether a member is out of reach, before something that cannot be undone. `Confirmed` follows."""

    node: NodeId


@dataclass(frozen=True, slots=True)
class Revoke:
    """Heed and spread a signed list of revoked keys that a person hands in, if its author has a say here."""

    revocations: Signed


@dataclass(frozen=True, slots=True)
class ClockSet:
    """The wall clock was set, or the machine slept: so far it is ahead of the monotonic clock now."""

    wall_offset_ms: int


Event: TypeAlias = Received | Tick | SendFailed | SetMeta | Leave | Confirm | Revoke | ClockSet


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message. `to` is None only for a seed known by address alone, and that gets only a SyncRequest."""

    to: NodeId | None
    address: str
    message: MembershipMessage


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """A member is new (`before` None) or has another status. Equal statuses: another epoch, address or metadata."""

    node: NodeId
    before: Status | None
    after: Status


@dataclass(frozen=True, slots=True)
class MemberForgotten:
    """It is no member any more: its tombstone expired, it may no longer be one, or its key was revoked.

    Connections to it are to be closed.
    """

    node: NodeId


@dataclass(frozen=True, slots=True)
class RememberMembers:
    """Keep these in place of the ones before: lists of revoked keys, and members to knock at when no seed answers."""

    records: tuple[Signed, ...]


class Reach(Enum):
    """What a fresh probe found out."""

    REACHED = "reached"
    """It has just answered, signed."""
    UNREACHABLE = "unreachable"
    """It answered neither us nor those who tried for us and said so."""
    UNKNOWN = "unknown"
    """Too few paths were tried to tell, or this node itself was at fault."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The outcome of a Confirm."""

    node: NodeId
    reach: Reach
    paths: int
    """Those that were tried for certain: our own, and those of relays that answered."""


Effect: TypeAlias = Send | MemberChanged | MemberForgotten | RememberMembers | Confirmed | Note
