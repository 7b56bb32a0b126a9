"""Signed records on the wire, and the bounds that all messages share. Bytes stay exactly as they were signed."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from moot.v1 import signed_pb2 as pb

from coordinator.encoding import EncodingError
from coordinator.signed import BODY_SIZE_MAX, NODE_ID_SIZE, SIGNATURE_SIZE, Kind, Signed

T = TypeVar("T")

DIGEST_SIZE = 32

_KINDS = {
    Kind.QUESTION: pb.KIND_QUESTION,
    Kind.PROPOSAL: pb.KIND_PROPOSAL,
    Kind.PREFERENCE: pb.KIND_PREFERENCE,
    Kind.STATEMENT: pb.KIND_STATEMENT,
    Kind.MEMBER: pb.KIND_MEMBER,
    Kind.SUSPICION: pb.KIND_SUSPICION,
    Kind.ACK: pb.KIND_ACK,
    Kind.REVOCATION: pb.KIND_REVOCATION,
    Kind.CHANGE: pb.KIND_CHANGE,
    Kind.APPROVAL: pb.KIND_APPROVAL,
}
"""An envelope is no record and has no number here."""
_KINDS_BY_NUMBER = {number: kind for kind, number in _KINDS.items()}


def signed_to_pb(record: Signed) -> pb.Signed:
    return pb.Signed(
        kind=_KINDS[record.kind],
        author=sized(record.author, NODE_ID_SIZE),
        body=limited(record.body, BODY_SIZE_MAX),
        signature=sized(record.signature, SIGNATURE_SIZE),
    )


def signed_from_pb(raw: pb.Signed) -> Signed:
    kind = _KINDS_BY_NUMBER.get(raw.kind)
    if kind is None:
        raise EncodingError(f"a record of unknown kind {raw.kind}")
    body = limited(raw.body, BODY_SIZE_MAX)
    return Signed(kind, sized(raw.author, NODE_ID_SIZE), body, sized(raw.signature, SIGNATURE_SIZE))


def many_to_pb(records: Sequence[Signed], count_max: int) -> list[pb.Signed]:
    return [signed_to_pb(record) for record in counted(records, count_max)]


def many_from_pb(raw: Sequence[pb.Signed], count_max: int) -> tuple[Signed, ...]:
    return tuple(signed_from_pb(record) for record in counted(raw, count_max))


def sized(value: bytes, size: int) -> bytes:
    """Give back bytes that must have one size.

    Raises:
        EncodingError: they have another.
    """
    if len(value) != size:
        raise EncodingError(f"a field of {len(value)} bytes where {size} are due")
    return value


def all_sized(values: Iterable[bytes], size: int) -> tuple[bytes, ...]:
    return tuple(sized(value, size) for value in values)


def limited(value: bytes, size_max: int) -> bytes:
    """Give back bytes that must not be too many.

    Raises:
        EncodingError: they are.
    """
    if len(value) > size_max:
        raise EncodingError(f"a field of {len(value)} bytes, at most {size_max} allowed")
    return value


def counted(values: Sequence[T], count_max: int) -> Sequence[T]:
    """Give back a list that must not be too long.

    Raises:
        EncodingError: it is.
    """
    if len(values) > count_max:
        raise EncodingError(f"a list of {len(values)}, at most {count_max} allowed")
    return values
