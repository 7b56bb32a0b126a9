"""What members send each other to know who is reachable. Plain values; the transport turns them into bytes.

Source: Das et al., SWIM (DSN 2002), section 3; Dadgar et al., Lifeguard (arXiv 1707.00788), section 4.
"""

from dataclasses import dataclass
from typing import TypeAlias

from coordinator.signed import NodeId, Signed

NONCE_SIZE = 16
GOSSIP_MAX = 64
"""Signed items on one message."""
SYNC_LINES_MAX = 10_000
"""Members listed in one message of a full exchange."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there? The answer is signed over the prober's id and nonce, so that a relay cannot make one up."""

    probe: int
    nonce: bytes
    prober: NodeId
    """Who began the probe: the sender, or the one on whose behalf a relay asks."""
    gossip: tuple[Signed, ...] = ()


@dataclass(frozen=True, slots=True)
class Ack:
    """The target's signed answer, sent by it or handed on by a relay."""

    probe: int
    ack: Signed
    gossip: tuple[Signed, ...] = ()


@dataclass(frozen=True, slots=True)
class PingReq:
    """Please probe the target for me and answer within the budget: its ack, or a nack."""

    probe: int
    nonce: bytes
    target: NodeId
    budget_ms: int
    gossip: tuple[Signed, ...] = ()


@dataclass(frozen=True, slots=True)
class Nack:
    """A relay's budget ran out. It tells only that the relay and the way to it work."""

    probe: int
    target: NodeId


@dataclass(frozen=True, slots=True)
class Gossip:
    """Member records and suspicions, new or repeated."""

    items: tuple[Signed, ...]


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """Full-state exchange, also the first word of a join: the sender's own record and what it knows, in short.

    A small group is listed whole. A larger one is summed up by bucket; who has another sum for some bucket asks back
    with the list of just those.
    """

    own: Signed
    lines: bytes = b""
    """One line for every member of the buckets, the sender included: see `digest.py`."""
    sums: bytes = b""
    """In place of lines: one sum for every bucket."""
    buckets: bytes = b""
    """The numbers of the buckets that are listed; all, where this is empty."""


@dataclass(frozen=True, slots=True)
class SyncReply:
    """What the asker lacks, as signed items, and what the answerer lacks, by node or by name."""

    items: tuple[Signed, ...]
    want: tuple[NodeId, ...] = ()
    names: bytes = b""
    """Names of eight bytes each, as in the lines of a digest."""


MembershipMessage: TypeAlias = Ping | Ack | PingReq | Nack | Gossip | SyncRequest | SyncReply
