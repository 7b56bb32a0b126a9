"""Nomination, seen from one of five nodes with threshold 4: leaders, echoes, acceptance, candidates, first ballot."""

from collections.abc import Sequence

import pytest

from coordinator.voting import (
    CancelTimer,
    Effect,
    Nominate,
    SetTimer,
    Timer,
    Validity,
)
from coordinator.voting.nomination import ECHOES_MAX, VOTES_CHOSEN_MAX
from tests.coordinator.voting.world import CORE5, FIVE, SLOT, Node, emitted, ignored, nominate, written


def led_by(*leaders: int) -> Node:
    """A node whose rounds are led by these nodes in turn."""
    node = Node()
    node.driver.leader = {round_now: FIVE[leader] for round_now, leader in enumerate(leaders, start=1)}
    return node


def says(effects: Sequence[Effect]) -> str:
    """What the node emitted, in text."""
    return "; ".join(written(s) for s in emitted(effects)) or "-"


def hears(node: Node, peers: Sequence[int], votes: str, accepted: str = "") -> str:
    """What the node emits as the peers nominate these letters, one after the other."""
    said = [says(node.slot.receive(nominate(peer, votes, accepted), node.now_ms)) for peer in peers]
    return " | ".join(text for text in said if text != "-") or "-"


def times_out(node: Node) -> str:
    due = node.slot.next_deadline_ms()
    assert due is not None, "no timer runs"
    node.now_ms = due
    return says(node.slot.fire(Timer.NOMINATION, due))


def test_a_leader_proposes_its_value_and_all_accept_it() -> None:
    node = led_by(0)
    assert says(node.slot.nominate(b"x", 0)) == "NOMINATE x"
    assert node.slot.leaders == (FIVE[0],)
    assert hears(node, [1, 2], "x") == "-"
    assert hears(node, [3], "x") == "NOMINATE x x", "v0 and three vote for x: accepted"
    assert hears(node, [4], "x") == "-"
    assert hears(node, [1, 2], "x", "x") == "-"
    assert hears(node, [3], "x", "x") == "PREPARE 1x", "a quorum accepts x: a candidate, so the first ballot"
    assert hears(node, [4], "x", "x") == "-"
    assert node.slot.candidates == (b"x",)


def test_a_later_candidate_changes_the_composite_but_not_the_running_ballot() -> None:
    node = led_by(0)
    node.slot.nominate(b"x", 0)
    hears(node, [1, 2, 3, 4], "x", "x")
    assert node.slot.composite == b"x"
    assert hears(node, [1], "xy", "xy") == "-"
    assert hears(node, [2], "xy", "xy") == "NOMINATE xy xy", "two that accept are v-blocking, candidate or not"
    assert hears(node, [3, 4], "xy", "xy") == "-"
    assert node.slot.candidates == (b"x", b"y")
    assert node.slot.composite == b"y"
    assert node.slot.b is not None
    assert node.slot.b.value == b"x"
    assert says(node.slot.abandon(0)) == "PREPARE 2y", "the next ballot carries the new composite"


def test_others_may_carry_another_value_past_the_leader() -> None:
    node = led_by(0)
    node.slot.nominate(b"x", 0)
    assert hears(node, [1, 2, 3], "y") == "-", "v0 does not vote for y, and three are no quorum"
    assert hears(node, [4], "y") == "NOMINATE xy y"


def test_a_follower_echoes_only_the_leader() -> None:
    node = led_by(1)
    assert says(node.slot.nominate(b"x", 0)) == "-", "v0 does not lead and must not add a value of its own"
    assert hears(node, [2, 3], "k") == "-"
    assert hears(node, [1], "y") == "NOMINATE y"


def test_one_value_per_statement_and_the_highest_by_hash_first() -> None:
    node = led_by(1, 3)
    node.slot.nominate(None, 0)
    best = max((b"x", b"y"), key=lambda v: node.driver.priority(SLOT, 3, 1, v))
    assert hears(node, [1], "xy") == f"NOMINATE {best.decode()}"
    assert times_out(node) == "NOMINATE xy", "the next round takes another of the old leader's values"
    assert node.slot.leaders == (FIVE[1], FIVE[3])


def test_what_a_leader_accepts_comes_before_what_it_votes_for() -> None:
    node = led_by(1)
    node.slot.nominate(None, 0)
    assert hears(node, [1], "xyz", "y") == "NOMINATE y"
    assert hears(node, [1], "wxyz", "y") == "-", "v0 votes for what the leader accepts already"


def test_what_was_said_before_the_start_counts_at_the_start() -> None:
    """A node that starts late waits for statements that nobody repeats with news."""
    node = led_by(2)
    assert hears(node, [1, 2, 3, 4], "x") == "-", "nothing pends here yet: recorded, no vote"
    assert says(node.slot.nominate(None, 0)) == "NOMINATE x x", "the leader is echoed, and all five vote for x"


def test_acceptance_of_what_no_leader_said_is_found_at_the_start() -> None:
    node = led_by(0)
    assert hears(node, [1, 2], "x", "x") == "-"
    assert says(node.slot.nominate(None, 0)) == "NOMINATE x x"


def test_rounds_add_leaders_and_last_longer() -> None:
    node = led_by(1, 2, 0)
    assert SetTimer(Timer.NOMINATION, 1_000) in node.slot.nominate(b"x", 0)
    assert times_out(node) == "-"
    assert node.slot.next_deadline_ms() == 3_000
    assert node.slot.leaders == (FIVE[1], FIVE[2])
    assert times_out(node) == "NOMINATE x", "now v0 leads and, as nothing was heard, proposes"
    assert node.slot.round == 3


def test_a_round_that_adds_nobody_is_passed_over() -> None:
    node = led_by(1, 1, 1, 2)
    node.slot.nominate(None, 0)
    times_out(node)
    assert node.slot.round == 4


def test_once_everybody_leads_rounds_go_on_one_by_one() -> None:
    node = led_by(0, 1, 2, 3, 4, 0, 1)
    node.slot.nominate(None, 0)
    for _ in range(6):
        times_out(node)
    assert node.slot.leaders == FIVE
    assert node.slot.round == 7


def test_members_without_weight_never_lead_and_are_not_waited_for() -> None:
    """A member that gossip holds dead costs a timeout each time it is drawn."""
    node = Node()
    node.driver.weights = dict.fromkeys(FIVE[1:4], 0)
    node.slot.nominate(None, 0)
    for _ in range(5):
        times_out(node)
    assert node.slot.leaders == (FIVE[0], FIVE[4])
    assert node.slot.round < 60, "with both leading, no round is skipped in search of more"


def test_a_candidate_ends_the_search() -> None:
    """With new votes after a candidate, composites need never settle."""
    node = led_by(1, 0)
    node.slot.nominate(b"z", 0)
    hears(node, [1], "x")
    hears(node, [1, 2], "x", "x")
    effects = node.slot.receive(nominate(3, "x", "x"), 0)
    assert CancelTimer(Timer.NOMINATION) in effects
    assert hears(node, [1], "kx", "kx") == "-", "the leader accepts a new value: too late to vote for it"
    assert node.slot.fire(Timer.NOMINATION, 10_000) == []
    assert says(node.slot.nominate(b"w", 10_000)) == "-"


def test_a_variation_is_a_new_vote_too() -> None:
    node = led_by(1)
    node.driver.validity[b"y"], node.driver.extracted[b"y"] = Validity.INVALID, b"e"
    node.slot.nominate(None, 0)
    assert hears(node, [2, 3], "y", "y") == "NOMINATE e", "what they accept is not valid here, but a variation is"
    late = led_by(1)
    late.driver.validity[b"y"], late.driver.extracted[b"y"] = Validity.INVALID, b"e"
    late.slot.nominate(None, 0)
    hears(late, [1, 2, 3], "x", "x")
    assert hears(late, [2, 3], "xy", "xy") == "-"


def test_a_better_proposal_counts_while_nothing_was_voted_for() -> None:
    node = led_by(1, 0)
    node.slot.nominate(b"x", 0)
    node.slot.nominate(b"y", 0)
    assert times_out(node) == "NOMINATE y"
    assert says(node.slot.nominate(b"z", node.now_ms)) == "-"


def test_a_leader_that_had_nothing_proposes_when_it_has_something() -> None:
    node = led_by(0)
    assert says(node.slot.nominate(None, 0)) == "-"
    assert says(node.slot.nominate(b"x", 5)) == "NOMINATE x"


@pytest.mark.parametrize(
    ("validity", "extracted", "said"),
    [
        pytest.param(Validity.FULL, None, "NOMINATE x", id="valid: echoed"),
        pytest.param(Validity.MAYBE, None, "-", id="not at hand: not voted for, since it could not be vouched for"),
        pytest.param(Validity.INVALID, None, "-", id="invalid: not voted for"),
        pytest.param(Validity.INVALID, b"e", "NOMINATE e", id="invalid: a valid variation is"),
    ],
)
def test_only_valid_values_are_voted_for(validity: Validity, extracted: bytes | None, said: str) -> None:
    node = led_by(1)
    node.driver.validity[b"x"] = validity
    if extracted is not None:
        node.driver.extracted[b"x"] = extracted
    node.slot.nominate(None, 0)
    assert hears(node, [1], "x") == said


def test_a_value_that_becomes_known_is_echoed_and_accepted_then() -> None:
    node = led_by(1)
    node.driver.validity[b"x"] = Validity.MAYBE
    node.slot.nominate(None, 0)
    assert hears(node, [1, 2], "x", "x") == "-"
    node.driver.validity[b"x"] = Validity.FULL
    assert says(node.slot.revalidate(0)) == "NOMINATE x x"
    assert says(node.slot.revalidate(0)) == "-"


def test_an_own_value_that_is_not_known_to_be_valid_waits() -> None:
    node = led_by(0)
    node.driver.validity[b"x"] = Validity.MAYBE
    assert says(node.slot.nominate(b"x", 0)) == "-"
    node.driver.validity[b"x"] = Validity.FULL
    assert says(node.slot.revalidate(0)) == "NOMINATE x"


def test_the_first_ballot_waits_until_candidates_can_be_combined() -> None:
    node = led_by(1)
    node.driver.combinable = False
    node.slot.nominate(None, 0)
    hears(node, [1, 2, 3], "x", "x")
    assert node.slot.candidates == (b"x",)
    assert node.slot.b is None
    node.driver.combinable = True
    assert says(node.slot.revalidate(0)) == "PREPARE 1x"


def test_stale_and_empty_nominations_are_ignored() -> None:
    node = led_by(1)
    node.slot.nominate(None, 0)
    hears(node, [1], "xy")
    assert ignored(node.slot.receive(nominate(1, "x"), 0)) == "stale"
    assert ignored(node.slot.receive(nominate(1, "xz"), 0)) == "stale"
    assert ignored(node.slot.receive(nominate(2, ""), 0)) == "a nomination names no value"
    assert ignored(node.slot.receive(nominate(0, "x"), 0)) == "own"


def growing(node: int, count: int) -> Nominate:
    return Nominate(FIVE[node], SLOT, CORE5.digest(), tuple(b"%s%02d" % (FIVE[node], n) for n in range(count)), ())


def test_a_leader_that_floods_fills_no_list() -> None:
    """One liar takes all the room in X before anybody else is heard."""
    node = led_by(1, 2)
    node.slot.nominate(None, 0)
    for count in range(1, 65):
        node.slot.receive(growing(1, count), 0)
    assert len(node.slot.voted) == ECHOES_MAX
    times_out(node)
    node.slot.receive(growing(2, 1), node.now_ms)
    assert b"v200" in node.slot.voted


def test_votes_are_bounded_and_leave_room_for_what_others_accept() -> None:
    """A node whose own statement is longer than allowed falls silent."""
    node = led_by(1, 2, 3, 4, 0)
    node.slot.nominate(None, 0)
    for count in range(1, 65):
        node.slot.receive(growing(1, count), node.now_ms)
        if count % ECHOES_MAX == 0:
            times_out(node)
    assert len(node.slot.voted) == VOTES_CHOSEN_MAX
    assert hears(node, [3, 4], "x", "x").startswith("NOMINATE ")
    assert b"x" in node.slot.accepted
