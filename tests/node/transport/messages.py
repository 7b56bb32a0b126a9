"""Any message that the modules allow, for property tests; and one of each kind."""

from typing import TypeVar

from hypothesis import strategies as st

from coordinator.encoding import U32_MAX, U64_MAX
from coordinator.messages import Agendas, Entries, LedgerEntry, Records, Status, Want, WantEntries
from coordinator.signed import Kind, Signed
from node.membership.digest import LINE_SIZE, NAME_SIZE, SUMS_SIZE
from node.membership.messages import Ack, Gossip, Nack, Ping, PingReq, SyncReply, SyncRequest
from node.transport.wire import Message

T = TypeVar("T")

NODE, NONCE, DIGEST = b"n" * 32, b"o" * 16, b"d" * 32
RECORD = Signed(Kind.MEMBER, NODE, b"body", b"s" * 64)

EXAMPLES: tuple[Message, ...] = (
    Records((RECORD,)),
    Status(7, (DIGEST,)),
    Want((DIGEST,)),
    Agendas((b"agenda",)),
    WantEntries(7),
    Entries(7, (LedgerEntry(b"agenda", (RECORD,)),)),
    Ping(1, NONCE, NODE, (RECORD,)),
    Ack(1, RECORD, (RECORD,)),
    PingReq(1, NONCE, NODE, 100, (RECORD,)),
    Nack(1, NODE),
    Gossip((RECORD,)),
    SyncRequest(RECORD, b"l" * LINE_SIZE, b"", b"b"),
    SyncReply((RECORD,), (NODE,), b"n" * NAME_SIZE),
)

_u64 = st.integers(0, U64_MAX)
_u32 = st.integers(0, U32_MAX)
_id = st.binary(min_size=32, max_size=32)
_nonce = st.binary(min_size=16, max_size=16)
_signed = st.builds(
    Signed,
    st.sampled_from([kind for kind in Kind if kind is not Kind.ENVELOPE]),
    _id,
    st.binary(max_size=200),
    st.binary(min_size=64, max_size=64),
)


def _few(values: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(values, max_size=3).map(tuple)


def _pieces(size: int) -> st.SearchStrategy[bytes]:
    return st.lists(st.binary(min_size=size, max_size=size), max_size=3).map(b"".join)


messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(Records, _few(_signed)),
    st.builds(Status, _u64, _few(_id)),
    st.builds(Want, _few(_id)),
    st.builds(Agendas, _few(st.binary(max_size=200))),
    st.builds(WantEntries, _u64),
    st.builds(Entries, _u64, _few(st.builds(LedgerEntry, st.binary(max_size=200), _few(_signed)))),
    st.builds(Ping, _u64, _nonce, _id, _few(_signed)),
    st.builds(Ack, _u64, _signed, _few(_signed)),
    st.builds(PingReq, _u64, _nonce, _id, _u32, _few(_signed)),
    st.builds(Nack, _u64, _id),
    st.builds(Gossip, _few(_signed)),
    st.builds(SyncRequest, _signed, _pieces(LINE_SIZE), st.just(b""), st.sets(st.integers(0, 255)).map(bytes)),
    st.builds(SyncRequest, _signed, st.just(b""), st.just(bytes(SUMS_SIZE))),
    st.builds(SyncReply, _few(_signed), _few(_id), _pieces(NAME_SIZE)),
)
