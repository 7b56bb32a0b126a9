"""Restarts: what a node saved before it sent is enough to go on without ever contradicting itself."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.voting import (
    INFINITY,
    Ballot,
    Externalized,
    Malformed,
    Phase,
    QuorumSet,
    SetTimer,
    Slot,
    SlotState,
    Timer,
    Validity,
    encode,
)
from tests.coordinator.voting.test_ballot_commit import AT_THREE, COMMITTED, DECIDED
from tests.coordinator.voting.test_ballot_prepare import BUMPED, CONFIRMED, PREPARED, SWITCHED
from tests.coordinator.voting.world import (
    CORE5,
    FIVE,
    PREVIOUS,
    SLOT,
    UNHURRIED,
    Node,
    ScriptedDriver,
    ballot,
    emitted,
    nominate,
    statement,
    written,
)


def views(slot: Slot) -> tuple[object, ...]:
    return slot.phase, slot.b, slot.p, slot.p_prime, slot.h, slot.c, slot.value_override


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(PREPARED, id="prepared"),
        pytest.param(SWITCHED, id="with p′"),
        pytest.param(CONFIRMED, id="confirmed prepared"),
        pytest.param(COMMITTED, id="accepted commit"),
        pytest.param(AT_THREE, id="accepted commit, p above h"),
    ],
)
def test_a_ballot_goes_on_where_it_was(script: str) -> None:
    node = Node()
    node.play(script)
    after = node.restarted()
    assert views(after.slot) == views(node.slot)
    assert after.slot.own_statements() == node.slot.own_statements()
    assert emitted(after.slot.resume(0)) == [], "what was sent is only sent again by the caller"


def test_a_decision_is_found_again_and_announced_again() -> None:
    """A crash between the decision's write and its execution loses the decision."""
    node = Node()
    node.play(DECIDED)
    after = node.restarted()
    assert after.slot.phase is Phase.EXTERNALIZE
    assert after.slot.b == after.slot.p == Ballot(INFINITY, b"m")
    assert after.slot.resume(0) == [Externalized(SLOT, b"m", 2, 2)]
    assert after.slot.resume(0) == []
    after.play("""
        1: CONFIRM 9z p=9 c=9 h=9   => ignored: another value was externalized
        1: CONFIRM 2m p=2 c=2 h=2   => -
        bump z                      => -
    """)
    assert after.slot.nominate(b"z", 0) == []


@pytest.mark.parametrize(
    ("before", "then"),
    [
        pytest.param(
            BUMPED,
            "12: PREPARE 2m p=2m => -\n3: PREPARE 2m p=2m => PREPARE 2m p=2m c=2 h=2 timer",
            id="confirms what it accepted before the crash",
        ),
        pytest.param(
            CONFIRMED,
            "12: PREPARE 2m p=2m c=2 h=2 => -\n3: PREPARE 2m p=2m c=2 h=2 => CONFIRM 2m p=2 c=2 h=2 timer",
            id="its vote to commit counts on",
        ),
        pytest.param(
            COMMITTED,
            "12: CONFIRM 2m p=2 c=2 h=2 => -\n3: CONFIRM 2m p=2 c=2 h=2 => EXTERNALIZE 2m h=2 decides m",
            id="its acceptance counts on",
        ),
        pytest.param(CONFIRMED, "bump z => PREPARE 3m p=2m c=2 h=2", id="still locked on h"),
        pytest.param(
            CONFIRMED,
            """
            12: PREPARE 3z p=3z => PREPARE 3m p=3z p'=2m h=2
            3: PREPARE 3z p=3z  => PREPARE 3z p=3z p'=2m c=3 h=3 timer
            """,
            id="still turned by an abort",
        ),
        pytest.param(COMMITTED, "12: CONFIRM 3z p=3 c=3 h=3 => CONFIRM 3m p=2 c=2 h=2", id="still loyal"),
    ],
)
def test_the_next_step_after_a_restart(before: str, then: str) -> None:
    node = Node()
    node.play(before)
    node.restarted().play(then)


def test_the_value_override_survives() -> None:
    """A node that saw z confirmed prepared spends ballots on its own value after each restart."""
    node = Node()
    node.play("""
        start y             => PREPARE 1y
        12: PREPARE 1x p=1x => PREPARE 1y p=1x
        34: PREPARE 1x p=1x => - timer
    """)
    assert node.slot.value_override == b"x"
    assert node.slot.h is None
    node.restarted().play("bump y => PREPARE 2x p=1x")
    without = replace(node.slot.state(), value_override=None)
    assert Slot.restore(FIVE[0], SLOT, CORE5, node.driver, without, previous=PREVIOUS).value_override is None


def test_the_timer_starts_again_when_a_quorum_is_heard_again() -> None:
    """A restarted node that is needed waits for ever (stellar-core issue 2081)."""
    node = Node()
    node.play(PREPARED)
    after = node.restarted()
    assert after.slot.resume(0) == []
    assert after.slot.next_deadline_ms() is None
    after.play("12: PREPARE 1m p=1m => -\n3: PREPARE 1m p=1m => PREPARE 1m p=1m c=1 h=1 timer")


def test_alone_the_timer_starts_at_once() -> None:
    alone = QuorumSet(1, (FIVE[0],))
    driver = ScriptedDriver(alone)
    driver.validity[b"m"] = Validity.MAYBE
    said = statement(FIVE[0], "PREPARE 1m", alone)
    state = SlotState(FIVE[0], SLOT, PREVIOUS, ballot=said)
    slot = Slot.restore(FIVE[0], SLOT, alone, driver, state, previous=PREVIOUS)
    assert SetTimer(Timer.BALLOT, 1_050) in slot.resume(50)


def led_by(*leaders: int) -> Node:
    node = Node()
    node.driver.leader = {round_now: FIVE[leader] for round_now, leader in enumerate(leaders, start=1)}
    return node


def test_nomination_goes_on_where_it_was() -> None:
    node = led_by(1, 2, 3)
    node.slot.nominate(b"z", 0)
    node.slot.receive(nominate(1, "x"), 0)
    node.slot.fire(Timer.NOMINATION, 1_000)
    after = node.restarted()
    assert after.slot.resume(5_000) == [SetTimer(Timer.NOMINATION, 7_000)]
    assert (after.slot.round, after.slot.leaders, after.slot.voted) == (2, (FIVE[1], FIVE[2]), (b"x",))
    (said,) = emitted(after.slot.receive(nominate(2, "y"), 5_000))
    assert written(said) == "NOMINATE xy"
    assert after.slot.nominate(b"z", 5_000) == [], "it goes on; and with votes made its own value is not added"


def test_after_a_candidate_no_new_votes_even_after_a_restart() -> None:
    """The nodes' candidates need never become the same."""
    node = led_by(1)
    node.slot.nominate(None, 0)
    for peer in (1, 2, 3):
        node.slot.receive(nominate(peer, "x", "x"), 0)
    assert node.slot.candidates == (b"x",)
    after = node.restarted()
    assert after.slot.resume(0) == []
    assert emitted(after.slot.receive(nominate(1, "kx", "kx"), 0)) == []
    assert emitted(after.slot.nominate(b"k", 0)) == []
    for peer in (2, 3):
        after.slot.receive(nominate(peer, "y", "y"), 0)
    assert b"y" in after.slot.accepted, "accepting goes on"
    for peer in (1, 2, 3):
        after.slot.receive(nominate(peer, "kxy", "kxy"), 0)
    assert b"x" in after.slot.candidates


def test_only_what_was_sent_is_restored() -> None:
    """A vote that nobody saw binds nobody; a vote that was sent is never lost."""
    node = Node()
    node.play(PREPARED)
    node.driver.validity[b"z"] = Validity.MAYBE
    node.play("12: EXTERNALIZE 3z h=3 => -")
    assert node.slot.phase is Phase.CONFIRM
    after = node.restarted()
    assert after.slot.phase is Phase.PREPARE
    assert after.slot.p == ballot("1m")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"node": b"v1"}, id="another node's"),
        pytest.param({"slot": SLOT + 1}, id="another slot's"),
        pytest.param({"previous": b"another decision"}, id="another history's"),
    ],
)
def test_a_foreign_state_is_refused(changed: dict[str, object]) -> None:
    """A copied or mixed-up file makes two nodes one."""
    node = Node()
    node.play(PREPARED)
    state = replace(node.slot.state(), **changed)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="another node, slot or history"):
        Slot.restore(FIVE[0], SLOT, CORE5, node.driver, state, previous=PREVIOUS)


def test_a_state_under_another_quorum_set_is_refused() -> None:
    """Slices that change within a slot void the promises made with the old ones."""
    node = Node()
    node.play(PREPARED)
    with pytest.raises(ValueError, match="another quorum set"):
        Slot.restore(FIVE[0], SLOT, QuorumSet(5, FIVE), node.driver, node.slot.state(), previous=PREVIOUS)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("CONFIRM 5m p=2 c=0 h=5", id="commits a ballot that nobody can start with"),
        pytest.param("PREPARE 2m p=2z p'=2m c=2 h=2", id="votes to commit what it gave up"),
        pytest.param("PREPARE 1m p=3z h=3", id="h above b"),
    ],
)
def test_a_state_in_which_no_node_can_have_been_is_refused(said: str) -> None:
    """A damaged file fails an assertion in the middle of the next event."""
    state = SlotState(FIVE[0], SLOT, PREVIOUS, ballot=statement(FIVE[0], said))
    with pytest.raises(ValueError, match="breaks an invariant"):
        Slot.restore(FIVE[0], SLOT, CORE5, ScriptedDriver(CORE5), state, previous=PREVIOUS)


STATES = st.builds(
    SlotState,
    st.just(FIVE[0]),
    st.just(SLOT),
    st.binary(max_size=40),
    st.sampled_from([None, nominate(0, "xy", "x")]),
    st.sampled_from([None, *(statement(FIVE[0], s) for s in ("PREPARE 2x p=2x h=1", "EXTERNALIZE 1x h=1"))]),
    st.integers(0, 2**32 - 1),
    st.frozensets(st.sampled_from(FIVE)).map(lambda found: tuple(sorted(found))),
    st.booleans(),
    st.sampled_from([None, b"x"]),
)


@UNHURRIED
@given(STATES)
def test_a_state_and_its_bytes(state: SlotState) -> None:
    data = state.encode()
    assert SlotState.decode(data) == state
    for broken in (data[:-1], data + b"\0"):
        with pytest.raises(Malformed):
            SlotState.decode(broken)


@UNHURRIED
@given(STATES, st.data())
def test_a_damaged_state_is_refused_or_is_another(state: SlotState, data: st.DataObject) -> None:
    """Bit rot becomes a vote."""
    packed = bytearray(state.encode())
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = SlotState.decode(bytes(packed))
    except Malformed:
        return
    assert other != state
    assert other.encode() == bytes(packed)


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(SlotState(FIVE[0], SLOT, b"", leaders=(b"v2", b"v1")), id="leaders not ascending"),
        pytest.param(SlotState(FIVE[1], SLOT, b"", nominate=nominate(0, "x")), id="another node's statement"),
        pytest.param(SlotState(FIVE[0], 1, b"", nominate=nominate(0, "x")), id="another slot's statement"),
    ],
)
def test_a_state_that_cannot_be_is_refused(state: SlotState) -> None:
    with pytest.raises(Malformed):
        SlotState.decode(state.encode())


def test_statements_of_the_wrong_protocol_are_refused() -> None:
    packed = SlotState(FIVE[0], SLOT, b"", nominate=nominate(0, "x")).encode()
    said = encode(nominate(0, "x"))
    empty = (0).to_bytes(4, "big")
    framed = len(said).to_bytes(4, "big") + said
    assert framed + empty in packed
    with pytest.raises(Malformed, match="wrong protocol"):
        SlotState.decode(packed.replace(framed + empty, empty + framed))
