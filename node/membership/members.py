"""One member as a node holds it true: a value shared by all who hold the same, and a case where it is accused."""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from coordinator.signed import NodeId, Signed
from node.membership.digest import BUCKETS, NAME_SIZE, line_of, mark_of
from node.membership.events import Status
from node.membership.records import Key, MemberRecord, decode_record
from node.membership.suspicion import Countdown

SHARED_MAX = 1 << 16
"""Values that are shared. A simulation holds thousands of tables in one process, and nearly all say the same."""


@dataclass(frozen=True, slots=True)
class Member:
    """What is held true of another member. A change is another value; `believed` makes it."""

    node: NodeId
    signed: Signed
    record: MemberRecord
    status: Status
    verified: bool
    """We heard it ourselves in this epoch."""
    line: bytes
    """What a digest of the list says of it."""
    mark: int
    """What it adds to the sum of its bucket."""

    @property
    def bucket(self) -> int:
        return self.line[0]

    @property
    def name(self) -> bytes:
        return self.line[:NAME_SIZE]

    @property
    def key(self) -> Key:
        return self.record.key

    @property
    def live(self) -> bool:
        return self.status is Status.ALIVE or self.status is Status.SUSPECT


@lru_cache(SHARED_MAX)
def believed(signed: Signed, status: Status, verified: bool) -> Member:
    """The one value for all who hold this true of the record's author. The signature was checked before.

    Raises:
        EncodingError: the body is no member record.
    """
    record = decode_record(signed.body)
    line = line_of(signed.author, record.epoch, record.incarnation, status.value, signed.body).encode()
    return Member(signed.author, signed, record, status, verified, line, mark_of(line))


@dataclass(slots=True)
class Case:
    """Why a member is suspect or dead."""

    accusations: dict[NodeId, Signed] = field(default_factory=dict)
    """By accuser, all of the record's key."""
    countdown: Countdown | None = None
    """Runs while it is suspect."""
    withdrawn: Signed | None = None
    """Our own accusation, once it has answered us after all. It counts no more, but it is how we ask it to refute."""

    def to_refute(self) -> tuple[Signed, ...]:
        """One accusation to show to the accused."""
        first = next(iter(self.accusations.values()), self.withdrawn)
        return () if first is None else (first,)


class Known:
    """Members that a core holds alive and verified from its start, one table for any number of cores.

    It serves simulations of a large moot that has been running for a while: each core keeps for itself only what
    becomes different. A node on a real network begins with nobody, for what it once knew may be long past.
    """

    __slots__ = ("by_node", "order", "sums")

    def __init__(self, records: Iterable[Signed]) -> None:
        """
        Args:
            records: one well signed record of each member; a core passes over its own.
        Raises:
            EncodingError: one of them is no member record.
            ValueError: one of them says goodbye, or two are of one member.
        """
        found = [believed(signed, Status.ALIVE, True) for signed in records]
        self.by_node: Mapping[NodeId, Member] = {member.node: member for member in found}
        self.order = tuple(self.by_node)
        if len(self.order) < len(found) or any(member.record.status is not Status.ALIVE for member in found):
            raise ValueError("give one record of each member, by which it is alive")
        self.sums = array("Q", bytes(8 * BUCKETS))
        for member in found:
            self.sums[member.bucket] ^= member.mark


NOBODY = Known(())
