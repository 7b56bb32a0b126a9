"""Lists of revoked keys: whose counts, which is the newer, how they spread, and that nobody revoked is heard again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.effects import Note
from coordinator.encoding import U64_MAX, EncodingError
from coordinator.signed import BODY_SIZE_MAX, NODE_ID_SIZE, Kind, NodeId, Signed
from node.membership.digest import NAME_SIZE, Line, lines_in
from node.membership.events import Effect, MemberForgotten, RememberMembers, Revoke, Status
from node.membership.messages import Gossip, Ping, SyncReply, SyncRequest
from node.membership.revocations import REASON_SIZE_MAX, REVOKED_MAX, RevocationList
from tests.node.membership.solo import SELF, Solo, gossiped, notes, sends

OPERATOR = b"operator"
lists = st.builds(
    lambda sequence, reasons: RevocationList(sequence, tuple(sorted(reasons.items()))),
    st.integers(0, U64_MAX),
    st.dictionaries(st.binary(max_size=NODE_ID_SIZE), st.text("abcä ", max_size=20), max_size=5),
)


def revoking(solo: Solo, sequence: int, *nodes: NodeId, by: NodeId = OPERATOR) -> Signed:
    body = RevocationList(sequence, tuple((node, "key stolen") for node in sorted(nodes))).encode()
    return solo.verifier.signer(by).sign(Kind.REVOCATION, body)


def heeding(*nodes: NodeId) -> Solo:
    solo = Solo(is_heeded=lambda author: author == OPERATOR)
    solo.answering = frozenset(nodes)
    solo.meet(*nodes)
    return solo


def forgotten(effects: list[Effect]) -> list[NodeId]:
    return [effect.node for effect in effects if isinstance(effect, MemberForgotten)]


def test_the_revoked_is_out_at_once() -> None:
    """A stolen key must not speak for another second, whatever connections it has."""
    solo = heeding(b"b", b"c", b"d")
    effects = solo.hear(b"c", revoking(solo, 1, b"b"))
    assert forgotten(effects) == [b"b"]
    assert solo.core.is_revoked(b"b")
    assert not solo.core.is_revoked(b"c")
    assert solo.core.address_of(b"b") is None
    assert solo.core.reachable() == {SELF, b"c", b"d"}
    for by in (b"b", b"c"):
        solo.hear(by, solo.record(b"b", 5))
        assert solo.status(b"b") is None
    assert sends(solo.receive(b"b", Ping(1, bytes(16), b"b"))) == []
    solo.hear(b"d", solo.suspicion(b"b", b"c"))
    assert solo.status(b"c") is Status.ALIVE, "it accuses nobody any more"


@pytest.mark.parametrize(
    ("by", "named", "counts"),
    [
        pytest.param(OPERATOR, b"b", True, id="whom we heed"),
        pytest.param(b"b", b"b", True, id="its own key: whoever holds it may give it up"),
        pytest.param(b"c", b"b", False, id="another member"),
        pytest.param(b"x", b"b", False, id="a stranger"),
    ],
)
def test_whose_list_counts(by: NodeId, named: NodeId, counts: bool) -> None:
    """Nobody has power over another's key that each node did not give by its own settings."""
    solo = heeding(b"b", b"c")
    effects = solo.hear(b"c", revoking(solo, 1, named, by=by))
    assert solo.core.is_revoked(named) is counts
    assert ("revocations.refused" in notes(effects)) is not counts
    assert solo.status(b"b") is (None if counts else Status.ALIVE)


def test_one_may_not_revoke_others_along_with_itself() -> None:
    solo = heeding(b"b", b"c")
    solo.hear(b"c", revoking(solo, 1, b"b", b"c", by=b"c"))
    assert not solo.core.is_revoked(b"b")
    assert not solo.core.is_revoked(b"c")


def test_a_forged_list_is_none() -> None:
    solo = heeding(b"b", b"c")
    true = revoking(solo, 1, b"b")
    solo.hear(b"c", Signed(true.kind, true.author, true.body, b"forged"))
    assert not solo.core.is_revoked(b"b")


@pytest.mark.parametrize(
    ("second", "revoked", "said"),
    [
        pytest.param((2, b"c"), {b"c"}, None, id="the newer replaces the older, and may pardon"),
        pytest.param((1, b"c"), {b"b"}, "conflicting", id="of two with one number the first stays"),
        pytest.param((0, b"c"), {b"b"}, None, id="an older one says nothing"),
        pytest.param((1, b"b"), {b"b"}, None, id="the same again"),
    ],
)
def test_order(second: tuple[int, bytes], revoked: set[bytes], said: str | None) -> None:
    """Replaying an old list must not bring a stolen key back."""
    solo = heeding(b"b", b"c", b"d")
    solo.hear(b"d", revoking(solo, 1, b"b"))
    effects = solo.hear(b"d", revoking(solo, *second))
    assert {node for node in (b"b", b"c") if solo.core.is_revoked(node)} == revoked
    refused = [dict(e.fields)["reason"] for e in effects if isinstance(e, Note) and e.event == "revocations.refused"]
    assert refused == ([said] if said else [])


def test_who_has_an_older_list_gets_ours() -> None:
    solo = heeding(b"b", b"c", b"d")
    newer = revoking(solo, 2, b"b")
    solo.hear(b"d", newer)
    solo.advance(solo.now_ms + 10_000)
    assert newer in gossiped(solo.hear(b"c", revoking(solo, 1, b"b")), b"c")


def test_it_spreads_at_once_and_is_kept() -> None:
    """By gossip to the live, and over a restart."""
    solo = heeding(b"b", b"c", b"d")
    item = revoking(solo, 1, b"b")
    effects = solo.step(Revoke(item))
    assert item in gossiped(effects, b"c")
    assert item in gossiped(effects, b"d")
    kept = [effect.records for effect in effects if isinstance(effect, RememberMembers)]
    assert [item in records for records in kept] == [True]
    again = Solo(is_heeded=lambda author: author == OPERATOR, remembered=kept[0])
    assert again.core.is_revoked(b"b")
    assert "key.revoked" in notes(again.advance(100))
    assert not Solo(remembered=kept[0]).core.is_revoked(b"b"), "a node that no longer heeds its author forgets it"


def test_full_exchange_brings_it_to_who_was_away() -> None:
    """Gossip ends after some seconds; whoever was away must still hear of a stolen key."""
    solo = heeding(b"b", b"c", b"d")
    item = revoking(solo, 2**32 + 7, b"b")
    solo.hear(b"d", item)
    solo.advance(solo.now_ms + 20_000)
    [line] = [line for line in lines_in(solo.core._exchange.request().lines) if line.check not in known_checks(solo)]
    assert (line.epoch_low, line.incarnation) == (1, 7)
    [reply] = replies(solo.receive(b"c", SyncRequest(solo.record(b"c"))))
    assert item in reply.items
    solo.now_ms += 10_000
    older = Line(line.name, 1, 6, 0, b"oldr").encode()
    [reply] = replies(solo.receive(b"c", SyncRequest(solo.record(b"c"), older)))
    assert item in reply.items
    solo.now_ms += 10_000
    newer = Line(line.name, 1, 8, 0, b"newr").encode()
    [reply] = replies(solo.receive(b"c", SyncRequest(solo.record(b"c"), newer)))
    assert item not in reply.items
    assert reply.names == line.name
    assert len(line.name) == NAME_SIZE
    answers = replies(solo.receive(b"c", SyncReply((), (), line.name)))
    assert [answer.items for answer in answers] == [(item,)]


def replies(effects: list[Effect]) -> list[SyncReply]:
    return [message for message in sends(effects, b"c") if isinstance(message, SyncReply) and message.items]


def known_checks(solo: Solo) -> set[bytes]:
    members = [next(lines_in(member.line)).check for member in solo.core._local.members]
    return {*members, next(lines_in(solo.line(SELF))).check}


def test_a_list_in_force_is_not_carried_twice() -> None:
    solo = heeding(b"b", b"c", b"d")
    item = revoking(solo, 1, b"b")
    solo.hear(b"c", item)
    solo.advance(solo.now_ms + 20_000)
    effects = solo.hear(b"c", item) + solo.advance(solo.now_ms + 2_000)
    assert not [m for m in sends(effects) if isinstance(m, Gossip) and item in m.items]


@given(lists)
def test_what_is_written_is_read(value: RevocationList) -> None:
    assert RevocationList.decode(value.encode()) == value


@given(st.binary(max_size=80))
def test_garbage_is_an_encoding_error(body: bytes) -> None:
    try:
        value = RevocationList.decode(body)
    except EncodingError:
        return
    assert value.encode() == body


def test_the_longest_list_fits_in_one_record() -> None:
    nodes = sorted(bytes([count]) * NODE_ID_SIZE for count in range(REVOKED_MAX))
    longest = RevocationList(U64_MAX, tuple((node, "r" * REASON_SIZE_MAX) for node in nodes))
    assert len(longest.encode()) <= BODY_SIZE_MAX


@pytest.mark.parametrize(
    "reasons",
    [
        ((b"b", ""), (b"a", "")),
        ((b"a", ""), (b"a", "")),
        ((b"a", "r" * (REASON_SIZE_MAX + 1)),),
        tuple((b"%04d" % count, "") for count in range(REVOKED_MAX + 1)),
    ],
    ids=["unsorted", "twice", "a long reason", "too many"],
)
def test_bad_lists_are_never_made(reasons: tuple[tuple[NodeId, str], ...]) -> None:
    with pytest.raises(ValueError, match=r"keys|reason"):
        RevocationList(0, reasons)
