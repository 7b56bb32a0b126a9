"""How many bytes a membership message takes on the wire: added up from its fields, without encoding it.

The sum is that of the protobuf encoding in a sealed envelope, field by field; a test holds it against the codec. Each
message counts as an envelope of its own, though a node puts those that wait for one peer into one. What TLS, HTTP/2
and TCP add is not counted.
"""

from collections.abc import Iterable
from functools import cache

from coordinator.signed import NODE_ID_SIZE, SIGNATURE_SIZE, Signed
from node.membership.messages import (
    NONCE_SIZE,
    Ack,
    Gossip,
    MembershipMessage,
    Nack,
    Ping,
    PingReq,
    SyncReply,
    SyncRequest,
)

_DIGEST_SIZE = 32


def envelope_size(message: MembershipMessage, sequence: int) -> int:
    """Bytes of the sealed envelope that carries this one message to a known peer."""
    return _envelope_size(message_size(message), _varint(sequence))


def message_size(message: MembershipMessage) -> int:
    """Bytes of the payload that holds this one message."""
    match message:
        case Ping():
            size = _number(message.probe) + _ID_AND_NONCE + _all(message.gossip)
        case Ack():
            size = _number(message.probe) + _all((message.ack,)) + _all(message.gossip)
        case PingReq():
            size = _number(message.probe) + _ID_AND_NONCE + _number(message.budget_ms) + _all(message.gossip)
        case Nack():
            size = _number(message.probe) + _ID
        case Gossip():
            size = _all(message.items)
        case SyncRequest():
            size = _all((message.own,)) + _bytes(message.lines) + _bytes(message.sums) + _bytes(message.buckets)
        case SyncReply():
            size = _all(message.items) + len(message.want) * _ID + _bytes(message.names)
    return _field(1 + _field(size))  # one of a batch's messages; the number of its kind is above 15 and takes two bytes


@cache
def _varint(value: int) -> int:
    """Bytes of a number: seven bits each."""
    return max(1, (value.bit_length() + 6) // 7)


@cache
def _number(value: int) -> int:
    """A numeric field; zero is not written."""
    return 1 + _varint(value) if value else 0


@cache
def _field(size: int) -> int:
    """A field of so many bytes: its tag, its length and they."""
    return 1 + _varint(size) + size


@cache
def _signed(body: int) -> int:
    """A signed record with a body of so many bytes, as a field of a message; its kind is a number below 128."""
    return _field(2 + _ID + _field(body) + _field(SIGNATURE_SIZE))


@cache
def _envelope_size(payload: int, sequence: int) -> int:
    """With the moot, two ids, the epoch in eight bytes, the sequence, the payload and the signature."""
    return _field(_DIGEST_SIZE) + 2 * _ID + 9 + 1 + sequence + _field(payload) + _field(SIGNATURE_SIZE)


def _bytes(value: bytes) -> int:
    """A field of bytes; none is not written."""
    return _field(len(value)) if value else 0


def _all(items: Iterable[Signed]) -> int:
    return sum([_signed(len(item.body)) for item in items])


_ID = _field(NODE_ID_SIZE)
_ID_AND_NONCE = _ID + _field(NONCE_SIZE)
