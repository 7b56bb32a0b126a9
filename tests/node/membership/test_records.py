"""Signed bodies: one layout, exact bytes, every bound held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.encoding import U32_MAX, U64_MAX, EncodingError
from coordinator.signed import NODE_ID_SIZE, SIGNATURE_SIZE
from node.membership.events import Status
from node.membership.messages import NONCE_SIZE
from node.membership.records import (
    ADDRESS_SIZE_MAX,
    META_SIZE_MAX,
    AckBody,
    MemberRecord,
    RecordError,
    Suspicion,
)

u64, u32 = st.integers(0, U64_MAX), st.integers(0, U32_MAX)
node = st.binary(max_size=NODE_ID_SIZE)
records = st.builds(
    MemberRecord,
    u64,
    u32,
    st.sampled_from([Status.ALIVE, Status.LEFT]),
    st.text("abc.:0123ä", min_size=1, max_size=100),
    st.binary(max_size=META_SIZE_MAX),
    u64,
    u32,
    st.integers(0, 3),
    st.integers(3, U32_MAX),
)
suspicions = st.builds(Suspicion, node, u64, u32, u64)
acks = st.builds(AckBody, node, st.binary(min_size=NONCE_SIZE, max_size=NONCE_SIZE), u64, u32)


@given(st.one_of(records, suspicions, acks))
def test_what_is_written_is_read(value: MemberRecord | Suspicion | AckBody) -> None:
    assert type(value).decode(value.encode()) == value


@given(st.sampled_from([MemberRecord, Suspicion, AckBody]), st.binary(max_size=60))
def test_garbage_is_an_encoding_error(kind: type[MemberRecord | Suspicion | AckBody], body: bytes) -> None:
    """A peer's bytes must never raise anything else: it would take the node down."""
    try:
        value = kind.decode(body)
    except EncodingError:
        return
    assert value.encode() == body, "only what is written in one way is accepted"


@given(st.one_of(records, suspicions, acks), st.integers(0, 100))
def test_cut_short_is_an_encoding_error(value: MemberRecord | Suspicion | AckBody, at: int) -> None:
    body = value.encode()
    with pytest.raises(EncodingError):
        type(value).decode(body[: at % len(body)])


def test_the_largest_record_is_below_a_kilobyte() -> None:
    """A full exchange of a thousand members is one message."""
    record = MemberRecord(U64_MAX, U32_MAX, Status.LEFT, "a" * ADDRESS_SIZE_MAX, bytes(META_SIZE_MAX), U64_MAX, U32_MAX)
    assert len(record.encode()) + NODE_ID_SIZE + SIGNATURE_SIZE < 1_024


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"address": ""}, "0 bytes"),
        ({"address": "ä" * 128}, "256 bytes"),
        ({"meta": bytes(513)}, "513 bytes"),
        ({"status": Status.DEAD}, "cannot say of itself that it is DEAD"),
        ({"incarnation": U32_MAX + 1}, "out of range"),
        ({"ttl_s": -1}, "out of range"),
        ({"protocol_min": 2, "protocol_max": 1}, "no version"),
    ],
)
def test_a_record_out_of_bounds_is_never_made(change: dict[str, object], complaint: str) -> None:
    fields: dict[str, object] = {"epoch": 1, "incarnation": 0, "status": Status.ALIVE, "address": "a:1", "meta": b""}
    with pytest.raises(RecordError, match=complaint):
        MemberRecord(**(fields | {"issued_ms": 0, "ttl_s": 0} | change))  # type: ignore[arg-type]
