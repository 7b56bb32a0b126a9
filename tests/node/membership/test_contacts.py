"""Joining, full exchange, reconnecting, leaving, and what is kept for a restart."""

from itertools import pairwise

import pytest

from node.membership.digest import name_of, names_in
from node.membership.events import Leave, MemberChanged, RememberMembers, Send, SetMeta, Status
from node.membership.messages import Gossip, SyncReply, SyncRequest
from node.membership.records import MemberRecord
from tests.node.membership.solo import EPOCH, SELF, Solo, gossiped, notes, sends


def is_knock(effect: object) -> bool:
    return isinstance(effect, Send) and isinstance(effect.message, SyncRequest)


def knocks(effects: list[object]) -> list[str]:
    return [e.address for e in effects if isinstance(e, Send) and is_knock(e)]


def test_it_knocks_at_all_seeds_at_once_and_never_at_itself() -> None:
    """Any one answer suffices, so none is waited for."""
    solo = Solo(seeds=[(b"b", "b:1"), (None, "c:1"), (SELF, "other:1"), (None, "a:1"), (b"b", "b:1")])
    effects = solo.advance(0)
    assert sorted((e.to or b"", e.address) for e in effects if isinstance(e, Send)) == [(b"", "c:1"), (b"b", "b:1")]


def test_it_retries_for_ever_with_growing_pauses() -> None:
    """A node that starts before its seeds must not give up (memberlist issue 222)."""
    solo = Solo(seeds=[(b"b", "b:1")])
    times = [at for at, effect in solo.advance_timed(1_000_000) if is_knock(effect)]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert 800 <= pauses[0] <= 1_200
    assert max(pauses) <= 72_000
    assert len([at for at in times if at > 500_000]) >= 6


def test_after_an_answer_it_stops_joining_but_looks_one_hop_further() -> None:
    """Whoever answered first may know little; a second exchange with a random member soon follows."""
    solo = Solo(seeds=[(None, "b:1")])
    solo.answering = frozenset([b"b", b"c"])
    solo.advance(0)
    solo.receive(b"b", SyncReply((solo.record(b"b"), solo.record(b"c")), ()))
    solo.receive(b"b", Gossip(()))
    assert solo.status(b"c") is Status.ALIVE
    assert solo.view(b"b").verified
    assert not solo.view(b"c").verified, "we only have its record"
    addresses = knocks(list(solo.advance(1_500)))
    assert len(addresses) == 1
    assert addresses[0] in ("b:1", "c:1")


def test_a_newcomer_compares_lists_often_at_first() -> None:
    """A hundred that start together under loss hear of each other in seconds, not with the next exchange in minutes."""
    solo = Solo(seeds=[(b"b", "b:1")], sync_interval_ms=10**9)
    solo.answering = frozenset([b"b"])
    solo.meet(b"b")
    times = [at for at, effect in solo.advance_timed(300_000) if is_knock(effect)]
    assert times == [1_000, 3_000, 7_000, 15_000, 31_000, 63_000]


def test_a_seed_that_is_not_alive_is_sought_for_ever() -> None:
    """The only thing that joins the halves of a network that forgot each other."""
    solo = Solo(seeds=[(b"b", "b:1"), (None, "c:1")], sync_interval_ms=10**9)
    solo.answering = frozenset([b"c"])
    solo.meet(b"c")
    solo.hear(b"b", solo.record(b"b", 1, Status.LEFT))
    solo.advance(100_000)
    later = [(at, e) for at, e in solo.advance_timed(600_000) if is_knock(e)]
    assert {e.address for _, e in later if isinstance(e, Send)} == {"b:1"}, "c is alive and needs no knock"
    assert len(later) >= 8


def test_the_dead_are_told_and_asked() -> None:
    """A wrongly dead member learns of it, with the accusations that it must refute."""
    solo = Solo(sync_interval_ms=10**9)
    solo.meet(b"b")
    solo.advance_until(lambda e: e == MemberChanged(b"b", Status.SUSPECT, Status.DEAD))
    effects = solo.advance(solo.now_ms + 31_000)
    told = gossiped(effects, b"b")
    assert [item.kind.value for item in told] == ["member", "suspicion"]
    assert any(map(is_knock, effects))


def test_the_dead_are_sought_even_after_their_tombstones() -> None:
    solo = Solo(tombstone_s=1_000, record_ttl_s=400, sync_interval_ms=10**9, probe_interval_ms=10_000)
    solo.meet(b"b")
    solo.advance_until(lambda e: e == MemberChanged(b"b", Status.SUSPECT, Status.DEAD), 600_000)
    solo.advance(solo.now_ms + 1_100_000)
    assert solo.status(b"b") is None
    assert "b:1" in knocks(list(solo.advance(solo.now_ms + 200_000)))


def test_a_tombstone_keeps_old_records_out() -> None:
    """Nobody comes back from the dead by an old record, and after the tombstone the record has expired."""
    solo = Solo(tombstone_s=1_000, record_ttl_s=400, clock_skew_ms=1_000)
    solo.answering = frozenset([b"c"])
    solo.meet(b"b", b"c")
    old = solo.record(b"b")
    solo.hear(b"b", solo.record(b"b", 1, Status.LEFT))
    for _ in range(110):
        solo.advance(solo.now_ms + 10_000)
        solo.hear(b"c", old)
        assert solo.status(b"b") in (Status.LEFT, None)
    assert solo.status(b"b") is None


def test_remembered_members_are_knocked_at_not_believed() -> None:
    """A snapshot says where others were, not that they live."""
    before = Solo()
    snapshot = [before.record(b"b"), before.record(b"c")]
    solo = Solo(remembered=snapshot, admit=lambda node: node != b"c")
    assert knocks(list(solo.advance(0))) == ["b:1"]
    assert [view.node for view in solo.core.members()] == [SELF]


def test_it_remembers_whom_it_heard() -> None:
    solo = Solo()
    solo.answering = frozenset([b"b"])
    solo.meet(b"b")
    solo.hear(b"b", solo.record(b"c"))  # only told of
    effects = solo.advance(31_000)
    snapshots = [[r.author for r in e.records] for e in effects if isinstance(e, RememberMembers)]
    assert snapshots == [[b"b"]]
    assert not [e for e in solo.advance(90_000) if isinstance(e, RememberMembers)], "nothing new to remember"


@pytest.mark.parametrize(
    ("entry", "items", "want"),
    [
        pytest.param(None, ["b/member", "b/suspicion"], [], id="unknown there: record and accusation"),
        pytest.param((0, 0, 0), ["b/member", "b/suspicion"], [], id="older there"),
        pytest.param((0, 1, 0), ["b/suspicion"], [], id="they missed the accusation"),
        pytest.param((0, 1, 1), [], [], id="equal: nothing to say"),
        pytest.param((0, 1, 2), [], [b"b"], id="they know worse: we want to see why"),
        pytest.param((0, 2, 0), [], [b"b"], id="newer there"),
        pytest.param(
            (1, 0, 0), ["b/member", "b/suspicion"], [b"b"], id="another epoch there: both show what they have"
        ),
    ],
)
def test_exchange_of_one_member(entry: tuple[int, int, int] | None, items: list[str], want: list[bytes]) -> None:
    """Each side gets what it lacks and nothing else. `b` is suspect at incarnation 1 here."""
    solo = Solo()
    solo.meet(b"c", b"d")
    solo.hear(b"b", solo.record(b"b", 1))
    solo.hear(b"d", solo.suspicion(b"d", b"b", 1))
    lines = solo.line(SELF) + solo.line(b"d")
    if entry is not None:
        lines += solo.line(b"b", entry[1], entry[2], epoch=EPOCH + entry[0])
    replies = sends(solo.receive(b"c", SyncRequest(solo.record(b"c"), lines)), b"c")
    reply = next((message for message in replies if isinstance(message, SyncReply)), SyncReply(()))
    subject = {b"d": "b", b"b": "b"}
    assert [f"{subject[item.author]}/{item.kind.value}" for item in reply.items] == items
    assert names_in(reply.names) == [name_of(node) for node in want]


def test_what_the_other_wants_is_sent() -> None:
    solo = Solo()
    solo.meet(b"b", b"c")
    effects = solo.receive(b"b", SyncReply((), (b"c", SELF, b"unknown")))
    answer = next(m for m in sends(effects, b"b") if isinstance(m, SyncReply))
    assert [item.author for item in answer.items] == [b"c", SELF]


def test_full_answers_are_spaced() -> None:
    """An answer is much larger than a request: repeating requests must not multiply traffic."""
    solo = Solo()
    solo.meet(b"b", b"c")
    request = SyncRequest(solo.record(b"b"))

    def answered() -> bool:
        return any(isinstance(m, SyncReply) for m in sends(solo.receive(b"b", request), b"b"))

    assert answered()
    assert not answered()
    solo.advance(solo.settings.sync_spacing_ms)
    assert answered()


def test_a_request_must_carry_its_senders_own_record() -> None:
    solo = Solo()
    solo.meet(b"b", b"c")
    assert sends(solo.receive(b"b", SyncRequest(solo.record(b"c"))), b"b") == []


def test_an_answer_fits_its_limit() -> None:
    solo = Solo(sync_bytes_max=2_048)
    names = [b"m%02d" % count for count in range(40)]
    solo.meet(b"b", *names)
    solo.prove(b"b")
    replies = sends(solo.receive(b"b", SyncRequest(solo.record(b"b"))), b"b")
    reply = next(m for m in replies if isinstance(m, SyncReply))
    assert 10 < len(reply.items) < 40
    assert sum(len(item.body) + len(item.signature) for item in reply.items) <= 2_048


def test_a_long_queue_of_news_is_told_once() -> None:
    """A hundred and more items that wait are a sign of trouble that a person should see, but not with every step."""
    solo = Solo(gossip_interval_ms=1_900)
    names = [b"m%03d" % count for count in range(130)]
    effects = [effect for name in names for effect in solo.meet(name)]
    assert notes(effects).count("gossip.queue_long") == 1
    assert "gossip.queue_long" not in notes([e for name in names[:100] for e in Solo().meet(name)])


def test_leaving_is_told_to_all_and_then_done() -> None:
    solo = Solo()
    solo.meet(b"b", b"c")
    effects = solo.step(Leave())
    for node in (b"b", b"c"):
        goodbye = MemberRecord.decode(gossiped(effects, node)[0].body)
        assert (goodbye.status, goodbye.key) == (Status.LEFT, (EPOCH, 1))
    effects = solo.advance(60_000)
    assert notes(effects).count("leave.done") == 1
    assert solo.now_ms >= 60_000
    assert solo.core.next_deadline_ms() is None
    assert solo.step(Leave()) == []
    assert solo.view(SELF).status is Status.LEFT


def test_leaving_alone_is_done_at_once() -> None:
    assert "leave.done" in notes(Solo().step(Leave()))


def test_new_metadata_reaches_the_others_at_once() -> None:
    solo = Solo()
    solo.meet(b"b")
    effects = solo.step(SetMeta(b"new"))
    record = MemberRecord.decode(gossiped(effects, b"b")[0].body)
    assert (record.meta, record.key) == (b"new", (EPOCH, 1))
    assert solo.view(SELF).meta == b"new"


def test_others_metadata_is_announced_above() -> None:
    """The shell learns addresses and keys from records, so it must hear of every new one."""
    solo = Solo()
    solo.meet(b"b")
    effects = solo.hear(b"b", solo.record(b"b", 1, meta=b"new"))
    assert MemberChanged(b"b", Status.ALIVE, Status.ALIVE) in effects
    assert MemberChanged(b"b", Status.ALIVE, Status.ALIVE) not in solo.hear(b"b", solo.record(b"b", 2, meta=b"new"))


def test_its_record_is_issued_anew_before_it_expires() -> None:
    solo = Solo(probe_interval_ms=100_000, snapshot_interval_ms=10**9, sync_interval_ms=10**9)
    solo.advance(1_000 * solo.settings.record_ttl_s // 4)
    assert solo.view(SELF).incarnation == 1


def test_who_is_no_longer_admitted_is_forgotten() -> None:
    admitted = {SELF, b"b", b"c"}
    solo = Solo(admit=lambda node: node in admitted)
    solo.answering = frozenset([b"b", b"c"])
    solo.meet(b"b", b"c")
    admitted.remove(b"c")
    solo.advance(31_000)
    assert solo.status(b"c") is None
    assert solo.core.address_of(b"c") is None
    assert solo.core.address_of(b"b") == "b:1"
    assert solo.core.address_of(SELF) == "a:1"
