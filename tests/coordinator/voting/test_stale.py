"""What is old or elsewhere changes nothing: statements, counters, ballots below the highest."""

from dataclasses import replace

import pytest

from tests.coordinator.voting.test_ballot_prepare import START
from tests.coordinator.voting.world import FIVE, SLOT, Node, ballot, ignored, nominate, statement


@pytest.mark.parametrize("text", ["PREPARE 2m p=1m", "PREPARE 1z", "PREPARE 2m"])
def test_an_old_ballot_statement_takes_no_newer_ones_place(text: str) -> None:
    """A message that was held up, or is replayed, brings votes back that were withdrawn."""
    node = Node()
    node.play(START + "1: PREPARE 2m p=2m => -")
    assert ignored(node.hears(1, text)) == "stale"
    assert node.slot.latest_ballot(FIVE[1]) == statement(FIVE[1], "PREPARE 2m p=2m")


def test_a_prepare_after_a_confirm_is_old() -> None:
    node = Node()
    node.play(START + "1: CONFIRM 2m p=2 c=1 h=2 => -")
    assert ignored(node.hears(1, "PREPARE 9m p=9m")) == "stale"


def test_an_old_nomination_takes_no_newer_ones_place() -> None:
    node = Node()
    node.slot.receive(nominate(1, "xy"), 0)
    assert ignored(node.slot.receive(nominate(1, "x"), 0)) == "stale"
    assert node.slot.latest_nomination(FIVE[1]) == nominate(1, "xy")


@pytest.mark.parametrize("value", ["a", "m", "z"])
@pytest.mark.parametrize("counter", [1, 2, 3])
def test_a_ballot_at_or_below_its_own_is_not_taken_up(value: str, counter: int) -> None:
    node = Node()
    node.slot.bump(b"m", 0, counter=4)
    assert node.slot.bump(value.encode(), 0, counter=counter) == []
    assert node.slot.b == ballot("4m")


def test_what_is_confirmed_below_the_highest_changes_no_value() -> None:
    """All have once accepted 1a too, and one names it again above: what is carried on is still z, of 2z."""
    node = Node()
    node.play("123: PREPARE 2z p=2z p'=1a => PREPARE 2z p=2z p'=1a c=2 h=2 timer")
    node.play("4: PREPARE 2z p=2z p'=1a => - timer")
    node.play("1: PREPARE 3a p=3a => - timer")
    assert (node.slot.h, node.slot.value_override) == (ballot("2z"), b"z")


@pytest.mark.parametrize("text", ["PREPARE 1m", "CONFIRM 1m p=1 c=1 h=1", "EXTERNALIZE 1m h=1"])
def test_a_statement_of_another_slot_is_refused(text: str) -> None:
    node = Node()
    for slot in (SLOT - 1, SLOT + 1):
        assert ignored(node.slot.receive(replace(statement(FIVE[1], text), slot=slot), 0)) == "another slot"
    assert node.slot.latest_ballot(FIVE[1]) is None
