"""A member that signs without end takes up only its share of our time, and no honest answer is cut short by it."""

import pytest

from coordinator.effects import Note
from coordinator.signed import Kind, Signed
from node.membership.allowance import CHECKS_AT_ONCE_MAX, CHECKS_PER_S, SENDERS_MAX, Allowance
from node.membership.events import Effect, Status
from node.membership.messages import Ack, Gossip, SyncReply, SyncRequest
from node.membership.records import Suspicion
from tests.node.membership.solo import EPOCH, SELF, WALL_MS, Solo, notes
from tests.node.membership.test_probing import probing


def flood(solo: Solo, count: int) -> list[Effect]:
    """`b` accuses `c` in so many different well signed records, 64 at a time."""
    signer = solo.verifier.signer(b"b")
    bodies = [Suspicion(b"c", EPOCH, 0, WALL_MS - number).encode() for number in range(count)]
    items = [signer.sign(Kind.SUSPICION, body) for body in bodies]
    starts = range(0, count, 64)
    return [effect for start in starts for effect in solo.receive(b"b", Gossip(tuple(items[start : start + 64])))]


def test_a_flood_of_good_signatures_is_cut_off() -> None:
    """Each is in order; ten thousand are a second of work."""
    solo = Solo()
    solo.meet(b"b", b"c")
    before = solo.verifier.checked
    effects = flood(solo, 10_000)
    assert solo.verifier.checked - before <= CHECKS_AT_ONCE_MAX
    assert [dict(e.fields) for e in effects if isinstance(e, Note) and e.event == "member.floods"] == [{"member": b"b"}]
    solo.hear(b"c", solo.record(b"d"))
    assert solo.status(b"d") is Status.ALIVE, "others are heard as ever"
    assert "member.graylisted" not in notes(effects), "it forged nothing"


def test_after_a_while_it_is_heard_again() -> None:
    solo = Solo(probe_interval_ms=100_000)
    solo.meet(b"b", b"c")
    flood(solo, 1_000)
    solo.hear(b"b", solo.record(b"d"))
    assert solo.status(b"d") is None
    solo.now_ms += 1_000
    solo.hear(b"b", solo.record(b"d"))
    assert solo.status(b"d") is Status.ALIVE


def test_known_items_cost_nothing() -> None:
    """What gossip repeats is not checked again, and so is no burden."""
    solo = Solo()
    solo.meet(b"b", b"c")
    for _ in range(2 * CHECKS_AT_ONCE_MAX):
        assert "member.floods" not in notes(solo.hear(b"b", solo.record(b"c")))


def test_an_answer_that_was_asked_for_is_read_whole() -> None:
    """Whoever comes to a large group gets thousands of records from one member."""
    solo = Solo(sync_interval_ms=1_000)
    solo.answering = frozenset([b"b"])
    solo.meet(b"b")
    solo.advance(2_500)
    records = tuple(solo.record(b"m%04d" % count) for count in range(3_000))
    solo.receive(b"b", SyncReply(records))
    assert solo.core.count(Status.ALIVE) == 3_001


def test_an_unasked_answer_is_not() -> None:
    solo = Solo()
    solo.meet(b"b")
    solo.receive(b"b", SyncReply(tuple(solo.record(b"m%04d" % count) for count in range(3_000))))
    assert solo.core.count(Status.ALIVE) <= CHECKS_AT_ONCE_MAX + 1


def test_asking_us_to_ask_gives_little() -> None:
    """A liar that lists unknown names again and again gets us to ask it, but not to check without end."""
    solo = Solo()
    solo.meet(b"b", b"c")
    before = solo.verifier.checked
    for second in range(10):
        names = b"".join(solo.line(b"x%d" % count) for count in range(2_000 * second, 2_000 * second + 2_000))
        solo.receive(b"b", SyncRequest(solo.record(b"b"), names))
        flood(solo, 5_000)
        solo.now_ms += 1_000
    assert solo.verifier.checked - before <= 4_096 + CHECKS_AT_ONCE_MAX + 11 * CHECKS_PER_S + 100


def test_made_up_answers_to_a_probe_cost_as_much() -> None:
    solo, ping = probing(b"b", b"c")
    before = solo.verifier.checked
    forged = solo.ack(b"b", SELF, ping.nonce)
    for count in range(5_000):
        solo.receive(b"c", Ack(ping.probe, Signed(Kind.ACK, b"b", forged.body, b"%d" % count)))
    assert solo.verifier.checked - before <= CHECKS_AT_ONCE_MAX


@pytest.mark.parametrize(
    ("spent", "after_ms", "left"),
    [
        pytest.param(800, 0, 0, id="two seconds' worth at once"),
        pytest.param(800, 1_000, 400, id="refilled in time"),
        pytest.param(800, 10_000, 800, id="never more than full"),
        pytest.param(100, 0, 700, id="the rest"),
    ],
)
def test_allowance(spent: int, after_ms: int, left: int) -> None:
    allowance = Allowance()
    assert all(allowance.take(b"b", 0) for _ in range(spent))
    taken = sum(allowance.take(b"b", after_ms) for _ in range(2_000))
    assert taken == left


def test_a_grant_is_there_and_does_not_add_up() -> None:
    allowance = Allowance()
    for _ in range(5):
        allowance.grant(b"b", 3_000, 0)
    assert sum(allowance.take(b"b", 0) for _ in range(9_000)) == 3_000
    allowance.grant(b"c", 10, 0)
    assert sum(allowance.take(b"c", 0) for _ in range(9_000)) == CHECKS_AT_ONCE_MAX, "a small one takes nothing away"


def test_allowances_are_bounded() -> None:
    allowance = Allowance()
    for count in range(SENDERS_MAX + 10):
        allowance.take(b"%d" % count, 0)
    assert len(allowance._left) == SENDERS_MAX
