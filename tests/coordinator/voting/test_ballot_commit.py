"""Committing and deciding, seen from one of five nodes with threshold 4, and meeting a network with another value."""

import pytest

from coordinator.voting import Befouled
from tests.coordinator.voting.test_ballot_prepare import CONFIRMED, START
from tests.coordinator.voting.world import Node, ignored, with_value

COMMITTED = (
    CONFIRMED
    + """
    123: PREPARE 2m p=2m c=2 h=2 => CONFIRM 2m p=2 c=2 h=2 timer
"""
)
AT_THREE = (
    COMMITTED
    + """
    12: PREPARE 3m p=2m c=2 h=2 => CONFIRM 3m p=2 c=2 h=2
    3: PREPARE 3m p=2m c=2 h=2  => CONFIRM 3m p=3 c=2 h=2 timer
"""
)
DECIDED = (
    COMMITTED
    + """
    123: CONFIRM 2m p=2 c=2 h=2 => EXTERNALIZE 2m h=2 decides m
"""
)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(COMMITTED, id="a quorum votes to commit 2m: accept it"),
        pytest.param(
            CONFIRMED + "12: PREPARE 2m p=2m c=2 h=2 => - timer", id="v-blocking votes to commit are not enough"
        ),
        pytest.param(
            CONFIRMED + "12: CONFIRM 2m p=2 c=2 h=2 => CONFIRM 2m p=2 c=2 h=2 timer",
            id="two that accept the commit are enough",
        ),
        pytest.param(
            CONFIRMED + "12: CONFIRM 4m p=4 c=3 h=4 => CONFIRM 4m p=4 c=3 h=4",
            id="the two accept more and higher: follow them",
        ),
        pytest.param(
            CONFIRMED + "12: EXTERNALIZE 2m h=2 => CONFIRM infm p=inf c=2 h=inf",
            id="two that decided accept every counter from theirs up",
        ),
        pytest.param(
            START
            + """
            1: CONFIRM 3m p=3 c=3 h=3 => -
            2: CONFIRM 4m p=4 c=2 h=4 => CONFIRM 3m p=3 c=3 h=3   # only 3 is in both ranges
            """,
            id="straight from a first ballot, on what both ranges share",
        ),
        pytest.param(
            START
            + """
            1: EXTERNALIZE 2m h=4 => -
            2: EXTERNALIZE 3m h=5 => CONFIRM infm p=inf c=3 h=inf
            """,
            id="straight from a first ballot after two that decided, from the higher of their counters",
        ),
        pytest.param(
            """
            12: EXTERNALIZE 1m h=1 => CONFIRM infm p=inf c=1 h=inf
            3: EXTERNALIZE 1m h=1  => EXTERNALIZE 1m h=inf decides m
            """,
            id="catching up from decisions alone, with no ballot of one's own",
        ),
        pytest.param(
            """
            1: EXTERNALIZE 1m h=1 => -
            2: EXTERNALIZE 2m h=2 => CONFIRM infm p=inf c=2 h=inf
            3: EXTERNALIZE 1m h=3 => EXTERNALIZE 2m h=inf decides m
            4: EXTERNALIZE 2m h=2 => -
            """,
            id="decisions at different counters are the same decision",
        ),
        pytest.param(
            AT_THREE + "123: PREPARE 3m p=3m c=2 h=3 => CONFIRM 3m p=3 c=2 h=3 timer",
            id="a quorum votes to commit more: the range grows upward",
        ),
        pytest.param(
            AT_THREE + "12: CONFIRM 3m p=3 c=2 h=3 => CONFIRM 3m p=3 c=2 h=3 timer",
            id="two accept more: the range grows upward",
        ),
        pytest.param(
            AT_THREE + "12: CONFIRM 5m p=3 c=4 h=5 => CONFIRM 5m p=3 c=4 h=5",
            id="the others moved their range past this one's; p says no more than they said of theirs",
        ),
        pytest.param(
            AT_THREE + "12: EXTERNALIZE 4m h=5 => CONFIRM infm p=inf c=4 h=inf",
            id="the others decided on a later range",
        ),
        pytest.param(
            COMMITTED + "12: PREPARE 3m p=3m c=2 h=2 => CONFIRM 3m p=3 c=2 h=2",
            id="p rises within the value, b follows",
        ),
        pytest.param(
            COMMITTED + "12: PREPARE 3m p=3z p'=3m c=2 h=2 => CONFIRM 3m p=3 c=2 h=2",
            id="a commit once accepted, another value's p is of no interest",
        ),
    ],
)
def test_accept_commit(script: str) -> None:
    """A commit is accepted without a quorum's votes or a v-blocking set's acceptance, or with the wrong range."""
    Node().play(script)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(DECIDED, id="a quorum accepts the commit: decided, and no timer runs"),
        pytest.param(DECIDED + "4: CONFIRM 2m p=2 c=2 h=2 => -", id="decided once"),
        pytest.param(DECIDED + "1: CONFIRM 2m p=2 c=2 h=2 => ignored: stale", id="stale stays stale"),
        pytest.param(
            DECIDED + "4: CONFIRM 9z p=9 c=9 h=9 => ignored: another value was externalized",
            id="another value comes too late",
        ),
        pytest.param(DECIDED + "bump z => -", id="no ballot follows a decision"),
        pytest.param(
            AT_THREE
            + """
            123: PREPARE 3m p=3m c=2 h=3 => CONFIRM 3m p=3 c=2 h=3 timer
            123: CONFIRM 3m p=3 c=2 h=3  => EXTERNALIZE 2m h=3 decides m
            """,
            id="the whole range is decided",
        ),
        pytest.param(
            START
            + """
            123: PREPARE 1m             => PREPARE 1m p=1m timer
            123: PREPARE 1m p=1m        => PREPARE 1m p=1m c=1 h=1 timer
            123: PREPARE 1m p=1m c=1 h=1 => CONFIRM 1m p=1 c=1 h=1 timer
            1: CONFIRM 4m p=4 c=2 h=4   => - timer
            2: CONFIRM 6m p=6 c=2 h=6   => CONFIRM 4m p=4 c=2 h=4
            4: CONFIRM 6m p=6 c=3 h=6   => EXTERNALIZE 3m h=4 decides m
            """,
            id="ranges differ: what all four share, 3 to 4, is decided",
        ),
        pytest.param(
            COMMITTED + "12: CONFIRM 2m p=2 c=2 h=2 => - timer", id="three that accept, with this node, are no quorum"
        ),
    ],
)
def test_confirm_commit(script: str) -> None:
    """A slot is decided without a quorum that accepts the commit, twice, or never."""
    Node().play(script)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            CONFIRMED
            + """
            12: PREPARE 2z p=2z         => PREPARE 2m p=2z p'=2m h=2 timer
            3: PREPARE 2z p=2z c=2 h=2  => PREPARE 2z p=2z p'=2m c=2 h=2 timer
            12: PREPARE 2z p=2z c=2 h=2 => CONFIRM 2z p=2 c=2 h=2 timer
            """,
            id="the others commit a higher value at the same counter",
        ),
        pytest.param(
            CONFIRMED
            + """
            12: PREPARE 3z p=2z c=2 h=2 => PREPARE 3m p=2z p'=2m h=2
            3: PREPARE 3z p=2z c=2 h=2  => - timer
            4: PREPARE 3z p=2z c=2 h=2  => CONFIRM 3z p=3 c=2 h=2 timer
            """,
            id="the others commit a higher value and moved on: with the fourth they need no vote of v0's",
        ),
        pytest.param(
            with_value("z", CONFIRMED)
            + """
            12: PREPARE 3a p=2a c=2 h=2 => PREPARE 3z p=2z p'=2a c=2 h=2
            3: PREPARE 3a p=2a c=2 h=2  => - timer
            4: PREPARE 3a p=2a c=2 h=2  => CONFIRM 3a p=3 c=2 h=2 timer
            """,
            id="also a lower value, once the four others commit it",
        ),
        pytest.param(
            with_value("z", CONFIRMED) + "1: PREPARE 2a p=2a => ignored: stale timer",
            id="going back to a lower value at the same counter is no news",
        ),
        pytest.param(
            COMMITTED + "12: CONFIRM 2z p=3 c=2 h=2 => - timer",
            id="after accepting to commit m, another value's commit",
        ),
        pytest.param(
            COMMITTED
            + """
            12: CONFIRM 3z p=3 c=3 h=3 => CONFIRM 3m p=2 c=2 h=2        # only the counter is followed
            34: CONFIRM 3z p=3 c=3 h=3 => - timer
            timeout                    => CONFIRM 4m p=2 c=2 h=2 timer   # who accepted a commit is at every counter
            """,
            id="stuck rather than wrong: a whole network that commits another value does not turn this node",
        ),
        pytest.param(
            COMMITTED
            + """
            12: EXTERNALIZE 2z h=3 => - timer    # their counter is INFINITY: nowhere to jump to
            34: EXTERNALIZE 2z h=3 => - timer
            timeout                => CONFIRM 3m p=2 c=2 h=2 timer
            """,
            id="conflicting decisions never push a counter to INFINITY",
        ),
    ],
)
def test_another_value(script: str) -> None:
    """The node commits two values, or does not follow a network that may be followed."""
    Node().play(script)


def test_a_v_blocking_set_is_followed_even_against_what_was_accepted_and_said_so() -> None:
    """A befouled node halts for ever, or nobody learns that too many members lie."""
    node = Node()
    node.play(with_value("z", CONFIRMED))
    assert not any(isinstance(e, Befouled) for e in node.hears(1, "CONFIRM 2a p=2 c=2 h=2"))
    effects = node.hears(2, "CONFIRM 2a p=2 c=2 h=2")  # v0 accepted 2z prepared, which aborts 2a
    assert [e.value for e in effects if isinstance(e, Befouled)] == [b"a"]
    assert str(node.slot.p) == str(node.slot.b) == str(node.slot.h) == str(node.slot.c)
    assert node.slot.b is not None
    assert node.slot.b.value == b"a"


def test_p_never_claims_more_than_was_accepted() -> None:
    """Two liars whose p is below their h leave the node with a p that is not set, and an assertion fails."""
    node = Node()
    for peer in (1, 2):
        assert ignored(node.hears(peer, "CONFIRM 5m p=0 c=2 h=5")) is None
    assert node.slot.p == node.slot.h
