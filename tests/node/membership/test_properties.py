"""What holds whatever peers send: keys only grow, only the owner clears a member, nothing grows without bound."""

from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.signed import Kind, Signed
from node.membership.beliefs import HELD_MAX
from node.membership.digest import Line, name_of
from node.membership.events import Event, Leave, Received, Send, SendFailed, SetMeta, Status, Tick
from node.membership.intake import SEEN_MAX
from node.membership.local import SPACED_MAX
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
from node.membership.probing import RECENT_MAX
from node.membership.records import MemberRecord
from node.membership.relaying import RELAYED_MAX
from tests.node.membership.solo import EPOCH, SELF, Solo

NODES = [SELF, b"b", b"c", b"d", b"x"]
node = st.sampled_from(NODES)
peer = st.sampled_from(NODES[1:])
incarnation = st.integers(0, 3)
epoch = st.sampled_from([EPOCH - 1, EPOCH, EPOCH, EPOCH, EPOCH + 1])


@st.composite
def items(draw: st.DrawFn) -> Signed:
    solo = Solo()
    author = draw(node)
    if author != SELF and draw(st.booleans()):
        status = draw(st.sampled_from([Status.ALIVE, Status.ALIVE, Status.LEFT]))
        meta = draw(st.sampled_from([b"", b"m"]))
        item = solo.record(author, draw(incarnation), status, epoch=draw(epoch), meta=meta)
    else:
        item = solo.suspicion(draw(peer), draw(node), draw(incarnation), epoch=draw(epoch))
    if draw(st.integers(0, 7)) == 0:
        return Signed(item.kind, draw(node), item.body, item.signature)  # signed by another
    return item


news = st.lists(items(), max_size=4).map(tuple)
nonce = st.sampled_from([b"n" * 16, b"", b"x" * 17])
number = st.integers(0, 40)
lines = st.builds(
    lambda name, at, number, rank, check: Line(name_of(name), at % 2**32, number, rank, check).encode(),
    node,
    epoch,
    incarnation,
    st.integers(0, 255),
    st.sampled_from([b"chek", bytes(4)]),
)


@st.composite
def messages(draw: st.DrawFn) -> MembershipMessage:
    solo = Solo()
    ack = solo.ack(draw(peer), draw(node), b"n" * 16, draw(incarnation), epoch=draw(epoch))
    message: MembershipMessage = draw(
        st.one_of(
            st.builds(Gossip, news),
            st.builds(Ping, number, nonce, node, news),
            st.builds(Ack, number, st.just(ack), news),
            st.builds(PingReq, number, nonce, node, st.integers(0, 2**32 - 1), news),
            st.builds(Nack, number, node),
            st.builds(SyncRequest, items(), st.lists(lines, max_size=4).map(b"".join)),
            st.builds(SyncRequest, items(), st.just(b""), st.sampled_from([bytes(2_048), bytes(3)])),
            st.builds(SyncReply, news, st.lists(node, max_size=4).map(tuple), st.binary(max_size=20)),
        )
    )
    return message


events = st.one_of(
    st.builds(Received, node, messages()),
    st.builds(Received, node, messages()),
    st.builds(Received, node, messages()),
    st.builds(Tick, st.sampled_from([0, 0, 200, 10_000])),
    st.builds(SendFailed, peer, st.just("b:1"), local=st.booleans()),
    st.builds(SetMeta, st.binary(max_size=4)),
)


def said_by_owners(solo: Solo, event: Event) -> set[tuple[bytes, tuple[int, int]]]:
    """(node, key) of every well signed record that an event carried."""
    if not isinstance(event, Received):
        return set()
    match event.message:
        case Gossip(items=carried) | SyncReply(items=carried):
            pass
        case Ping(gossip=carried) | Ack(gossip=carried) | PingReq(gossip=carried):
            pass
        case SyncRequest(own=own):
            carried = (own,)
        case Nack():
            carried = ()
    good = [item for item in carried if item.kind is Kind.MEMBER and solo.verifier.verify(item)]
    return {(item.author, MemberRecord.decode(item.body).key) for item in good}


@settings(max_examples=100)
@given(st.lists(st.tuples(events, st.sampled_from([0, 1, 100, 1_000, 6_000])), max_size=25), st.booleans())
def test_whatever_comes(script: list[tuple[Event, int]], leaves: bool) -> None:
    """Total: every event in every state; and no forger, liar or replay moves what only the owner may move."""
    solo = Solo()
    solo.meet(b"b", b"c", b"d")
    said = {(name, (EPOCH, 0)) for name in (b"b", b"c", b"d")}
    if leaves:
        script.insert(len(script) // 2, (Leave(), 50))
    for event, wait_ms in script:
        before = {view.node: view for view in solo.core.members()}
        effects = solo.advance(solo.now_ms + wait_ms)
        effects += solo.step(event)
        said |= said_by_owners(solo, event)
        for view in solo.core.members():
            old = before.get(view.node)
            if view.node == SELF:
                continue
            key = view.epoch, view.incarnation
            assert (view.node, key) in said, "every stored key was signed by its owner"
            if old is None:
                continue
            old_key = old.epoch, old.incarnation
            assert key >= old_key, "a stored key never decreases"
            cleared = old.status is not Status.ALIVE and view.status is Status.ALIVE
            assert not cleared or key > old_key, "only a newer record of its owner clears a member"
        for effect in effects:
            assert not isinstance(effect, Send) or (effect.to != SELF and effect.address != "a:1")
        due_ms = solo.core.next_deadline_ms()
        assert due_ms is None or due_ms > solo.now_ms


def test_floods_fill_nothing() -> None:
    """Every table has a limit, whatever one admitted member sends."""
    solo = Solo(queue_max=64, members_max=300)
    solo.meet(b"b", b"c")
    state, beliefs, probing = solo.core._local, solo.core._beliefs, solo.core._probing
    for count in range(4_500):
        name = b"m%d" % count
        forged = Signed(Kind.MEMBER, name, b"body %d" % count, b"forged")
        solo.receive(b"b", Gossip((solo.suspicion(b"b", name, count), forged)))
        solo.receive(b"b", Gossip((solo.record(name), solo.suspicion(b"b", b"c", 7))))
        solo.receive(b"b", PingReq(count, b"n" * 16, b"c", 2**32 - 1))
        solo.receive(b"b", SyncReply((), (b"c", name)))
        if count % 1_000 == 0:
            solo.advance(solo.now_ms + 50)
    assert len(solo.core._relaying) > 0
    solo.advance(solo.now_ms + 30_000)
    assert len(state.queue) <= 64
    assert len(state.members) <= 300
    assert len(state.corrections._last_ms) <= SPACED_MAX
    assert len(beliefs._held) <= HELD_MAX
    assert len(beliefs.intake._seen) <= SEEN_MAX
    assert len(solo.core._relaying) <= RELAYED_MAX
    assert len(probing._recent) <= RECENT_MAX
    assert len(probing._walk) <= 300
    assert state.out == []


def test_forgeries_are_not_remembered() -> None:
    """The memory of checked items holds only good ones, so that a flood of bad ones cannot push them out."""
    solo = Solo()
    for count in range(100):
        solo.hear(b"b", Signed(Kind.MEMBER, b"b", b"%d" % count, b"forged"))
    assert solo.core._beliefs.intake._seen == {}
