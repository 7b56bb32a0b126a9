"""Confirm: a fresh probe by several paths, before something that cannot be undone."""

import pytest

from node.membership.checks import RUNNING_MAX
from node.membership.events import Confirm, Confirmed, Effect, Leave, MemberChanged, Reach, SendFailed, Status, Tick
from node.membership.messages import Ack, Nack, Ping, PingReq
from tests.node.membership.solo import SELF, Solo, sends


def checked(*others: bytes) -> tuple[Solo, list[Effect]]:
    """`a` has been asked to check `b`; the others are known to answer."""
    solo = Solo(probe_interval_ms=4_000)
    solo.meet(b"b", *others)
    return solo, solo.step(Confirm(b"b"))


def outcomes(effects: list[Effect]) -> list[tuple[Reach, int]]:
    return [(effect.reach, effect.paths) for effect in effects if isinstance(effect, Confirmed) and effect.node == b"b"]


def test_all_paths_are_tried_at_once() -> None:
    """Whoever asks wants to know now; it does not wait for the direct path to fail."""
    _, effects = checked(b"c", b"d", b"e", b"f")
    assert [type(message) for message in sends(effects, b"b")] == [Ping]
    requests = [message for message in sends(effects) if isinstance(message, PingReq)]
    assert len(requests) == 3
    assert {request.target for request in requests} == {b"b"}


@pytest.mark.parametrize("way", [b"b", b"c"], ids=["directly", "through a relay"])
def test_its_signed_answer_is_enough(way: bytes) -> None:
    solo, effects = checked(b"c", b"d")
    ping = next(message for message in sends(effects, b"b") if isinstance(message, Ping))
    forged = Ack(ping.probe, solo.ack(way, SELF, b"x" * 16))
    assert outcomes(solo.receive(way, forged)) == []
    effects = solo.receive(way, Ack(ping.probe, solo.ack(b"b", SELF, ping.nonce)))
    assert outcomes(effects) == [(Reach.REACHED, 1)]
    assert outcomes(solo.advance(60_000)) == [], "it is said once"


@pytest.mark.parametrize(
    ("relays", "nacks", "reach", "paths"),
    [
        pytest.param(b"cd", b"cd", Reach.UNREACHABLE, 3, id="we and two relays tried in vain"),
        pytest.param(b"cd", b"c", Reach.UNREACHABLE, 2, id="we and one relay"),
        pytest.param(b"cd", b"", Reach.UNKNOWN, 1, id="no relay says that it tried: perhaps it is us"),
        pytest.param(b"", b"", Reach.UNKNOWN, 1, id="no relay there"),
        pytest.param(b"cd", b"z", Reach.UNKNOWN, 1, id="one that was not asked"),
    ],
)
def test_silence_by_two_paths_is_needed(relays: bytes, nacks: bytes, reach: Reach, paths: int) -> None:
    """One path that fails may itself be what is broken."""
    names = [bytes([letter]) for letter in relays]
    solo, effects = checked(*names)
    ping = next(message for message in sends(effects, b"b") if isinstance(message, Ping))
    for letter in nacks:
        for _ in range(2):  # repeating itself makes no second path
            solo.receive(bytes([letter]), Nack(ping.probe, b"b"))
    effects = solo.advance(solo.settings.probe_interval_ms)
    assert outcomes(effects) == [(reach, paths)]
    assert MemberChanged(b"b", Status.ALIVE, Status.SUSPECT) not in effects, "a check accuses nobody"


@pytest.mark.parametrize("fault", [Tick(lag_ms=3_000), SendFailed(b"b", "b:1", local=True)])
def test_a_fault_of_ours_tells_nothing(fault: Tick | SendFailed) -> None:
    solo, effects = checked(b"c", b"d")
    ping = next(message for message in sends(effects, b"b") if isinstance(message, Ping))
    for relay in (b"c", b"d"):
        solo.receive(relay, Nack(ping.probe, b"b"))
    solo.now_ms += 3_000
    found = outcomes(solo.step(fault) + solo.advance(20_000))
    assert found == [(Reach.UNKNOWN, 2)]


def test_who_is_not_known_is_not_judged() -> None:
    solo = Solo()
    assert solo.step(Confirm(b"b")) == [Confirmed(b"b", Reach.UNKNOWN, 0)]


def test_one_check_of_a_member_at_a_time_and_few_in_all() -> None:
    """Whoever asks twice gets the one answer; a flood of questions is no flood of pings."""
    solo, _ = checked(b"c")
    assert sends(solo.step(Confirm(b"b"))) == []
    names = [b"m%d" % count for count in range(RUNNING_MAX)]
    solo.meet(*names)
    answers = [effect for name in names for effect in solo.step(Confirm(name)) if isinstance(effect, Confirmed)]
    assert answers == [Confirmed(names[-1], Reach.UNKNOWN, 0)]


def test_after_leaving_nothing_is_checked() -> None:
    solo = Solo()
    solo.meet(b"b")
    solo.step(Leave())
    assert solo.step(Confirm(b"b")) == [Confirmed(b"b", Reach.UNKNOWN, 0)]
