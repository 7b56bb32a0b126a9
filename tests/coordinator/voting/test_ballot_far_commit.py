"""A liar that claims to commit a counter that nobody will ever reach must not draw an honest node there."""

from tests.coordinator.voting.test_ballot_commit import COMMITTED
from tests.coordinator.voting.world import Node


def test_what_was_accepted_is_not_left_for_a_counter_that_one_peer_invents() -> None:
    """One liar in five stops the slot for ever: the node no longer says that it accepts what all others do."""
    node = Node()
    node.play(COMMITTED)
    node.play("""
        4: CONFIRM infm p=inf c=inf h=inf  => - timer
        1: CONFIRM 2m p=2 c=2 h=2          => - timer
        2: CONFIRM 2m p=2 c=2 h=2          => CONFIRM 2m p=inf c=2 h=2 timer
        3: CONFIRM 2m p=2 c=2 h=2          => EXTERNALIZE 2m h=2 decides m
    """)


def test_it_follows_as_soon_as_others_get_there() -> None:
    """A range that honest members reach without this node is the only one left to meet at."""
    node = Node()
    node.play(COMMITTED)
    node.play("""
        12: CONFIRM 9m p=9 c=9 h=9 => CONFIRM 9m p=9 c=9 h=9
        3: CONFIRM 9m p=9 c=9 h=9  => EXTERNALIZE 9m h=9 decides m
    """)
