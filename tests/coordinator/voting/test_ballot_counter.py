"""Counters and timers: who is followed to which counter, and when the clock runs."""

import pytest

from coordinator.voting import INFINITY, HeardFromQuorum, QuorumSet, SetTimer, Slot, Timer
from tests.coordinator.voting.test_ballot_prepare import START
from tests.coordinator.voting.world import FIVE, PREVIOUS, SLOT, Node, ScriptedDriver, decided, emitted


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(START + "1: PREPARE 9m => -", id="one that is ahead may be a liar"),
        pytest.param(START + "12: PREPARE 2z => PREPARE 2m", id="two ahead: follow their counter, keep one's value"),
        pytest.param(
            START
            + """
            1: PREPARE 5z => -
            2: PREPARE 3z => PREPARE 3m   # at 3 only v1 is still ahead
            """,
            id="to the lowest counter at which no v-blocking set is ahead",
        ),
        pytest.param(
            START
            + """
            1: PREPARE 5z => -
            2: PREPARE 3z => PREPARE 3m
            3: PREPARE 4z => PREPARE 4m
            """,
            id="a third one ahead moves it on",
        ),
        pytest.param("12: PREPARE 2z => -", id="without a value of one's own there is nothing to vote for"),
        pytest.param(
            START
            + """
            1: EXTERNALIZE 1z h=1 => -
            2: PREPARE 3z         => PREPARE 3m
            """,
            id="one that decided is ahead of all, and counts with another",
        ),
        pytest.param(
            START
            + """
            1: EXTERNALIZE 1y h=1 => -
            2: EXTERNALIZE 1z h=1 => -
            """,
            id="two conflicting decisions are v-blocking at INFINITY: stay",
        ),
        pytest.param(
            START
            + """
            1: EXTERNALIZE 1y h=1 => -
            2: EXTERNALIZE 1z h=1 => -
            34: PREPARE 6m        => - timer
            """,
            id="no finite counter gets away from two at INFINITY",
        ),
    ],
)
def test_counter_of_others(script: str) -> None:
    """A node is left behind in counters that no quorum uses, or one liar drags it along."""
    Node().play(script)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(START + "12: PREPARE 1m => -", id="three of five at the counter are no quorum: no timer"),
        pytest.param(
            START
            + """
            12: PREPARE 2z => PREPARE 2m
            3: PREPARE 3z  => - timer
            """,
            id="a quorum at the counter or beyond: the timer runs",
        ),
        pytest.param(
            START
            + """
            123: PREPARE 1m => PREPARE 1m p=1m timer
            timeout         => PREPARE 2m p=1m         # nobody else is at 2
            12: PREPARE 2m  => -
            3: PREPARE 2m   => PREPARE 2m p=2m timer
            timeout         => PREPARE 3m p=2m
            """,
            id="after a timeout the next timer waits for a quorum at the new counter",
        ),
        pytest.param(
            START
            + """
            12: CONFIRM 2z p=2 c=1 h=1 => CONFIRM 2z p=2 c=1 h=1
            3: CONFIRM 1z p=1 c=1 h=1  => EXTERNALIZE 1z h=1 decides z
            """,
            id="a decision needs no timer",
        ),
    ],
)
def test_timer(script: str) -> None:
    """Timers that run without a quorum make nodes drift apart; timers that do not run make them wait for ever."""
    Node().play(script)


def test_timeouts_grow_with_the_counter() -> None:
    """With equal timeouts a network slower than that never decides."""
    node = Node()
    node.play(START + "12: PREPARE 5m => PREPARE 5m")
    effects = node.hears(3, "PREPARE 5m")
    assert HeardFromQuorum(SLOT, 5) in effects
    assert SetTimer(Timer.BALLOT, 5_000) in effects


def test_a_timer_fires_when_due_and_only_then() -> None:
    """A stale wake-up from the caller gives a ballot up too early."""
    node = Node()
    node.play(START + "123: PREPARE 1m => PREPARE 1m p=1m timer")
    due = node.slot.next_deadline_ms()
    assert due == 1_000
    assert node.slot.fire(Timer.BALLOT, due - 1) == []
    assert node.slot.fire(Timer.NOMINATION, due) == []
    assert len(emitted(node.slot.step_timers(due))) == 1
    assert node.slot.fire(Timer.BALLOT, due + 1) == []


def test_no_counter_reaches_infinity_by_timeout() -> None:
    """A counter that overflows, or one above which nothing can come, ends the slot for good."""
    node = Node()
    assert emitted(node.slot.bump(b"m", 0, counter=INFINITY)) == []
    assert len(emitted(node.slot.bump(b"m", 0, counter=INFINITY - 1))) == 1
    assert node.slot.abandon(0) == []
    assert node.slot.b is not None
    assert node.slot.b.counter == INFINITY - 1


def test_alone_in_its_quorum_set_a_node_decides_at_once() -> None:
    """The recursion over a node's own statements stops short."""
    alone = QuorumSet(1, (FIVE[0],))
    slot = Slot(FIVE[0], SLOT, alone, ScriptedDriver(alone), previous=PREVIOUS)
    effects = slot.nominate(b"m", 0)
    assert decided(effects) == [b"m"]
    assert len(emitted(effects)) == 2, "one nomination and one ballot statement, each the newest"
    assert slot.next_deadline_ms() is None
