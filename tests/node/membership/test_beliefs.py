"""The state table: what each kind of news does to a member in each status, and what is answered to its sender."""

from collections.abc import Callable

import pytest

from coordinator.effects import Note
from coordinator.signed import Kind, Signed
from node.membership.events import ClockSet, MemberChanged, Status, Tick
from node.membership.messages import Gossip, PingReq, SyncReply
from node.membership.records import MemberRecord, RecordError
from node.membership.suspicion import suspicion_ms_min
from tests.node.membership.solo import EPOCH, SELF, WALL_MS, Solo, gossiped, notes, sends

ALIVE, SUSPECT, DEAD, LEFT = Status


def solo_with(status: Status) -> Solo:
    """`b` at incarnation 1 in this status (LEFT at 2), `c`, `d` and `e` alive; nothing was corrected lately."""
    solo = Solo()
    solo.answering = frozenset([b"c", b"d", b"e"])
    solo.meet(b"c", b"d", b"e")
    solo.hear(b"b", solo.record(b"b", 1))
    match status:
        case Status.SUSPECT:
            solo.hear(b"c", solo.suspicion(b"c", b"b", 1))
        case Status.DEAD:
            solo.hear(b"c", solo.suspicion(b"c", b"b", 1))
            solo.advance_until(lambda effect: effect == MemberChanged(b"b", SUSPECT, DEAD))
        case Status.LEFT:
            solo.hear(b"b", solo.record(b"b", 2, LEFT))
    assert solo.status(b"b") is status
    return solo


def alive(incarnation: int) -> Callable[[Solo], Signed]:
    return lambda solo: solo.record(b"b", incarnation)


def left(incarnation: int) -> Callable[[Solo], Signed]:
    return lambda solo: solo.record(b"b", incarnation, LEFT)


def suspicion(incarnation: int, by: bytes = b"d") -> Callable[[Solo], Signed]:
    return lambda solo: solo.suspicion(by, b"b", incarnation)


@pytest.mark.parametrize(
    ("before", "news", "after"),
    [
        pytest.param(ALIVE, alive(2), ALIVE, id="a newer record keeps it alive"),
        pytest.param(SUSPECT, alive(2), ALIVE, id="a newer record refutes"),
        pytest.param(DEAD, alive(2), ALIVE, id="a newer record brings back the dead: it was only unreachable"),
        pytest.param(LEFT, alive(3), ALIVE, id="a newer record brings back the left"),
        pytest.param(SUSPECT, alive(1), SUSPECT, id="the accused record itself refutes nothing"),
        pytest.param(DEAD, alive(1), DEAD, id="the record it died with does not bring it back"),
        pytest.param(LEFT, alive(1), LEFT, id="an older record does not bring back the left"),
        pytest.param(LEFT, alive(2), LEFT, id="a record of the goodbye's incarnation does not either"),
        pytest.param(ALIVE, alive(0), ALIVE, id="an older record says nothing"),
        pytest.param(ALIVE, left(2), LEFT, id="goodbye"),
        pytest.param(ALIVE, left(1), LEFT, id="goodbye outranks life at the same incarnation"),
        pytest.param(SUSPECT, left(2), LEFT, id="a suspect may leave"),
        pytest.param(DEAD, left(2), LEFT, id="its owner's word outdoes our own verdict"),
        pytest.param(ALIVE, left(0), ALIVE, id="an old goodbye is void"),
        pytest.param(ALIVE, suspicion(1), SUSPECT, id="an accusation of this incarnation starts a suspicion"),
        pytest.param(ALIVE, suspicion(0), ALIVE, id="an accusation of an older incarnation was refuted"),
        pytest.param(ALIVE, suspicion(9), ALIVE, id="nobody but the owner can raise an incarnation"),
        pytest.param(DEAD, suspicion(1), DEAD, id="the dead cannot be suspected"),
        pytest.param(LEFT, suspicion(2), LEFT, id="the left cannot be suspected"),
        pytest.param(ALIVE, suspicion(1, by=b"x"), ALIVE, id="a stranger's accusation does not count"),
    ],
)
def test_news_about_a_member(before: Status, news: Callable[[Solo], Signed], after: Status) -> None:
    """A wrong row lets a forger kill or raise a member."""
    solo = solo_with(before)
    key = solo.view(b"b").epoch, solo.view(b"b").incarnation
    effects = solo.hear(b"e", news(solo))
    assert solo.status(b"b") is after
    assert (solo.view(b"b").epoch, solo.view(b"b").incarnation) >= key
    changed = [effect for effect in effects if isinstance(effect, MemberChanged)]
    assert changed == ([MemberChanged(b"b", before, after)] if before is not after else [])


@pytest.mark.parametrize(
    ("before", "news", "kinds"),
    [
        pytest.param(SUSPECT, alive(1), ["record", "accusation"], id="who missed the suspicion is told of it"),
        pytest.param(SUSPECT, alive(0), ["record", "accusation"], id="also with an even older record"),
        pytest.param(DEAD, alive(1), ["record", "accusation", "accusation"], id="who missed the death is told of it"),
        pytest.param(LEFT, alive(1), ["record"], id="who missed the goodbye is told of it"),
        pytest.param(ALIVE, suspicion(0), ["record"], id="who accuses an old incarnation gets the new record"),
        pytest.param(DEAD, suspicion(0), ["record"], id="also of the dead"),
        pytest.param(ALIVE, alive(0), [], id="an old record of the living is not worth an answer"),
        pytest.param(ALIVE, alive(2), [], id="news needs no correction"),
    ],
)
def test_stale_news_is_corrected(before: Status, news: Callable[[Solo], Signed], kinds: list[str]) -> None:
    """Without it a restarted member stays dead to some for ever (memberlist issue 311). At most once a second."""
    solo = solo_with(before)
    effects = solo.hear(b"e", news(solo))
    answers = [m.items for m in sends(effects, b"e") if isinstance(m, Gossip) and m.items[0].author == b"b"]
    names = {Kind.MEMBER: "record", Kind.SUSPICION: "accusation"}
    assert [[names[item.kind] for item in items] for items in answers] == ([kinds] if kinds else [])
    if kinds:
        assert sends(solo.hear(b"e", news(solo)), b"e") == []


def test_a_dead_member_is_declared_only_by_our_own_countdown() -> None:
    """Every known member accuses, thrice: still the suspect gets the shortest suspicion to refute."""
    solo = solo_with(ALIVE)
    for _ in range(3):
        solo.hear(b"e", *(solo.suspicion(by, b"b", 1) for by in (b"c", b"d", b"e")))
        assert solo.status(b"b") is SUSPECT
    shortest_ms = suspicion_ms_min(solo.settings, 5)
    start_ms = solo.now_ms
    effects = solo.advance_until(lambda effect: effect == MemberChanged(b"b", SUSPECT, DEAD))
    assert solo.now_ms == start_ms + shortest_ms
    accusers = {item.author for item in gossiped(effects) if item.kind is Kind.SUSPICION}
    assert accusers == {SELF, b"c", b"d", b"e"}, "the death notice carries who accused, and us"


@pytest.mark.parametrize("lag_ms", [1_000, 30_000])
def test_a_stall_of_ours_does_not_count_against_a_suspect(lag_ms: int) -> None:
    """Its refutation may lie unread: after the stall it still has at least what was left of its time."""
    solo = solo_with(SUSPECT)
    for accuser in (b"d", b"e"):
        solo.hear(accuser, solo.suspicion(accuser, b"b", 1))
    shortest_ms = suspicion_ms_min(solo.settings, 5)
    solo.advance(shortest_ms - 500)
    solo.receive(b"c", PingReq(1, bytes(16), b"d", 100))
    due_ms = solo.core.next_deadline_ms()
    assert due_ms == shortest_ms - 400, "a nack is due before the suspicion ends"
    solo.now_ms = due_ms + lag_ms
    solo.step(Tick(0))
    left_ms = shortest_ms - due_ms if lag_ms < shortest_ms else shortest_ms
    solo.advance(solo.now_ms + left_ms - 1)
    assert solo.status(b"b") is SUSPECT
    solo.advance(solo.now_ms + 1)
    assert solo.status(b"b") is DEAD


def test_one_accuser_repeating_itself_confirms_nothing() -> None:
    """A lone liar gets no shorter suspicion however often it accuses."""
    solo = solo_with(ALIVE)
    solo.answering |= {b"b"}
    for _ in range(5):
        solo.hear(b"c", solo.suspicion(b"c", b"b", 1))
        solo.now_ms += 1
    solo.answering -= {b"b"}
    longest_ms = solo.settings.suspicion_max_factor * suspicion_ms_min(solo.settings, 5)
    solo.advance(solo.now_ms + longest_ms - 10)
    assert solo.status(b"b") is SUSPECT


def test_an_accusation_of_an_unknown_incarnation_waits_for_the_owner() -> None:
    """News may overtake each other; but only the owner's record makes an accusation of it count."""
    solo = solo_with(ALIVE)
    effects = solo.hear(b"e", solo.suspicion(b"d", b"b", 5))
    assert sends(effects, b"e") == [SyncReply((), (b"b",))], "it asks whoever brought the accusation for the record"
    solo.hear(b"e", solo.record(b"b", 5))
    assert solo.status(b"b") is SUSPECT


def test_an_accusation_without_its_record_is_dropped() -> None:
    """Otherwise forged accusations pile up and strike when the owner gets there."""
    solo = solo_with(ALIVE)
    solo.answering |= {b"b"}
    solo.hear(b"e", solo.suspicion(b"d", b"b", 5))
    solo.advance(solo.now_ms + solo.settings.hold_ms)
    solo.hear(b"b", solo.record(b"b", 5))
    assert solo.status(b"b") is ALIVE


def test_a_held_accusation_is_void_once_a_newer_record_comes() -> None:
    solo = solo_with(ALIVE)
    solo.hear(b"e", solo.suspicion(b"d", b"b", 5))
    solo.hear(b"b", solo.record(b"b", 6))
    assert solo.status(b"b") is ALIVE


def test_equivocation_is_kept_as_evidence_and_the_first_record_stays() -> None:
    """Two records of one incarnation: honest peers may hold either, so the key must never be reused unnoticed."""
    solo = solo_with(ALIVE)
    effects = solo.hear(b"e", solo.record(b"b", 1, meta=b"another"))
    assert "member.equivocated" in notes(effects)
    assert solo.core.equivocation(b"b") == (solo.record(b"b", 1), solo.record(b"b", 1, meta=b"another"))
    assert solo.core.equivocation(b"c") is None
    assert solo.view(b"b").meta == b""
    assert "member.equivocated" not in notes(solo.hear(b"d", solo.record(b"b", 1, meta=b"a third"))), "once is enough"


def test_it_refutes_by_raising_its_incarnation() -> None:
    """A live node that does not refute is dead to everyone."""
    solo = solo_with(ALIVE)
    effects = solo.hear(b"c", solo.suspicion(b"c", SELF))
    assert solo.view(SELF).incarnation == 1
    refutation = gossiped(effects, b"c")[0]
    assert refutation.author == SELF
    assert MemberRecord.decode(refutation.body).key == (EPOCH, 1)
    told = {node for node in (b"b", b"c", b"d", b"e") if refutation in gossiped(effects, node)}
    assert told == {b"b", b"c", b"d", b"e"}, "a small group is told at once"


def test_one_refutation_in_a_gossip_interval() -> None:
    """Otherwise a few accusers make a node flood the network with records of itself."""
    solo = solo_with(ALIVE)
    for incarnation in range(10):
        solo.hear(b"c", solo.suspicion(b"c", SELF, incarnation))
    assert solo.view(SELF).incarnation == 1
    solo.advance(solo.now_ms + solo.settings.gossip_interval_ms)
    assert solo.view(SELF).incarnation == 2


def test_an_accusation_of_an_incarnation_it_never_had_moves_nothing() -> None:
    """Forged accusations must not burn incarnations: 2^32 of them would be the end of an epoch."""
    solo = solo_with(ALIVE)
    effects = solo.hear(b"c", solo.suspicion(b"c", SELF, 2**32 - 1))
    assert solo.view(SELF).incarnation == 0
    assert "accusation.unknown" in notes(effects)


def test_a_clone_silences_it() -> None:
    """Two processes with one key would contradict each other; the older one gives way and says so."""
    solo = solo_with(ALIVE)
    effects = solo.hear(b"c", solo.record(SELF, epoch=EPOCH + 1))
    assert "clone.running" in notes(effects)
    assert solo.core.next_deadline_ms() is None
    assert solo.meet(b"f") == []


def test_its_own_record_of_an_earlier_run_is_corrected() -> None:
    solo = solo_with(ALIVE)
    effects = solo.hear(b"c", solo.record(SELF, epoch=EPOCH - 1))
    assert [item.author for item in gossiped(effects, b"c") if item.author == SELF] == [SELF]
    assert solo.core.next_deadline_ms() is not None


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        pytest.param(lambda s: s.record(b"x", epoch=EPOCH + 400_000), "from_the_future", id="far epoch"),
        pytest.param(lambda s: s.record(b"x", issued_ms=EPOCH + 400_000), "from_the_future", id="far date"),
        pytest.param(lambda s: s.record(b"x", issued_ms=EPOCH - 4_000_000), "expired", id="past its lifetime"),
        pytest.param(
            lambda s: s.record(b"x", issued_ms=EPOCH - 87_000_000, ttl_s=2**32 - 1), "expired", id="a lifetime too long"
        ),
        pytest.param(
            lambda s: Signed(s.record(b"x").kind, b"x", s.record(b"x").body, b"forged"), "bad_signature", id="forged"
        ),
        pytest.param(
            lambda s: s.verifier.signer(b"x").sign(s.record(b"x").kind, s.record(b"x").body + b"."),
            "malformed",
            id="left over bytes",
        ),
        pytest.param(lambda s: s.ack(b"x", SELF, bytes(16)), "wrong_kind", id="an ack is no news"),
    ],
)
def test_bad_items_are_rejected(forge: Callable[[Solo], Signed], reason: str) -> None:
    solo = solo_with(ALIVE)
    effects = solo.hear(b"c", forge(solo))
    rejected = [e for e in effects if isinstance(e, Note) and e.event == "item.rejected"]
    assert [dict(note.fields)["reason"] for note in rejected] == [reason]
    assert solo.status(b"x") is None


def test_only_who_is_admitted_counts() -> None:
    """The roster says who may be a member: not as sender, not as subject, not as accuser."""
    solo = Solo(admit=lambda node: node in (SELF, b"b", b"c"))
    solo.meet(b"b", b"c")
    assert "message.refused" in notes(solo.meet(b"x"))
    effects = solo.hear(b"b", solo.record(b"x"), solo.suspicion(b"x", b"c"), solo.suspicion(b"b", b"x"))
    assert not [m for m in sends(effects) if isinstance(m, SyncReply)], "nobody is asked for a stranger's record"
    assert {view.node for view in solo.core.members()} == {SELF, b"b", b"c"}
    assert solo.status(b"c") is ALIVE


def test_nothing_after_a_forged_item_is_read() -> None:
    """Honest peers check before they pass on: one forgery costs us one signature check, not sixty-four."""
    solo = solo_with(ALIVE)
    forged = [Signed(solo.record(b"x").kind, b"x", bytes([count]), b"forged") for count in range(50)]
    before = solo.verifier.checked
    solo.receive(b"c", Gossip(tuple(forged)))
    assert solo.verifier.checked == before + 1


def test_the_same_item_is_checked_once() -> None:
    """Gossip brings each item many times; a signature costs a hundred microseconds."""
    solo = solo_with(ALIVE)
    item = solo.record(b"f")
    solo.hear(b"c", item)
    before = solo.verifier.checked
    for sender in (b"c", b"d", b"e"):
        solo.hear(sender, item)
    assert solo.verifier.checked == before


def test_metadata_too_large_is_refused_when_it_is_set() -> None:
    """Not when it is sent: then it would take the process down (memberlist pull request 218)."""
    with pytest.raises(RecordError, match="at most 512"):
        Solo(meta=bytes(513))


def test_a_clock_that_is_set_right_lets_the_others_in() -> None:
    """A machine that starts before its clock is set would refuse everybody until it is started again."""
    solo = solo_with(ALIVE)
    ahead = solo.record(b"x", epoch=EPOCH + 400_000, issued_ms=EPOCH + 400_000)
    solo.hear(b"c", ahead)
    assert solo.status(b"x") is None
    solo.step(ClockSet(WALL_MS + 400_000))
    solo.hear(b"c", ahead)
    assert solo.status(b"x") is Status.ALIVE
