"""Envelopes and batches of messages as bytes, and back. Only this package's wire modules know the generated code.

What is signed is never encoded again to be checked: the envelope's signature covers the payload's bytes as they came,
and a record's covers its body's. Opening gives a value, whatever the bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from google.protobuf.message import DecodeError
from moot.v1 import peer_pb2 as pb

from coordinator.encoding import EncodingError, Writer
from coordinator.messages import Agendas, Entries, MootMessage, Records, Status, Want, WantEntries
from coordinator.signed import NODE_ID_SIZE, SIGNATURE_SIZE, Digest, Kind, NodeId, Signed, Signer
from node.membership.messages import Ack, Gossip, MembershipMessage, Nack, Ping, PingReq, SyncReply, SyncRequest
from node.transport import wire_membership, wire_moot
from node.transport.rejections import Reason, Rejected
from node.transport.wire_signed import DIGEST_SIZE, sized

Message: TypeAlias = MootMessage | MembershipMessage

SERVICE = pb.DESCRIPTOR.services_by_name["Peer"].full_name
METHOD = "Deliver"

PAYLOAD_SIZE_MAX = 1024 * 1024
ENVELOPE_OVERHEAD = 256
"""More than an envelope adds to its payload."""
ENVELOPE_SIZE_MAX = PAYLOAD_SIZE_MAX + ENVELOPE_OVERHEAD
MESSAGES_MAX = 1_024
"""In one envelope: the smallest message takes two bytes, and each costs its receiver more than that."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope whose parts have the right sizes. Nothing in it is believed before `record` was verified."""

    moot: Digest
    sender: NodeId
    recipient: NodeId | None
    """None: whoever listens at this address. Then the payload may hold only sync requests."""
    epoch: int
    sequence: int
    payload: bytes
    signature: bytes

    def record(self) -> Signed:
        """What a verifier checks: the signature over recipient, epoch, sequence and payload."""
        body = _envelope_body(self.recipient, self.epoch, self.sequence, self.payload)
        return Signed(Kind.ENVELOPE, self.sender, body, self.signature)


def seal(signer: Signer, moot: Digest, recipient: NodeId | None, epoch: int, sequence: int, payload: bytes) -> bytes:
    """Sign a payload for one recipient, or for whoever listens, and give the envelope's bytes."""
    assert len(payload) <= PAYLOAD_SIZE_MAX, f"a payload of {len(payload)} bytes"
    signed = signer.sign(Kind.ENVELOPE, _envelope_body(recipient, epoch, sequence, payload))
    return pb.Envelope(
        moot=moot,
        sender=signed.author,
        recipient=recipient or b"",
        epoch=epoch,
        sequence=sequence,
        payload=payload,
        signature=signed.signature,
    ).SerializeToString()


def open_envelope(data: bytes) -> Opened | Rejected:
    """Take an envelope apart. Neither its signature nor its payload is looked at."""
    if len(data) > ENVELOPE_SIZE_MAX:
        return Rejected(
            Reason.OVERSIZED, f"{len(data)} bytes, at most {ENVELOPE_SIZE_MAX} allowed; send smaller batches"
        )
    try:
        raw = pb.Envelope.FromString(data)
        moot, sender = sized(raw.moot, DIGEST_SIZE), sized(raw.sender, NODE_ID_SIZE)
        recipient = sized(raw.recipient, NODE_ID_SIZE) if raw.recipient else None
        signature = sized(raw.signature, SIGNATURE_SIZE)
    except (DecodeError, EncodingError) as error:
        return Rejected(Reason.MALFORMED, f"not an envelope: {error}")
    if len(raw.payload) > PAYLOAD_SIZE_MAX:
        return Rejected(Reason.OVERSIZED, f"a payload of {len(raw.payload)} bytes, at most {PAYLOAD_SIZE_MAX} allowed")
    return Opened(moot, sender, recipient, raw.epoch, raw.sequence, raw.payload, signature)


def pack(messages: Sequence[Message]) -> bytes:
    """Serialize messages as a payload. Payloads joined end to end are the payload of all their messages.

    Raises:
        EncodingError: a message breaks a bound of its module, which is the caller's mistake.
    """
    return pb.Batch(messages=[_to_pb(message) for message in messages]).SerializeToString()


def unpack(payload: bytes) -> tuple[Message, ...] | Rejected:
    """Read the messages of a payload, or say why the payload is refused as a whole."""
    try:
        raw = pb.Batch.FromString(payload).messages
        if not 0 < len(raw) <= MESSAGES_MAX:
            raise EncodingError(f"{len(raw)} messages, 1 to {MESSAGES_MAX} allowed")
        return tuple(_from_pb(message) for message in raw)
    except (DecodeError, EncodingError) as error:
        return Rejected(Reason.MALFORMED, f"not a batch of messages: {error}")


def pack_in_parts(message: Message) -> list[bytes]:
    """Serialize one message so that each part fits into an envelope: lists that are too long are halved.

    Returns:
        One payload or more; none where a single item is larger than an envelope.
    """
    payload = pack([message])
    if len(payload) <= PAYLOAD_SIZE_MAX:
        return [payload]
    halves = _halves(message)
    parts = [pack_in_parts(half) for half in halves]
    return [payload for part in parts for payload in part] if all(parts) else []


def _envelope_body(recipient: NodeId | None, epoch: int, sequence: int, payload: bytes) -> bytes:
    return Writer().blob(recipient or b"").u64(epoch).u64(sequence).blob(payload).done()


def _halves(message: Message) -> tuple[Message, ...]:
    """Two messages that say together what one says; none where it cannot be split."""
    match message:
        case Records(records) if len(records) > 1:
            half = len(records) // 2
            return Records(records[:half]), Records(records[half:])
        case Agendas(agendas) if len(agendas) > 1:
            half = len(agendas) // 2
            return Agendas(agendas[:half]), Agendas(agendas[half:])
        case Entries(slot, entries) if len(entries) > 1:
            half = len(entries) // 2
            return Entries(slot, entries[:half]), Entries(slot + half, entries[half:])
        case Gossip(items) if len(items) > 1:
            half = len(items) // 2
            return Gossip(items[:half]), Gossip(items[half:])
        case SyncReply(items, want, names) if len(items) > 1:
            half = len(items) // 2
            return SyncReply(items[:half], want, names), SyncReply(items[half:])
        case Ping() | PingReq() | Ack() if message.gossip:
            return replace(message, gossip=()), Gossip(message.gossip)
        case _:
            return ()


def _to_pb(message: Message) -> pb.Message:
    match message:
        case Records():
            return pb.Message(records=wire_moot.records_to_pb(message))
        case Status():
            return pb.Message(status=wire_moot.status_to_pb(message))
        case Want():
            return pb.Message(want=wire_moot.want_to_pb(message))
        case Agendas():
            return pb.Message(agendas=wire_moot.agendas_to_pb(message))
        case WantEntries():
            return pb.Message(want_entries=wire_moot.want_entries_to_pb(message))
        case Entries():
            return pb.Message(entries=wire_moot.entries_to_pb(message))
        case Ping():
            return pb.Message(ping=wire_membership.ping_to_pb(message))
        case Ack():
            return pb.Message(ack=wire_membership.ack_to_pb(message))
        case PingReq():
            return pb.Message(ping_req=wire_membership.ping_req_to_pb(message))
        case Nack():
            return pb.Message(nack=wire_membership.nack_to_pb(message))
        case Gossip():
            return pb.Message(gossip=wire_membership.gossip_to_pb(message))
        case SyncRequest():
            return pb.Message(sync_request=wire_membership.sync_request_to_pb(message))
        case SyncReply():
            return pb.Message(sync_reply=wire_membership.sync_reply_to_pb(message))
        case _:
            assert_never(message)


def _from_pb(raw: pb.Message) -> Message:
    match raw.WhichOneof("kind"):
        case "records":
            return wire_moot.records_from_pb(raw.records)
        case "status":
            return wire_moot.status_from_pb(raw.status)
        case "want":
            return wire_moot.want_from_pb(raw.want)
        case "agendas":
            return wire_moot.agendas_from_pb(raw.agendas)
        case "want_entries":
            return wire_moot.want_entries_from_pb(raw.want_entries)
        case "entries":
            return wire_moot.entries_from_pb(raw.entries)
        case "ping":
            return wire_membership.ping_from_pb(raw.ping)
        case "ack":
            return wire_membership.ack_from_pb(raw.ack)
        case "ping_req":
            return wire_membership.ping_req_from_pb(raw.ping_req)
        case "nack":
            return wire_membership.nack_from_pb(raw.nack)
        case "gossip":
            return wire_membership.gossip_from_pb(raw.gossip)
        case "sync_request":
            return wire_membership.sync_request_from_pb(raw.sync_request)
        case "sync_reply":
            return wire_membership.sync_reply_from_pb(raw.sync_reply)
        case _:
            raise EncodingError("a message of unknown kind")
