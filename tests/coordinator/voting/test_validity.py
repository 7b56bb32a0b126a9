"""Values that are invalid or not known yet, quorum sets that are not known yet, watchers, and what is refused."""

from dataclasses import replace

import pytest

from coordinator.voting import (
    Externalized,
    QuorumSet,
    Slot,
    Validity,
)
from coordinator.voting.accept import SENDERS_MAX
from tests.coordinator.voting.test_ballot_commit import DECIDED
from tests.coordinator.voting.test_ballot_prepare import START
from tests.coordinator.voting.world import (
    FIVE,
    PREVIOUS,
    SLOT,
    Node,
    ScriptedDriver,
    ballot,
    decided,
    emitted,
    ignored,
    nominate,
    statement,
)


def not_at_hand(value: str = "m") -> Node:
    node = Node()
    node.driver.validity[value.encode()] = Validity.MAYBE
    return node


def arrives(node: Node, value: str = "m") -> None:
    node.driver.validity[value.encode()] = Validity.FULL


def test_an_invalid_value_makes_a_ballot_statement_worthless() -> None:
    node = Node()
    node.driver.validity[b"m"] = Validity.INVALID
    node.play("1: PREPARE 1z p=1m => ignored: invalid value")
    assert node.slot.latest_ballot(FIVE[1]) is None


def test_a_value_not_at_hand_is_followed_in_silence() -> None:
    """A node vouches for bytes that it never saw."""
    node = not_at_hand()
    node.play("""
        12: PREPARE 1m p=1m => -
        3: PREPARE 1m p=1m  => - timer   # confirmed prepared: b and h follow, but nothing is said, and c is not voted
    """)
    assert node.slot.h == node.slot.b == ballot("1m")
    assert node.slot.c is None
    arrives(node)
    node.play("revalidate => PREPARE 1m p=1m c=1 h=1 timer")


def test_a_commit_vote_is_only_made_up_for_while_its_ballot_lasts() -> None:
    """After b passed h a vote to commit h could meet its own vote to abort it."""
    node = not_at_hand()
    node.play("""
        12: PREPARE 1m p=1m => -
        3: PREPARE 1m p=1m  => - timer
        timeout             => -
    """)
    arrives(node)
    node.play("revalidate => PREPARE 2m p=1m h=1")


def test_bytes_lost_and_found_again_cost_silence_only() -> None:
    node = Node()
    node.play(START)
    node.driver.validity[b"m"] = Validity.MAYBE
    node.play("""
        12: PREPARE 1m p=1m => -
        3: PREPARE 1m p=1m  => - timer
    """)
    arrives(node)
    node.play("revalidate => PREPARE 1m p=1m c=1 h=1 timer")


def test_what_p_aborts_gets_no_late_commit_vote() -> None:
    """Looking again finds what was forbidden the first time."""
    node = Node()
    node.play(
        START
        + """
        12: PREPARE 1z p=1z p'=1m => PREPARE 1m p=1z p'=1m
        3: PREPARE 1m p=1m        => PREPARE 1m p=1z p'=1m h=1 timer
        revalidate                => - timer
    """
    )
    assert node.slot.c is None


def test_a_decision_waits_for_its_bytes() -> None:
    """A node announces what it cannot carry out, or forgets across a restart that it decided."""
    node = not_at_hand()
    node.play("123: EXTERNALIZE 1m h=1 => - timer\n4: EXTERNALIZE 1m h=1 => - timer")
    assert node.slot.externalized is None
    assert node.slot.state().ballot is None
    arrives(node)
    node.play("revalidate => EXTERNALIZE 1m h=inf decides m")


def test_a_sender_whose_quorum_set_is_unknown_joins_no_quorum_until_it_is_known() -> None:
    """A quorum is counted whose members need others."""
    other = QuorumSet(3, FIVE)
    node = Node()
    node.play(START + "12: PREPARE 1m => -")
    assert emitted(node.slot.receive(statement(FIVE[3], "PREPARE 1m", other), 0)) == []
    node.driver.known[other.digest()] = other
    node.play("revalidate => PREPARE 1m p=1m timer")


def test_a_sender_counts_with_the_quorum_set_of_its_statement() -> None:
    """Slices are taken from configuration, and two nodes count different quorums."""
    needy = QuorumSet(5, FIVE)
    node = Node()
    node.driver.known[needy.digest()] = needy
    node.play(START + "12: PREPARE 1m => -")
    assert emitted(node.slot.receive(statement(FIVE[3], "PREPARE 1m", needy), 0)) == [], "v3 needs v4 too"
    assert len(emitted(node.slot.receive(statement(FIVE[4], "PREPARE 1m"), 0))) == 1


def test_who_decided_needs_no_slice_any_more() -> None:
    """A decided node whose quorum set is gone keeps the others from deciding."""
    gone = QuorumSet(5, FIVE)
    node = Node()
    for peer in (1, 2, 3):
        effects = node.slot.receive(statement(FIVE[peer], "EXTERNALIZE 1m h=1", gone), 0)
    assert decided(effects) == [b"m"]


def test_a_quorum_set_that_is_not_sane_makes_a_statement_worthless() -> None:
    node = Node()
    twice = QuorumSet(1, (b"v1", b"v1"))
    digest = bytes(31) + b"\1"
    node.driver.known[digest] = twice
    said = replace(statement(FIVE[1], "PREPARE 1m"), quorum_set=digest)
    assert ignored(node.slot.receive(said, 0)) == "a member stands in it twice"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param(replace(nominate(1, "x"), slot=SLOT + 1), "another slot", id="another slot"),
        pytest.param(nominate(0, "x"), "own", id="said by oneself, and replayed"),
        pytest.param(statement(FIVE[1], "CONFIRM 1x p=1 c=2 h=1"), "CONFIRM needs c <= h <= b", id="not sane"),
    ],
)
def test_refused(said: object, reason: str) -> None:
    node = Node()
    assert ignored(node.slot.receive(said, 0)) == reason  # type: ignore[arg-type]
    assert node.slot.statements() == []


def test_nominations_after_the_decision_are_ignored() -> None:
    node = Node()
    node.play(DECIDED)
    assert ignored(node.slot.receive(nominate(1, "x"), 0)) == "decided"
    assert node.slot.nominate(b"x", 0) == []


def test_strangers_do_not_fill_the_memory() -> None:
    node = Node()
    for n in range(SENDERS_MAX):
        assert ignored(node.slot.receive(statement(b"s%d" % n, "PREPARE 1m"), 0)) is None
    assert ignored(node.slot.receive(statement(b"one more", "PREPARE 1m"), 0)) == "too many senders"
    assert ignored(node.slot.receive(statement(b"s5", "PREPARE 2m"), 0)) is None, "known ones may go on"


def test_a_watcher_says_nothing_and_learns_the_decision() -> None:
    node = Node(voting=False)
    node.play("""
        12: PREPARE 1m p=1m => -
        34: PREPARE 1m p=1m => - timer
        123: CONFIRM 1m p=1 c=1 h=1 => - timer
        4: CONFIRM 1m p=1 c=1 h=1   => - decides m
    """)
    assert node.slot.own_statements() == []
    assert all(said.node != FIVE[0] for said in node.slot.statements())
    assert node.slot.latest_ballot(FIVE[0]) == statement(FIVE[0], "EXTERNALIZE 1m h=1"), "where it stands can be seen"


def test_a_watcher_never_completes_a_quorum() -> None:
    """A node that forgot what it voted counts its vote again, the other way."""
    node = Node(voting=False)
    node.play("123: EXTERNALIZE 1m h=1 => -")
    assert node.slot.externalized is None, "three of four needed decided; the fourth may not be the watcher itself"


def test_statements_for_stragglers_are_the_newest_of_each_and_only_what_was_sent() -> None:
    node = Node()
    node.slot.receive(nominate(1, "m"), 0)
    node.play(DECIDED)
    held = node.slot.statements()
    assert len(held) == 1 + 4
    assert {type(s).__name__ for s in held if s.node != FIVE[1]} == {"Externalize", "Confirm"}
    silent = not_at_hand()
    silent.play("12: EXTERNALIZE 1m h=1 => -")
    assert silent.slot.own_statements() == []


def test_effects_come_in_the_order_in_which_they_must_be_done() -> None:
    """A decision is carried out that the disk does not know of."""
    alone = QuorumSet(1, (FIVE[0],))
    slot = Slot(FIVE[0], SLOT, alone, ScriptedDriver(alone), previous=PREVIOUS)
    names = [type(e).__name__ for e in slot.nominate(b"m", 0)]
    assert names[:3] == ["Emit", "Emit", "Externalized"]
    assert Externalized(SLOT, b"m", 1, 1) not in slot.revalidate(0)
