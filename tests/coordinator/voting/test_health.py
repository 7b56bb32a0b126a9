"""Who keeps a slot from being decided, as one of five sees it."""

from coordinator.voting import SlotHealth, slot_health
from tests.coordinator.voting.test_ballot_commit import DECIDED
from tests.coordinator.voting.world import FIVE, Node, nominate

V1, V2, V3, V4 = FIVE[1:]


def test_each_member_stands_in_one_list() -> None:
    """The person who looks for the cause is sent to the wrong machine."""
    node = Node()
    assert slot_health(node.slot) == SlotHealth(None, (), (), (), (V1, V2, V3, V4), is_blocked=True)
    node.slot.receive(nominate(1, "m"), 0)
    node.slot.receive(nominate(4, "z"), 0)
    assert slot_health(node.slot) == SlotHealth(None, (V1, V4), (), (), (V2, V3), is_blocked=True)
    node.play("""
        start m       => PREPARE 1m
        2: PREPARE 1m => -
        3: PREPARE 1z => -
        bump m        => PREPARE 2m
        4: PREPARE 3m => -
    """)
    assert slot_health(node.slot) == SlotHealth(b"m", (V4,), (V1, V2), (V3,), (), is_blocked=False)


def test_a_decided_member_is_beyond_every_counter() -> None:
    node = Node()
    node.play(DECIDED + "4: EXTERNALIZE 1m h=2 => -")
    assert slot_health(node.slot) == SlotHealth(b"m", (V1, V2, V3, V4), (), (), (), is_blocked=False)


def test_a_slot_is_blocked_by_who_is_missing_together_with_who_disagrees() -> None:
    node = Node()
    node.play("start m => PREPARE 1m\n12: PREPARE 1m => -\n3: PREPARE 1z => - timer")
    found = slot_health(node.slot)
    assert (found.disagree, found.missing, found.is_blocked) == ((V3,), (V4,), True)
