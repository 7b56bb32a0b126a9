"""What a member list says in short: one line for each member, and one sum for each bucket of them.

Two equal lists of ten thousand have equal sums, two kilobytes in all; where some differ, only their buckets are listed.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from coordinator.encoding import U32_MAX
from coordinator.signed import NodeId

NAME_SIZE = 8
"""Of a member, as the first bytes of its id's digest: among a million members no two names are likely to be equal."""
LINE_SIZE = 21
BUCKETS = 256
"""The first byte of the name says which."""
SUMS_SIZE = 8 * BUCKETS
LISTED_MAX = 96
"""Up to so many members, the lines are no longer than the sums."""

_LINE = struct.Struct(f">{NAME_SIZE}sIIB4s")
_SUMS = struct.Struct(f">{BUCKETS}Q")


@dataclass(frozen=True, slots=True)
class Line:
    """What one member's list says of another: enough to see who knows the newer."""

    name: bytes
    epoch_low: int
    """The lowest 32 bits. They tell two epochs apart, but not which is the later."""
    incarnation: int
    rank: int
    """0 alive, 1 suspect, 2 dead, 3 left."""
    check: bytes
    """The first four bytes of the record's digest: two records of one incarnation are two records."""

    def encode(self) -> bytes:
        return _LINE.pack(self.name, self.epoch_low, self.incarnation, self.rank, self.check)


def line_of(node: NodeId, epoch: int, incarnation: int, rank: int, body: bytes) -> Line:
    return Line(name_of(node), epoch & U32_MAX, incarnation, rank, sha256(body).digest()[:4])


@lru_cache(1 << 15)
def name_of(node: NodeId) -> bytes:
    return sha256(node).digest()[:NAME_SIZE]


def lines_in(data: bytes) -> Iterator[Line]:
    """The lines of a message; what is left over at the end is passed over."""
    whole = len(data) - len(data) % LINE_SIZE
    return (Line(*fields) for fields in _LINE.iter_unpack(data[:whole]))


def names_in(data: bytes) -> list[bytes]:
    return [data[at : at + NAME_SIZE] for at in range(0, len(data) - NAME_SIZE + 1, NAME_SIZE)]


def mark_of(line: bytes) -> int:
    """What a line adds to the sum of its bucket, by exclusive or: taking it out is adding it again."""
    return int.from_bytes(sha256(line).digest()[:8], "big")


def write_sums(sums: Iterable[int]) -> bytes:
    return _SUMS.pack(*sums)


def differing(sums: bytes, ours: Sequence[int]) -> bytes:
    """The numbers of the buckets whose sums differ from ours; all, where these are no sums."""
    if len(sums) != SUMS_SIZE:
        return bytes(range(BUCKETS))
    return bytes(number for number, theirs in enumerate(_SUMS.unpack(sums)) if theirs != ours[number])
