"""What members sign about membership: their own record, accusations, answers to probes. Bounded, canonical bytes."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from coordinator.encoding import U32_MAX, U64_MAX, Reader, Writer, decode
from coordinator.signed import NODE_ID_SIZE, NodeId
from node.membership.events import Status
from node.membership.messages import NONCE_SIZE

ADDRESS_SIZE_MAX = 255
META_SIZE_MAX = 512
"""With the longest address, key and signature a record stays below 1,024 bytes."""

PROTOCOL_MIN, PROTOCOL_MAX = 1, 1
"""The versions of the protocol that this code speaks. A member that shares none with us is alive, but of no use."""
DECODED_MAX = 1 << 15
"""Bodies whose values are remembered: gossip brings each many times, and a simulation to thousands of nodes."""

Key: TypeAlias = tuple[int, int]
"""(epoch, incarnation): the order of a member's own records."""


class RecordError(ValueError):
    """Our own record cannot be made. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """What a member says of itself; its id is the author of the signed record.

    The epoch grows with every start of the process, the incarnation with every record within it. Only the owner raises
    either.
    """

    epoch: int
    incarnation: int
    status: Status
    """ALIVE, or LEFT as its last word."""
    address: str
    meta: bytes
    issued_ms: int
    """The owner's wall clock. Only coarse bounds rest on it."""
    ttl_s: int
    protocol_min: int = PROTOCOL_MIN
    """The oldest version of the protocol that it speaks, and the newest."""
    protocol_max: int = PROTOCOL_MAX

    def __post_init__(self) -> None:
        size = len(self.address.encode())
        if not 0 < size <= ADDRESS_SIZE_MAX:
            raise RecordError(f"an address of {size} bytes; give host:port in 1 to {ADDRESS_SIZE_MAX}")
        if len(self.meta) > META_SIZE_MAX:
            raise RecordError(f"metadata of {len(self.meta)} bytes; at most {META_SIZE_MAX} fit in a member record")
        if self.status not in (Status.ALIVE, Status.LEFT):
            raise RecordError(f"a member cannot say of itself that it is {self.status.name}")
        if not 0 <= self.epoch <= U64_MAX or not 0 <= self.incarnation <= U32_MAX:
            raise RecordError("epoch or incarnation out of range")
        if not 0 <= self.issued_ms <= U64_MAX or not 0 <= self.ttl_s <= U32_MAX:
            raise RecordError("time of issue or lifetime out of range")
        if not 0 <= self.protocol_min <= self.protocol_max <= U32_MAX:
            raise RecordError("no version of the protocol, or none that there can be")

    @property
    def key(self) -> Key:
        return self.epoch, self.incarnation

    @property
    def is_compatible(self) -> bool:
        """Whether it speaks a version of the protocol that we speak."""
        return self.protocol_min <= PROTOCOL_MAX and self.protocol_max >= PROTOCOL_MIN

    def encode(self) -> bytes:
        writer = Writer().u64(self.epoch).u32(self.incarnation).u8(self.status.value)
        writer.text(self.address).blob(self.meta).u64(self.issued_ms).u32(self.ttl_s)
        return writer.u32(self.protocol_min).u32(self.protocol_max).done()

    @staticmethod
    def decode(body: bytes) -> "MemberRecord":
        return decode(body, _read_member)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The author could not reach the target at this epoch and incarnation. It speaks of no other incarnation."""

    target: NodeId
    epoch: int
    incarnation: int
    issued_ms: int

    @property
    def key(self) -> Key:
        return self.epoch, self.incarnation

    def encode(self) -> bytes:
        return Writer().blob(self.target).u64(self.epoch).u32(self.incarnation).u64(self.issued_ms).done()

    @staticmethod
    def decode(body: bytes) -> "Suspicion":
        return decode(body, lambda r: Suspicion(r.blob(NODE_ID_SIZE), r.u64(), r.u32(), r.u64()))


@dataclass(frozen=True, slots=True)
class AckBody:
    """The author lives at this epoch and incarnation, and answers this nonce of this prober."""

    prober: NodeId
    nonce: bytes
    epoch: int
    incarnation: int

    @property
    def key(self) -> Key:
        return self.epoch, self.incarnation

    def encode(self) -> bytes:
        return Writer().blob(self.prober).fixed(self.nonce, NONCE_SIZE).u64(self.epoch).u32(self.incarnation).done()

    @staticmethod
    def decode(body: bytes) -> "AckBody":
        return decode(body, lambda r: AckBody(r.blob(NODE_ID_SIZE), r.fixed(NONCE_SIZE), r.u64(), r.u32()))


def _read_member(reader: Reader) -> MemberRecord:
    return MemberRecord(
        reader.u64(),
        reader.u32(),
        Status(reader.u8()),
        reader.text(ADDRESS_SIZE_MAX),
        reader.blob(META_SIZE_MAX),
        reader.u64(),
        reader.u32(),
        reader.u32(),
        reader.u32(),
    )


@lru_cache(DECODED_MAX)
def decode_record(body: bytes) -> MemberRecord:
    """As MemberRecord.decode, with one value for equal bytes."""
    return MemberRecord.decode(body)


@lru_cache(DECODED_MAX)
def decode_suspicion(body: bytes) -> Suspicion:
    """As Suspicion.decode, with one value for equal bytes."""
    return Suspicion.decode(body)
