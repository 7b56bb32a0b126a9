"""How members behave and what follows: crying wolf, coming and going, bringing forgeries."""

import pytest

from coordinator.effects import Note
from coordinator.signed import Kind, NodeId, Signed
from node.membership.accusers import ACCUSERS_MAX, SILENCED_MS, Accusers
from node.membership.events import Effect, MemberChanged, Status
from node.membership.flaps import FLAPPING_MAX, Flaps
from node.membership.graylist import DECAY_MS, OFFENDERS_MAX, Graylist
from node.membership.messages import Ack, Ping, SyncReply, SyncRequest
from node.membership.suspicion import suspicion_ms_min
from tests.node.membership.solo import SELF, Solo, notes, sends
from tests.node.membership.test_probing import probing

NONCE = b"n" * 16


def named(effects: list[Effect], event: str) -> list[object]:
    return [value for e in effects if isinstance(e, Note) and e.event == event for _, value in e.fields]


@pytest.mark.parametrize(
    ("outcomes", "silenced"),
    [
        pytest.param("rrrr", False, id="four are too few to judge"),
        pytest.param("rrrrr", True, id="five of five refuted"),
        pytest.param("uurrr", True, id="three of five refuted"),
        pytest.param("uuurr", False, id="two of five refuted"),
        pytest.param("uuurrr", False, id="half is not most"),
        pytest.param("uuurrrr", True, id="four of seven are"),
    ],
)
def test_who_is_refuted_most_of_the_time_loses_weight(outcomes: str, silenced: bool) -> None:
    accusers = Accusers()
    losses = [accusers.judge(b"b", 1_000, refuted=outcome == "r") for outcome in outcomes]
    assert losses == [False] * (len(outcomes) - 1) + [silenced]
    assert accusers.has_weight(b"b", 1_000) is not silenced
    assert accusers.has_weight(b"c", 1_000), "others are not judged by it"
    assert accusers.has_weight(b"b", 1_000 + SILENCED_MS), "ten minutes later it is heard again"


def test_accusers_are_bounded() -> None:
    accusers = Accusers()
    for count in range(ACCUSERS_MAX + 10):
        accusers.judge(b"%d" % count, 0, refuted=True)
    assert len(accusers._by_node) == ACCUSERS_MAX


def cried_wolf(times: int) -> tuple[Solo, list[Effect]]:
    """`c` has accused `b` so often, and `b` refuted each time."""
    solo = Solo()
    solo.answering = frozenset([b"b", b"c", b"d", b"e"])
    solo.meet(b"b", b"c", b"d", b"e")
    effects: list[Effect] = []
    for incarnation in range(times):
        solo.hear(b"c", solo.suspicion(b"c", b"b", incarnation))
        assert solo.status(b"b") is Status.SUSPECT
        effects += solo.hear(b"b", solo.record(b"b", incarnation + 1))
    return solo, effects


@pytest.mark.parametrize(("times", "factor"), [(4, 2), (5, 6)])
def test_a_liar_hastens_no_death(times: int, factor: int) -> None:
    """Two accusers shorten a suspicion of six minimal times to about two; one that cried wolf does not count."""
    solo, effects = cried_wolf(times)
    assert named(effects, "accuser.silenced") == [b"c"] * (times == 5)
    solo.answering = frozenset([b"c", b"d", b"e"])
    solo.hear(b"d", solo.suspicion(b"d", b"b", times))
    began_ms = solo.now_ms
    solo.hear(b"c", solo.suspicion(b"c", b"b", times))
    solo.advance_until(lambda effect: effect == MemberChanged(b"b", Status.SUSPECT, Status.DEAD))
    lasted = (solo.now_ms - began_ms) / suspicion_ms_min(solo.settings, 5)
    assert factor * 0.9 <= lasted <= factor * 1.5


def test_who_is_right_keeps_its_weight() -> None:
    """The death of who was accused proves its accusers right."""
    solo, _ = cried_wolf(2)
    solo.answering = frozenset([b"c", b"d", b"e"])
    solo.hear(b"c", solo.suspicion(b"c", b"b", 2))
    solo.advance_until(lambda effect: effect == MemberChanged(b"b", Status.SUSPECT, Status.DEAD))
    outcomes = solo.core._cases.accusers._by_node[b"c"]
    assert (outcomes.refuted, outcomes.upheld) == (2, 1)


def test_a_restart_refutes_nobody() -> None:
    """A member that comes back in another epoch was down indeed."""
    solo = Solo()
    solo.meet(b"b", b"c")
    for restart in range(1, 8):
        solo.hear(b"c", solo.suspicion(b"c", b"b", epoch=solo.view(b"b").epoch))
        effects = solo.hear(b"b", solo.record(b"b", epoch=solo.view(b"b").epoch + restart))
        assert "accuser.silenced" not in notes(effects)
        assert "member.flappy" not in notes(effects)


def test_a_flappy_member_is_named() -> None:
    """Some hear it and some do not: a person should look at it."""
    _, effects = cried_wolf(3)
    assert named(effects, "member.flappy") == [b"b"]
    _, effects = cried_wolf(2)
    assert named(effects, "member.flappy") == []


@pytest.mark.parametrize(
    ("times_ms", "flappy"),
    [
        ((0, 10_000, 59_999), [False, False, True]),
        ((0, 10_000, 60_000), [False, False, False]),
        ((0, 0, 0, 1, 2, 3), [False, False, True, False, False, True]),
    ],
)
def test_three_in_a_minute(times_ms: tuple[int, ...], flappy: list[bool]) -> None:
    flaps = Flaps()
    assert [flaps.count(b"b", at_ms) for at_ms in times_ms] == flappy


def test_flaps_are_bounded() -> None:
    flaps = Flaps()
    for count in range(FLAPPING_MAX + 10):
        flaps.count(b"%d" % count, 0)
    assert len(flaps._times_ms) == FLAPPING_MAX


def forged(solo: Solo, author: NodeId = b"x") -> Signed:
    return Signed(Kind.MEMBER, author, solo.record(author).body, b"forged")


def graylisted() -> tuple[Solo, list[Effect]]:
    """`c` has brought ten forgeries."""
    solo = Solo()
    solo.meet(b"b", b"c")
    return solo, [effect for _ in range(10) for effect in solo.hear(b"c", forged(solo))]


def test_ten_forgeries_and_nothing_of_it_is_read() -> None:
    """Every forgery costs a signature check; a member that floods with them is not listened to for ten minutes."""
    solo, effects = graylisted()
    assert named(effects, "member.graylisted") == [b"c"]
    before = solo.verifier.checked
    solo.hear(b"c", solo.record(b"d"))
    solo.receive(b"c", SyncReply((solo.record(b"d"),)))
    assert sends(solo.receive(b"c", SyncRequest(solo.record(b"c", 1))), b"c") == []
    solo.receive(b"c", Ping(1, NONCE, b"c", (solo.record(b"d"), forged(solo))))
    assert solo.status(b"d") is None
    assert solo.verifier.checked == before, "it costs nothing any more"
    solo.now_ms += DECAY_MS
    solo.hear(b"c", solo.record(b"d"))
    assert solo.status(b"d") is Status.ALIVE


def test_nobody_is_held_dead_for_it() -> None:
    """It may ping and answer pings; and what it signed itself counts when others bring it."""
    solo, _ = graylisted()
    answers = sends(solo.receive(b"c", Ping(1, NONCE, b"c", (forged(solo),))), b"c")
    assert any(isinstance(answer, Ack) for answer in answers)
    solo.hear(b"b", solo.record(b"c", 1))
    assert solo.view(b"c").incarnation == 1
    solo.answering = frozenset([b"b", b"c"])
    solo.advance(solo.now_ms + 30_000)
    assert solo.status(b"c") is Status.ALIVE


def test_points_fade() -> None:
    """A forgery now and then, perhaps from a broken memory, gets nobody on the list."""
    graylist = Graylist()
    for minute in range(1, 200):
        assert not graylist.blame(b"c", minute * 60_000)
    assert [graylist.blame(b"d", 0) for _ in range(10)] == [False] * 9 + [True]
    assert graylist.holds(b"d", DECAY_MS - 1)
    assert not graylist.holds(b"d", DECAY_MS)


def test_offenders_are_bounded() -> None:
    graylist = Graylist()
    for count in range(OFFENDERS_MAX + 10):
        graylist.blame(b"%d" % count, 0)
    assert len(graylist._points) == OFFENDERS_MAX


def test_a_forged_full_answer_counts_too() -> None:
    solo = Solo()
    solo.meet(b"b", b"c")
    effects = [effect for _ in range(10) for effect in solo.receive(b"c", SyncReply((forged(solo),)))]
    assert named(effects, "member.graylisted") == [b"c"]


def test_a_relay_that_makes_up_answers_counts_too() -> None:
    """It signs for the target what the target never signed."""
    solo, ping = probing(b"b", b"c")
    answer = Ack(ping.probe, Signed(Kind.ACK, b"b", solo.ack(b"b", SELF, ping.nonce).body, b"forged"))
    effects = [effect for _ in range(10) for effect in solo.receive(b"c", answer)]
    assert named(effects, "member.graylisted") == [b"c"]
