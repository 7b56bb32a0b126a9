"""What one peer packs another unpacks, every bound holds at the border, and no bytes raise anything."""

from collections.abc import Callable
from typing import get_args

import pytest
from google.protobuf.message import Message as ProtobufMessage
from hypothesis import given
from hypothesis import strategies as st
from moot.v1 import membership_pb2, moot_pb2, peer_pb2, signed_pb2

from coordinator.encoding import EncodingError
from coordinator.messages import (
    AGENDA_SIZE_MAX,
    AGENDAS_MAX,
    DIGESTS_MAX,
    ENTRIES_MAX,
    RECORDS_MAX,
    Agendas,
    Entries,
    LedgerEntry,
    Records,
    Status,
    Want,
)
from coordinator.signed import BODY_SIZE_MAX, Kind, NodeId, Signed
from node.identity import Keypair
from node.membership.digest import BUCKETS, LINE_SIZE, NAME_SIZE, SUMS_SIZE
from node.membership.messages import GOSSIP_MAX, SYNC_LINES_MAX, Gossip, Ping, SyncReply, SyncRequest
from node.signing import MootSigner, MootVerifier
from node.transport.rejections import Reason, Rejected
from node.transport.wire import (
    ENVELOPE_OVERHEAD,
    ENVELOPE_SIZE_MAX,
    MESSAGES_MAX,
    PAYLOAD_SIZE_MAX,
    Message,
    Opened,
    open_envelope,
    pack,
    pack_in_parts,
    seal,
    unpack,
)
from tests.node.transport.messages import DIGEST, EXAMPLES, NODE, NONCE, RECORD, messages

MOOT = b"m" * 32
SIGNER = MootSigner(Keypair.generate(), MOOT)
FIELDS = {type(getattr(peer_pb2.Message(), name)): name for name in peer_pb2.Message.DESCRIPTOR.fields_by_name}
"""The field of each kind of message."""


def signed(
    kind: signed_pb2.Kind = signed_pb2.KIND_MEMBER,
    author: bytes = NODE,
    body: bytes = b"",
    signature: bytes = b"s" * 64,
) -> signed_pb2.Signed:
    return signed_pb2.Signed(kind=kind, author=author, body=body, signature=signature)


SIGNED = signed()


def payload_of(message: ProtobufMessage) -> bytes:
    """A payload that `pack` would refuse to make."""
    whole = peer_pb2.Message()
    getattr(whole, FIELDS[type(message)]).MergeFrom(message)
    getattr(whole, FIELDS[type(message)]).SetInParent()
    return peer_pb2.Batch(messages=[whole]).SerializeToString()


def test_every_kind_has_an_example() -> None:
    """A new message must be on the wire and in these tests."""
    kinds = {kind for union in get_args(Message) for kind in (get_args(union) or (union,))}
    assert {type(message) for message in EXAMPLES} == kinds
    assert len(FIELDS) == len(kinds)


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_each_kind_arrives(message: Message) -> None:
    assert unpack(pack([message])) == (message,)


@given(st.lists(messages, min_size=1, max_size=5))
def test_any_batch_arrives(batch: list[Message]) -> None:
    """And it does not matter whether it was packed at once or piece by piece, which is how queues join."""
    assert unpack(pack(batch)) == tuple(batch)
    assert b"".join(pack([message]) for message in batch) == pack(batch)


@given(st.binary(max_size=300))
def test_any_bytes_are_opened_or_refused(data: bytes) -> None:
    """A peer must not be able to stop a node with an exception."""
    assert isinstance(open_envelope(data), Opened | Rejected)
    assert isinstance(unpack(data), tuple | Rejected)


@given(st.sampled_from(EXAMPLES), st.data())
def test_damaged_payloads_are_unpacked_or_refused(message: Message, data: st.DataObject) -> None:
    """Bytes that are nearly right reach further into the decoder than random ones."""
    payload = bytearray(pack([message, message]))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(payload)))
    for damaged in (bytes(payload), bytes(payload[:cut])):
        assert isinstance(unpack(damaged), tuple | Rejected)


REPEATED: list[tuple[Callable[[int], ProtobufMessage], int]] = [
    (lambda n: moot_pb2.Records(records=[SIGNED] * n), RECORDS_MAX),
    (lambda n: moot_pb2.Status(have=[DIGEST] * n), DIGESTS_MAX),
    (lambda n: moot_pb2.Want(digests=[DIGEST] * n), DIGESTS_MAX),
    (lambda n: moot_pb2.Agendas(agendas=[b""] * n), AGENDAS_MAX),
    (lambda n: moot_pb2.Agendas(agendas=[bytes(n)]), AGENDA_SIZE_MAX),
    (lambda n: moot_pb2.Entries(entries=[moot_pb2.LedgerEntry()] * n), ENTRIES_MAX),
    (lambda n: moot_pb2.Entries(entries=[moot_pb2.LedgerEntry(agenda=bytes(n))]), AGENDA_SIZE_MAX),
    (lambda n: moot_pb2.Entries(entries=[moot_pb2.LedgerEntry(statements=[SIGNED] * n)]), RECORDS_MAX),
    (lambda n: moot_pb2.Records(records=[signed(body=bytes(n))]), BODY_SIZE_MAX),
    (lambda n: membership_pb2.Ping(nonce=NONCE, prober=NODE, gossip=[SIGNED] * n), GOSSIP_MAX),
    (lambda n: membership_pb2.Ack(ack=SIGNED, gossip=[SIGNED] * n), GOSSIP_MAX),
    (lambda n: membership_pb2.PingReq(nonce=NONCE, target=NODE, gossip=[SIGNED] * n), GOSSIP_MAX),
    (lambda n: membership_pb2.Gossip(items=[SIGNED] * n), GOSSIP_MAX),
    (lambda n: membership_pb2.SyncRequest(own=SIGNED, lines=bytes(n)), SYNC_LINES_MAX * LINE_SIZE),
    (lambda n: membership_pb2.SyncRequest(own=SIGNED, buckets=bytes(i % 256 for i in range(n))), BUCKETS),
    (lambda n: membership_pb2.SyncReply(items=[SIGNED] * n), SYNC_LINES_MAX),
    (lambda n: membership_pb2.SyncReply(want=[NODE] * n), SYNC_LINES_MAX),
    (lambda n: membership_pb2.SyncReply(names=bytes(n)), SYNC_LINES_MAX * NAME_SIZE),
]


@pytest.mark.parametrize(("make", "most"), REPEATED)
def test_bounds(make: Callable[[int], ProtobufMessage], most: int) -> None:
    """As much as a message's module allows is taken, and one more is refused."""
    assert isinstance(unpack(payload_of(make(most))), tuple)
    refused = unpack(payload_of(make(most + 1)))
    assert isinstance(refused, Rejected)
    assert refused.reason is Reason.MALFORMED
    assert f"at most {most}" in refused.detail


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(moot_pb2.Records(records=[signed_pb2.Signed()]), id="an empty record"),
        pytest.param(moot_pb2.Records(records=[signed(signed_pb2.KIND_UNSPECIFIED)]), id="a record without a kind"),
        pytest.param(
            moot_pb2.Records(records=[signed(99)]),  # type: ignore[arg-type]
            id="a record of a kind from the future",
        ),
        pytest.param(moot_pb2.Records(records=[signed(author=NODE[:31])]), id="a short author"),
        pytest.param(moot_pb2.Records(records=[signed(signature=b"s" * 65)]), id="a long signature"),
        pytest.param(moot_pb2.Want(digests=[DIGEST, b""]), id="an empty digest"),
        pytest.param(moot_pb2.Status(have=[DIGEST + b"x"]), id="a long digest"),
        pytest.param(membership_pb2.Ping(nonce=NONCE + b"x", prober=NODE), id="a long nonce"),
        pytest.param(membership_pb2.Ping(nonce=NONCE), id="no prober"),
        pytest.param(membership_pb2.PingReq(nonce=NONCE), id="no target"),
        pytest.param(membership_pb2.Nack(), id="a nack of nobody"),
        pytest.param(membership_pb2.Ack(), id="an ack without its signed part"),
        pytest.param(membership_pb2.SyncRequest(), id="a sync request without the sender's record"),
        pytest.param(membership_pb2.SyncRequest(own=SIGNED, lines=bytes(LINE_SIZE + 1)), id="a broken line"),
        pytest.param(membership_pb2.SyncRequest(own=SIGNED, sums=bytes(SUMS_SIZE - 1)), id="too few sums"),
        pytest.param(
            membership_pb2.SyncRequest(own=SIGNED, sums=bytes(SUMS_SIZE), lines=bytes(LINE_SIZE)), id="sums and lines"
        ),
        pytest.param(membership_pb2.SyncRequest(own=SIGNED, buckets=b"aa"), id="one bucket twice"),
        pytest.param(membership_pb2.SyncReply(want=[b"x"]), id="a short node id"),
        pytest.param(membership_pb2.SyncReply(names=bytes(NAME_SIZE + 1)), id="a broken name"),
    ],
)
def test_what_no_core_may_see(message: ProtobufMessage) -> None:
    """Cores rely on these sizes; a shorter id would be another name for nobody."""
    refused = unpack(payload_of(message))
    assert isinstance(refused, Rejected)
    assert refused.reason is Reason.MALFORMED


def test_batches_are_bounded() -> None:
    whole = peer_pb2.Message(want=moot_pb2.Want())
    assert isinstance(unpack(peer_pb2.Batch(messages=[whole] * MESSAGES_MAX).SerializeToString()), tuple)
    for batch in ([whole] * (MESSAGES_MAX + 1), [], [peer_pb2.Message()]):
        assert isinstance(unpack(peer_pb2.Batch(messages=batch).SerializeToString()), Rejected)


def test_one_strange_message_refuses_the_batch() -> None:
    """A sender that breaks the rules is not heard in part: what it meant cannot be known."""
    strange = peer_pb2.Batch(messages=[peer_pb2.Message()]).SerializeToString()
    assert isinstance(unpack(pack(EXAMPLES) + strange), Rejected)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(Want((b"short",)), id="a digest's size"),
        pytest.param(Status(1, (DIGEST,) * (DIGESTS_MAX + 1)), id="too many"),
        pytest.param(Records((Signed(Kind.MEMBER, NODE, bytes(BODY_SIZE_MAX + 1), b"s" * 64),)), id="too large"),
    ],
)
def test_our_own_mistakes_do_not_leave(message: Message) -> None:
    """A peer would refuse the whole batch, and with it the messages of others."""
    with pytest.raises(EncodingError):
        pack([message])


@pytest.mark.parametrize("recipient", [NODE, None])
def test_an_envelope_carries_what_was_sealed(recipient: NodeId | None) -> None:
    opened = open_envelope(seal(SIGNER, MOOT, recipient, 2**64 - 1, 2**64 - 1, b"payload"))
    assert isinstance(opened, Opened)
    assert (opened.moot, opened.sender, opened.recipient) == (MOOT, SIGNER.node, recipient)
    assert (opened.epoch, opened.sequence, opened.payload) == (2**64 - 1, 2**64 - 1, b"payload")
    assert MootVerifier(MOOT).verify(opened.record())


@pytest.mark.parametrize("size", [PAYLOAD_SIZE_MAX, PAYLOAD_SIZE_MAX + 1])
def test_the_largest_payload_fits(size: int) -> None:
    """The envelope's own limit leaves room for its other fields; beyond the payload's limit it says so."""
    raw = peer_pb2.Envelope(
        moot=MOOT,
        sender=NODE,
        recipient=NODE,
        epoch=2**64 - 1,
        sequence=2**64 - 1,
        payload=bytes(size),
        signature=bytes(64),
    )
    data = raw.SerializeToString()
    assert len(data) - size <= ENVELOPE_OVERHEAD
    opened = open_envelope(data)
    if size == PAYLOAD_SIZE_MAX:
        assert isinstance(opened, Opened)
    else:
        assert isinstance(opened, Rejected)
        assert opened.reason is Reason.OVERSIZED
    assert open_envelope(bytes(ENVELOPE_SIZE_MAX + 1)) == Rejected(
        Reason.OVERSIZED, f"{ENVELOPE_SIZE_MAX + 1} bytes, at most {ENVELOPE_SIZE_MAX} allowed; send smaller batches"
    )


@pytest.mark.parametrize("field", ["moot", "sender", "recipient", "signature"])
def test_envelope_fields_have_one_size(field: str) -> None:
    raw = peer_pb2.Envelope(moot=MOOT, sender=NODE, recipient=NODE, payload=b"x", signature=bytes(64))
    assert isinstance(open_envelope(raw.SerializeToString()), Opened)
    setattr(raw, field, b"x")
    refused = open_envelope(raw.SerializeToString())
    assert isinstance(refused, Rejected)
    assert refused.reason is Reason.MALFORMED


def large(number: int) -> Signed:
    return Signed(Kind.STATEMENT, NODE, number.to_bytes(4, "big") + bytes(BODY_SIZE_MAX - 4), b"s" * 64)


def entry(number: int) -> LedgerEntry:
    return LedgerEntry(bytes([number]) * AGENDA_SIZE_MAX, (RECORD,))


LARGE = tuple(large(number) for number in range(200))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(Records(LARGE), id="records"),
        pytest.param(Agendas(tuple(bytes([n]) * AGENDA_SIZE_MAX for n in range(4))), id="agendas"),
        pytest.param(Entries(5, tuple(entry(n) for n in range(5))), id="entries"),
        pytest.param(Gossip(LARGE[:64]), id="gossip"),
        pytest.param(Ping(1, NONCE, NODE, LARGE[:64]), id="a ping with gossip"),
        pytest.param(SyncReply(LARGE, (NODE,), bytes(NAME_SIZE)), id="sync reply"),
    ],
)
def test_what_is_too_large_goes_in_parts(message: Message) -> None:
    """The parts say together exactly what the whole said."""
    parts = pack_in_parts(message)
    assert len(parts) > 1
    assert all(len(part) <= PAYLOAD_SIZE_MAX for part in parts)
    said: list[Message] = []
    for part in parts:
        unpacked = unpack(part)
        assert isinstance(unpacked, tuple)
        said.extend(unpacked)
    items = [item for part in said for item in _items(part)]
    assert items == _items(message)


def _items(message: Message) -> list[object]:
    match message:
        case Records(records):
            return list(records)
        case Agendas(agendas):
            return list(agendas)
        case Entries(slot, entries):
            return list(enumerate(entries, slot))
        case Gossip(items):
            return list(items)
        case Ping(probe, _, _, gossip):
            return [probe, *gossip]
        case SyncReply(items, want, names):
            return [*want, *([names] if names else []), *items]
        case _:
            raise AssertionError(message)


def test_what_cannot_be_split_has_no_parts() -> None:
    """One ledger entry larger than an envelope: nothing is sent, rather than something that means something else."""
    whole = Entries(1, (entry(1), LedgerEntry(b"", LARGE)))
    assert pack_in_parts(whole) == []


def test_small_messages_stay_whole() -> None:
    for message in EXAMPLES:
        assert pack_in_parts(message) == [pack([message])]
    everybody = SyncRequest(RECORD, bytes(SYNC_LINES_MAX * LINE_SIZE))
    assert len(pack_in_parts(everybody)) == 1, "the largest member list fits into one envelope"
