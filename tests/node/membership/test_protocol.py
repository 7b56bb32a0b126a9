"""Members of another version: alive to all, but neither relays nor partners nor counted as reachable."""

import pytest

from coordinator.effects import Note
from node.membership.events import Send, Status
from node.membership.messages import PingReq, SyncRequest
from node.membership.records import PROTOCOL_MAX, PROTOCOL_MIN
from tests.node.membership.solo import EPOCH, SELF, Solo, notes
from tests.node.membership.test_probing import is_ping_req, probing

NEWER = (PROTOCOL_MAX + 1, PROTOCOL_MAX + 2)
OLDER = (PROTOCOL_MIN - 1, PROTOCOL_MIN - 1)


@pytest.mark.parametrize(
    ("protocol", "compatible"),
    [
        pytest.param(NEWER, False, id="only newer ones"),
        pytest.param(OLDER, False, id="only older ones"),
        pytest.param((PROTOCOL_MAX, PROTOCOL_MAX + 5), True, id="our newest is its oldest"),
        pytest.param((0, PROTOCOL_MIN), True, id="our oldest is its newest"),
        pytest.param((0, 2**32 - 1), True, id="all of them"),
    ],
)
def test_ranges_that_meet_are_compatible(protocol: tuple[int, int], compatible: bool) -> None:
    solo = Solo()
    effects = solo.hear(b"b", solo.record(b"b", protocol=protocol))
    assert solo.view(b"b").compatible is compatible
    assert solo.status(b"b") is Status.ALIVE, "it lives, whatever it speaks"
    said = [dict(e.fields) for e in effects if isinstance(e, Note) and e.event == "member.incompatible"]
    versions = {"member": b"b", "protocol_min": protocol[0], "protocol_max": protocol[1]}
    assert said == ([] if compatible else [versions])
    assert solo.core.reachable() == ({SELF, b"b"} if compatible else {SELF})


def test_it_is_said_once_for_each_run_of_it() -> None:
    solo = Solo()
    solo.hear(b"b", solo.record(b"b", protocol=NEWER))
    assert "member.incompatible" not in notes(solo.hear(b"b", solo.record(b"b", 1, protocol=NEWER)))
    assert "member.incompatible" in notes(solo.hear(b"b", solo.record(b"b", epoch=EPOCH + 1, protocol=NEWER)))
    solo.hear(b"b", solo.record(b"b", epoch=EPOCH + 2))
    assert solo.core.reachable() == {SELF, b"b"}, "it was updated"


def test_no_relay_and_no_partner() -> None:
    """What it would make of our messages, nobody knows."""
    solo, _ = probing(b"b", b"c")
    solo.hear(b"d", solo.record(b"d", protocol=NEWER))
    solo.answering |= {b"d"}
    effects = solo.advance_until(is_ping_req)
    assert {e.to for e in effects if isinstance(e, Send) and isinstance(e.message, PingReq)} == {b"c"}
    effects = solo.advance(solo.now_ms + 20 * solo.settings.sync_interval_ms)
    partners = {e.to for e in effects if isinstance(e, Send) and isinstance(e.message, SyncRequest)}
    assert b"d" not in partners
    assert b"c" in partners


def test_reachable_are_the_live() -> None:
    solo = Solo()
    solo.meet(b"b", b"c", b"d", b"e")
    solo.hear(b"c", solo.suspicion(b"c", b"b"), solo.record(b"d", 1, Status.LEFT))
    assert solo.core.reachable() == {SELF, b"b", b"c", b"e"}
