"""Probes: turns, relays, what counts as an answer, and when a missing answer means nothing."""

from typing import Any

import pytest

from coordinator.signed import Kind, Signed
from node.membership.events import Leave, MemberChanged, Send, SendFailed, Status, Tick
from node.membership.messages import Ack, Gossip, Nack, Ping, PingReq, SyncReply
from tests.node.membership.solo import EPOCH, SELF, Solo, gossiped, sends

NONCE = b"n" * 16
LONG_SUSPICION = 1_000
"""In probe intervals: suspicions outlast these tests."""


def pings(effects: list[object]) -> list[bytes]:
    return [e.to for e in effects if isinstance(e, Send) and isinstance(e.message, Ping) and e.to is not None]


def is_ping(effect: object) -> bool:
    return isinstance(effect, Send) and isinstance(effect.message, Ping)


def is_ping_req(effect: object) -> bool:
    return isinstance(effect, Send) and isinstance(effect.message, PingReq)


def probing(target: bytes, *others: bytes, **options: Any) -> tuple[Solo, Ping]:
    """`a` has just pinged this target; the others answer everything."""
    solo = Solo(suspicion_mult=LONG_SUSPICION, **options)
    solo.answering = frozenset(others)
    solo.meet(target, *others)
    effects = solo.advance_until(lambda e: is_ping(e) and isinstance(e, Send) and e.to == target)
    ping = next(m for m in sends(effects, target) if isinstance(m, Ping))
    return solo, ping


def test_everyone_is_probed_once_in_a_walk() -> None:
    """Random choice would leave some unprobed for long; turns bound the wait at 2n - 1 (SWIM section 4.3)."""
    solo = Solo()
    nodes = [b"b", b"c", b"d", b"e", b"f"]
    solo.answering = frozenset(nodes)
    solo.meet(*nodes)
    order = pings(list(solo.advance(20_500)))
    walks = [order[start : start + 5] for start in range(0, 20, 5)]
    assert all(sorted(walk) == nodes for walk in walks)
    assert len({tuple(walk) for walk in walks}) == 4, "each walk is shuffled anew"


def test_a_newcomer_is_probed_within_the_walk() -> None:
    solo = Solo()
    solo.answering = frozenset([b"b", b"c", b"d"])
    solo.meet(b"b", b"c")
    solo.advance(1_000)
    solo.meet(b"d")
    assert b"d" in pings(list(solo.advance(solo.now_ms + 5_000)))


def test_the_silent_is_probed_through_relays_then_suspected() -> None:
    solo, ping = probing(b"b", b"c", b"d", b"e", b"f")
    solo.advance(solo.now_ms + 4_000)  # the others are known to answer
    start_ms = solo.now_ms
    solo.advance_until(lambda e: is_ping(e) and isinstance(e, Send) and e.to == b"b")
    asked_effects = solo.advance_until(is_ping_req)
    asked = [e.to for e in asked_effects if is_ping_req(e) and isinstance(e, Send)]
    requests = [m for m in sends(asked_effects) if isinstance(m, PingReq)]
    assert len(set(asked)) == solo.settings.relays
    assert b"b" not in asked
    assert {request.target for request in requests} == {b"b"}
    assert solo.now_ms - start_ms >= solo.settings.probe_timeout_ms
    assert b"b" in pings(list(asked_effects)), "the direct path is tried again: the first ping may be lost"
    assert ping.nonce != requests[0].nonce


def test_only_who_was_heard_and_never_caught_is_a_relay() -> None:
    """A member of whom there is only a record, or two of one incarnation, may not exist or may lie."""
    solo, _ = probing(b"b", b"c")
    solo.hear(b"c", solo.record(b"d"))  # told of, not heard
    solo.hear(b"e", solo.record(b"e"))
    solo.hear(b"e", solo.record(b"e", meta=b"another"))
    solo.hear(b"f", solo.record(b"f"))
    solo.hear(b"f", solo.record(b"f", 1, Status.LEFT))
    effects = solo.advance_until(is_ping_req)
    assert [e.to for e in effects if is_ping_req(e) and isinstance(e, Send)] == [b"c"]


def test_relays_get_eighty_percent_of_what_is_left() -> None:
    """So that their nack is back before the probe ends; with the whole of it, it comes too late (Lifeguard 4.1)."""
    solo, _ = probing(b"b", b"c")
    solo.receive(b"c", Nack(99, b"x"))  # heard, so fit to be a relay
    requests = [m for m in sends(solo.advance_until(is_ping_req)) if isinstance(m, PingReq)]
    assert [request.budget_ms for request in requests] == [400]


@pytest.mark.parametrize(
    ("signer", "prober", "nonce_of", "incarnation", "good"),
    [
        pytest.param(b"b", SELF, "ping", 0, True, id="the target's own word"),
        pytest.param(b"b", SELF, "ping", 3, True, id="of a newer incarnation"),
        pytest.param(b"c", SELF, "ping", 0, False, id="another signs for it"),
        pytest.param(b"b", b"c", "ping", 0, False, id="meant for another prober"),
        pytest.param(b"b", SELF, "other", 0, False, id="an answer to another nonce: a replay"),
    ],
)
def test_what_counts_as_an_answer(signer: bytes, prober: bytes, nonce_of: str, incarnation: int, good: bool) -> None:
    """A lying relay may withhold an answer but cannot make one up."""
    solo, ping = probing(b"b", b"c")
    nonce = ping.nonce if nonce_of == "ping" else NONCE
    solo.receive(b"c", Ack(ping.probe, solo.ack(signer, prober, nonce, incarnation)))
    solo.advance(solo.now_ms + 1_001)
    assert solo.status(b"b") is (Status.ALIVE if good else Status.SUSPECT)


def test_an_answer_of_a_newer_incarnation_makes_it_ask_for_the_record() -> None:
    solo, ping = probing(b"b", b"c")
    effects = solo.receive(b"b", Ack(ping.probe, solo.ack(b"b", SELF, ping.nonce, 3)))
    assert SyncReply((), (b"b",)) in sends(effects, b"b")


def test_a_failed_probe_speaks_of_the_incarnation_it_began_with() -> None:
    """Its owner has signed a newer record meanwhile: somebody heard it, so our silence accuses nobody."""
    solo, _ = probing(b"b", b"c")
    solo.hear(b"c", solo.record(b"b", 1))
    solo.advance(solo.now_ms + 1_000)
    assert solo.status(b"b") is Status.ALIVE


def test_a_forged_signature_is_no_answer() -> None:
    solo, ping = probing(b"b", b"c")
    true = solo.ack(b"b", SELF, ping.nonce)
    solo.receive(b"c", Ack(ping.probe, Signed(true.kind, true.author, true.body, bytes(32))))
    solo.advance(solo.now_ms + 1_001)
    assert solo.status(b"b") is Status.SUSPECT


def test_an_answer_of_an_older_incarnation_is_none() -> None:
    """The stored key is signed by the owner, so an answer below it was made before."""
    solo, ping = probing(b"b", b"c")
    solo.receive(b"c", Ack(ping.probe, solo.ack(b"b", SELF, ping.nonce, epoch=EPOCH - 1)))
    solo.advance(solo.now_ms + 1_001)
    assert solo.status(b"b") is Status.SUSPECT


def test_it_measures_the_round_trip() -> None:
    solo, ping = probing(b"b")
    solo.now_ms += 40
    solo.receive(b"b", Ack(ping.probe, solo.ack(b"b", SELF, ping.nonce)))
    assert solo.view(b"b").rtt_ms == 40


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        pytest.param(SendFailed(b"b", "b:1", local=True), Status.ALIVE, id="our own socket accuses nobody"),
        pytest.param(SendFailed(b"b", "b:1", local=False), Status.SUSPECT, id="a refused connection does"),
        pytest.param(Tick(lag_ms=126), Status.ALIVE, id="a stalled loop may not have read the answer"),
        pytest.param(Tick(lag_ms=125), Status.SUSPECT, id="a quarter of the timeout is no stall"),
    ],
)
def test_a_fault_of_ours_voids_the_probe(fault: SendFailed | Tick, status: Status) -> None:
    """memberlist pull request 242: a local send error made healthy members suspect."""
    solo, _ = probing(b"b", b"c")
    ended = solo.now_ms + 1_000
    solo.now_ms += 200
    solo.step(fault)
    effects = solo.advance(ended)
    assert solo.status(b"b") is status
    if status is Status.ALIVE:
        assert pings(list(effects))[-1] == b"b", "a void probe is repeated next"


def test_a_refused_connection_asks_relays_at_once() -> None:
    solo, _ = probing(b"b", b"c")
    solo.receive(b"c", Nack(99, b"x"))
    effects = solo.step(SendFailed(b"b", "b:1", local=False))
    assert any(map(is_ping_req, effects))


def test_a_stall_is_felt_once() -> None:
    """Shells handle what waits before they tick; the stall then lies behind, and says nothing of the next probe."""
    solo, _ = probing(b"b", b"c")
    solo.now_ms += 3_000
    solo.receive(b"c", Gossip(()))  # ends the void probe and begins the next, of b again
    solo.step(Tick(lag_ms=2_500))
    solo.advance(solo.now_ms + 3_000)  # the stall cost two points of health, so the probe lasts three intervals
    assert solo.status(b"b") is Status.SUSPECT


def test_a_stall_noticed_by_the_clock_alone_voids_the_probe() -> None:
    """Also when the shell does not say so: the deadline that we gave was missed by far."""
    solo, _ = probing(b"b", b"c")
    solo.now_ms += 3_000
    solo.step(Tick(0))
    assert solo.status(b"b") is Status.ALIVE


@pytest.mark.parametrize(
    ("nacks", "interval_ms"),
    [
        pytest.param(3, 1_000, id="all relays said that they tried: the target is at fault"),
        pytest.param(1, 3_000, id="two relays silent: perhaps we are at fault"),
        pytest.param(0, 4_000, id="all silent: most likely we are"),
    ],
)
def test_missing_nacks_cost_health(nacks: int, interval_ms: int) -> None:
    """Lifeguard section 4.1: who hears nothing from anybody probes more slowly and accuses less."""
    solo, _ = probing(b"b", b"c", b"d", b"e")
    for node in (b"c", b"d", b"e"):
        solo.receive(node, Nack(99, b"x"))
    effects = solo.advance_until(is_ping_req)
    request = next(m for m in sends(effects) if isinstance(m, PingReq))
    for node in (b"c", b"d", b"e")[:nacks]:
        for _ in range(2):  # repeating itself helps nobody
            solo.receive(node, Nack(request.probe, b"b"))
    solo.receive(b"b", Nack(request.probe, b"b"))  # not asked
    solo.answering = frozenset()
    solo.advance_until(lambda e: e == MemberChanged(b"b", Status.ALIVE, Status.SUSPECT))
    began_ms = solo.now_ms  # the next probe began in the same step
    effects = solo.advance_until(is_ping_req)
    request = next(m for m in sends(effects) if isinstance(m, PingReq))
    budget_ms = solo.settings.relay_budget_percent * (began_ms + interval_ms - solo.now_ms) // 100
    assert request.budget_ms == budget_ms


def test_it_answers_a_ping_signed_for_prober_and_nonce() -> None:
    solo = Solo()
    solo.meet(b"b", b"c")
    answers = [m for m in sends(solo.receive(b"b", Ping(5, NONCE, b"c")), b"b") if isinstance(m, Ack)]
    assert [(m.probe, m.ack) for m in answers] == [(5, solo.ack(SELF, b"c", NONCE))]


def test_as_relay_it_forwards_the_targets_own_bytes() -> None:
    solo = Solo()
    solo.meet(b"b", b"c")
    effects = solo.receive(b"b", PingReq(7, NONCE, b"c", 400))
    ping = next(m for m in sends(effects, b"c") if isinstance(m, Ping))
    assert (ping.prober, ping.nonce) == (b"b", NONCE)
    forged = solo.ack(b"c", b"b", b"m" * 16)
    assert sends(solo.receive(b"c", Ack(ping.probe, forged)), b"b") == []
    ack = solo.ack(b"c", b"b", NONCE)
    answers = [m for m in sends(solo.receive(b"c", Ack(ping.probe, ack)), b"b") if isinstance(m, Ack)]
    assert [(m.probe, m.ack) for m in answers] == [(7, ack)]
    assert not [m for m in sends(solo.advance(1_000), b"b") if isinstance(m, Nack)], "no nack after an ack"


def test_as_relay_it_nacks_when_the_budget_is_spent() -> None:
    solo = Solo()
    solo.meet(b"b", b"c")
    solo.receive(b"b", PingReq(7, NONCE, b"c", 400))
    assert Nack(7, b"c") not in sends(solo.advance(399), b"b")
    assert Nack(7, b"c") in sends(solo.advance(400), b"b")


def test_one_member_cannot_take_up_all_relaying() -> None:
    solo = Solo()
    solo.meet(b"b", b"c", b"d")
    for count in range(200):
        solo.receive(b"b", PingReq(count, NONCE, b"c", 400))
    effects = solo.receive(b"d", PingReq(1, NONCE, b"c", 400))
    assert any(isinstance(m, Ping) for m in sends(effects, b"c"))
    nacks = [m for m in sends(solo.advance(2_000), b"b") if isinstance(m, Nack)]
    assert len(nacks) == 8


def test_a_suspect_is_told_first() -> None:
    """Lifeguard's buddy system: the ping itself brings the accusation, so that it can refute at once."""
    solo = Solo(suspicion_mult=LONG_SUSPICION)
    solo.meet(b"b", b"c")
    accusation = solo.suspicion(b"c", b"b")
    solo.hear(b"c", accusation)
    effects = solo.advance_until(lambda e: is_ping(e) and isinstance(e, Send) and e.to == b"b")
    ping = next(m for m in sends(effects, b"b") if isinstance(m, Ping))
    assert ping.gossip[0] == accusation


def test_who_does_not_answer_is_told_who_we_are() -> None:
    """It may not know us, and then has no address to answer to."""
    solo = Solo(suspicion_mult=LONG_SUSPICION)
    solo.meet(b"b")
    for _ in range(20):  # long after the queue has told what it had to tell
        effects = solo.advance_until(is_ping, 600_000)
        ping = next(m for m in sends(effects) if isinstance(m, Ping))
        assert SELF in [item.author for item in ping.gossip]
        solo.now_ms += 1


def test_an_ack_takes_our_own_accusation_back() -> None:
    """The suspect lives: its countdown begins again, and it stays suspect until its own newer record comes."""
    solo, ping = probing(b"b", b"c")
    solo.advance(solo.now_ms + 1_000)
    assert solo.status(b"b") is Status.SUSPECT
    solo.receive(b"b", Ack(ping.probe, solo.ack(b"b", SELF, ping.nonce)))
    assert solo.status(b"b") is Status.SUSPECT
    evidence = gossiped(solo.hear(b"c", solo.record(b"b")), b"c")
    assert [item.author for item in evidence if item.kind is Kind.SUSPICION] == [], "others are shown it no more"


def test_who_answers_but_did_not_refute_is_asked_to() -> None:
    """All gossip of our accusation may be lost on its way to the accused; without refuting it would stay suspect."""
    solo, ping = probing(b"b", b"c", b"d")
    solo.advance(solo.now_ms + 1_000)
    solo.receive(b"b", Ack(ping.probe, solo.ack(b"b", SELF, ping.nonce)))
    solo.answering |= {b"b"}
    solo.advance(solo.now_ms + 60_000)
    assert len(solo.core._local.queue) == 0
    pinged = solo.advance_until(lambda e: is_ping(e) and isinstance(e, Send) and e.to == b"b", solo.now_ms + 60_000)
    message = [m for m in sends(pinged, b"b") if isinstance(m, Ping)][-1]
    assert [(item.kind, item.author) for item in message.gossip[:1]] == [(Kind.SUSPICION, SELF)]


def test_an_ack_begins_the_countdown_again() -> None:
    """Whoever answers us does not die to us, even if its refutation is lost."""
    solo = Solo(probe_interval_ms=2_000, sync_interval_ms=10**9)
    solo.answering = frozenset([b"b", b"c"])
    solo.meet(b"b", b"c")
    solo.hear(b"c", solo.suspicion(b"c", b"b"))
    solo.advance(60_000)
    assert solo.status(b"b") is Status.SUSPECT
    solo.answering = frozenset([b"c"])
    solo.advance(120_000)
    assert solo.status(b"b") is Status.DEAD


def test_after_leaving_it_probes_nobody() -> None:
    solo = Solo()
    solo.meet(b"b")
    solo.step(Leave())
    assert pings(list(solo.advance(60_000))) == []
    assert solo.core.next_deadline_ms() is None
