"""Full exchange of large lists: sums first, then the lists of the buckets that differ, then what each side lacks."""

import random
from collections.abc import Sequence

import pytest

from coordinator.signed import NodeId, Signed
from node.membership.core import Membership
from node.membership.digest import LINE_SIZE, LISTED_MAX, SUMS_SIZE, line_of, lines_in, name_of
from node.membership.events import Effect, Received, Send, Status
from node.membership.gossip import size_of
from node.membership.members import Known
from node.membership.messages import Ack, MembershipMessage, Ping, SyncReply, SyncRequest
from node.membership.own import first_record
from tests.node.membership.solo import EPOCH, SELF, WALL_MS, Solo, sends

PEER = b"b"


def node_id(index: int) -> NodeId:
    return b"n%04d" % index


def records(solo: Solo, count: int) -> list[Signed]:
    return [solo.record(node_id(index)) for index in range(count)]


def large(count: int, *extra: Signed) -> Solo:
    """`a` knows `b`, `count` others and those of extra records, and all have proved their addresses."""
    solo = Solo()
    own = first_record(solo.verifier.signer(SELF), solo.settings, epoch=EPOCH, address="a:1", meta=b"", wall_ms=WALL_MS)
    return Solo(known=Known([own, solo.record(PEER), *records(solo, count), *extra]))


def syncs(effects: list[Effect]) -> list[MembershipMessage]:
    return [message for message in sends(effects, PEER) if isinstance(message, SyncRequest | SyncReply)]


def sums_of(solo: Solo) -> bytes:
    return solo.core._exchange.request().sums


def from_peer(solo: Solo, **digest: bytes) -> SyncRequest:
    return SyncRequest(solo.record(PEER), **digest)


def test_a_small_group_is_listed_and_a_large_one_summed_up() -> None:
    """At ten thousand members lists would be 210 KB every time, though nearly always equal."""
    small, big = Solo(), large(300)
    small.meet(*(node_id(index) for index in range(LISTED_MAX - 1)))
    request = small.core._exchange.request()
    assert (len(request.lines), request.sums) == (LINE_SIZE * LISTED_MAX, b"")
    request = big.core._exchange.request()
    assert (request.lines, len(request.sums)) == (b"", SUMS_SIZE)
    assert len(request.sums) <= LINE_SIZE * (LISTED_MAX + 2), "the lists are never much longer than the sums"


def test_equal_lists_need_no_answer() -> None:
    solo = large(300)
    assert syncs(solo.receive(PEER, from_peer(solo, sums=sums_of(solo)))) == []


def test_sums_do_not_depend_on_the_way_there() -> None:
    """Two nodes that hold the same true say the same, however they came to it."""
    one, other = large(200), large(199, Solo().record(node_id(199)))
    assert sums_of(one) == sums_of(other)
    for solo in (one, other):
        solo.hear(node_id(3), solo.record(node_id(3), 1))
        solo.hear(node_id(4), solo.suspicion(node_id(4), node_id(5)))
    assert sums_of(one) == sums_of(other) != sums_of(large(200))


@pytest.mark.parametrize(
    "difference",
    [
        pytest.param(lambda solo: solo.record(node_id(7), 1), id="a newer record"),
        pytest.param(lambda solo: solo.record(node_id(7), 1, Status.LEFT), id="a goodbye"),
        pytest.param(lambda solo: solo.suspicion(node_id(9), node_id(7)), id="a suspicion"),
    ],
)
def test_only_what_differs_is_listed(difference: object) -> None:
    """`a` knows something that `b` missed: it asks back with that member's bucket, whole, and with no other."""
    solo = large(600)
    before = sums_of(solo)
    assert callable(difference)
    solo.hear(node_id(9), difference(solo))
    [ask] = syncs(solo.receive(PEER, from_peer(solo, sums=before)))
    assert isinstance(ask, SyncRequest)
    assert ask.buckets == name_of(node_id(7))[:1]
    named = {line.name for line in lines_in(ask.lines)}
    everyone = [SELF, PEER, *(node_id(index) for index in range(600))]
    assert named == {name_of(node) for node in everyone if name_of(node)[:1] == ask.buckets}


def test_the_asked_shows_what_the_list_lacks_and_nothing_of_other_buckets() -> None:
    solo = large(600)
    solo.hear(node_id(9), solo.record(node_id(7), 1), solo.record(node_id(8), 1))
    bucket = name_of(node_id(7))[:1]
    same = [node_id(i) for i in range(600) if i != 7 and name_of(node_id(i))[:1] == bucket]
    unknown = next(b"u%d" % i for i in range(10**6) if name_of(b"u%d" % i)[:1] == bucket)
    lines = b"".join(solo.line(node) for node in (*same, node_id(7), unknown))
    [reply] = syncs(solo.receive(PEER, from_peer(solo, lines=lines, buckets=bucket)))
    assert isinstance(reply, SyncReply)
    assert [item.author for item in reply.items] == [node_id(7)]
    assert reply.names == name_of(unknown)


def test_two_records_of_one_key_meet() -> None:
    """Whoever holds one and whoever holds the other show them to each other: only both together are the proof."""
    solo = large(20)
    line = next(lines_in(solo.line(node_id(3))))
    other = line_of(node_id(3), EPOCH, 0, 0, solo.record(node_id(3), meta=b"another").body)
    assert (line.name, line.incarnation) == (other.name, other.incarnation)
    lines = b"".join(solo.line(node) for node in (SELF, *map(node_id, (0, 1, 2, *range(4, 20))))) + other.encode()
    [reply] = syncs(solo.receive(PEER, from_peer(solo, lines=lines)))
    assert isinstance(reply, SyncReply)
    assert [item.author for item in reply.items] == [node_id(3)]
    assert reply.names == line.name


def test_what_is_wanted_by_name_is_sent() -> None:
    solo = large(300)
    effects = solo.receive(PEER, SyncReply((), (), name_of(node_id(3)) + name_of(b"nobody") + name_of(SELF)))
    items = [item for message in sends(effects, PEER) if isinstance(message, SyncReply) for item in message.items]
    assert [item.author for item in items] == [SELF, node_id(3)]


def answer_of(solo: Solo, request: SyncRequest) -> tuple[list[Effect], int]:
    effects = solo.receive(PEER, request)
    replies = [message for message in syncs(effects) if isinstance(message, SyncReply)]
    return effects, sum(size_of(item) for reply in replies for item in reply.items)


def test_a_stranger_gets_little_until_it_has_proved_its_address() -> None:
    """Or a member that gives another's address as its own has everybody send it megabytes."""
    solo = Solo()
    solo.meet(PEER, *(node_id(index) for index in range(60)))
    request = from_peer(solo)
    effects, size = answer_of(solo, request)
    assert 0 < size <= max(3 * size_of(request.own), 1_500)
    [ping] = [message for message in sends(effects, PEER) if isinstance(message, Ping)]
    effects = solo.receive(PEER, Ack(ping.probe, solo.ack(PEER, SELF, ping.nonce)))
    [rest] = syncs(effects)
    assert isinstance(rest, SyncRequest), "it lists what it has, and the other asks for what it lacks"
    solo.advance(solo.settings.sync_spacing_ms)
    assert answer_of(solo, request)[1] > 5_000


def talk(new: Solo, big: Membership, message: MembershipMessage) -> None:
    """Hand a message of `b` to `a`, and to `b` what `a` answers, until both are silent."""
    for answer in sends(new.receive(PEER, message), PEER):
        for further in sends(big.step(Received(SELF, answer), new.now_ms), SELF):
            talk(new, big, further)


def test_who_comes_to_a_large_group_hears_of_all_within_seconds() -> None:
    """One answer holds a part of ten thousand; minutes until the next regular exchange would be too long."""
    new, count = Solo(seeds=[(PEER, "b:1")], sync_bytes_max=64 * 1_024), 1_500
    big = Membership(
        signer=new.verifier.signer(PEER),
        verifier=new.verifier,
        settings=new.settings,
        rng=random.Random(1),
        epoch=EPOCH,
        address="b:1",
        meta=b"",
        admit=lambda node: True,
        seeds=(),
        remembered=(),
        wall_offset_ms=WALL_MS,
        now_ms=0,
        known=Known(records(new, count)),
    )
    new.answering = frozenset(node_id(index) for index in range(count))
    inbox = new.advance(0)
    while new.core.count(Status.ALIVE) < count + 1:
        for message in [effect.message for effect in inbox if isinstance(effect, Send)]:
            if isinstance(message, SyncRequest | SyncReply | Ack):  # one stands for all, since all know the same
                for answer in sends(big.step(Received(SELF, message), new.now_ms), SELF):
                    talk(new, big, answer)
        inbox = new.advance(new.now_ms + 50)
        assert new.now_ms < 20_000, new.core.count(Status.ALIVE)
    assert len(new.core._local.queue) <= 300, "what others know anyhow is not all passed on again"


def test_all_answers_of_a_second_are_bounded() -> None:
    """Members that come back all at once must not have one node send gigabytes."""
    solo = Solo(sync_bytes_per_s=15_000)
    names = [node_id(index) for index in range(80)]
    solo.meet(*names)
    solo.prove(*names)

    def said(asker: NodeId) -> int:
        replies: Sequence[MembershipMessage] = sends(solo.receive(asker, SyncRequest(solo.record(asker))), asker)
        return sum(size_of(item) for reply in replies if isinstance(reply, SyncReply) for item in reply.items)

    first = [said(asker) for asker in names[:10]]
    assert first[0] > 7_000
    assert sum(first) <= 15_000
    solo.now_ms += 1_000
    assert said(names[20]) > 7_000
