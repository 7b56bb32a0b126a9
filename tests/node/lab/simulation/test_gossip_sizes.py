"""Bytes that are added up are the bytes that the codec writes."""

from hashlib import sha512

from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.signed import Kind, Signed
from node.lab.simulation.gossip.sizes import envelope_size, message_size
from node.membership.messages import (
    Ack,
    Gossip,
    MembershipMessage,
    Nack,
    Ping,
    PingReq,
    SyncReply,
    SyncRequest,
)
from node.transport.wire import pack, seal

IDS = st.binary(min_size=32, max_size=32)
NUMBERS = st.integers(0, 2**40)
SIGNED = st.builds(
    Signed,
    st.sampled_from([Kind.MEMBER, Kind.SUSPICION, Kind.ACK]),
    IDS,
    st.binary(min_size=1, max_size=900),
    st.binary(min_size=64, max_size=64),
)
ITEMS = st.lists(SIGNED, max_size=5).map(tuple)
NONCES = st.binary(min_size=16, max_size=16)
MESSAGES = st.one_of(
    st.builds(Ping, NUMBERS, NONCES, IDS, ITEMS),
    st.builds(Ack, NUMBERS, SIGNED, ITEMS),
    st.builds(PingReq, NUMBERS, NONCES, IDS, st.integers(0, 2**31), ITEMS),
    st.builds(Nack, NUMBERS, IDS),
    st.builds(Gossip, ITEMS),
    st.builds(SyncReply, ITEMS, st.lists(IDS, max_size=5).map(tuple), st.binary(max_size=4).map(lambda some: some * 8)),
    st.builds(SyncRequest, SIGNED, st.just(b""), st.just(bytes(2_048))),
    st.builds(
        SyncRequest,
        SIGNED,
        st.integers(0, 200).map(lambda lines: bytes(21 * lines)),
        st.just(b""),
        st.integers(0, 200).map(lambda buckets: bytes(range(buckets))),
    ),
)


class AnySigner:
    """Signatures of the right size."""

    node = bytes(range(32))

    def sign(self, kind: Kind, body: bytes) -> Signed:
        return Signed(kind, self.node, body, sha512(body).digest())


@settings(max_examples=50)
@given(MESSAGES)
def test_a_message_is_as_long_as_the_codec_makes_it(message: MembershipMessage) -> None:
    """If this fails, every figure of bytes per second is wrong."""
    assert message_size(message) == len(pack([message]))


@settings(max_examples=50)
@given(MESSAGES, st.integers(1, 2**20))
def test_an_envelope_is_as_long_as_the_codec_makes_it(message: MembershipMessage, sequence: int) -> None:
    """The envelope is more than half of a ping."""
    sealed = seal(AnySigner(), bytes(32), bytes(32), 1_750_000_000_000, sequence, pack([message]))
    assert envelope_size(message, sequence) == len(sealed)
