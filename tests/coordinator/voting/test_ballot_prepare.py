"""Preparing ballots, seen from one of five nodes with threshold 4: two are v-blocking, v0 and three more a quorum."""

import pytest

from coordinator.voting import QuorumSet
from tests.coordinator.voting.world import FIVE, Node, with_value

START = """
    start m => PREPARE 1m
"""
PREPARED = (
    START
    + """
    123: PREPARE 1m => PREPARE 1m p=1m timer
"""
)
BUMPED = (
    PREPARED
    + """
    bump m          => PREPARE 2m p=1m
    123: PREPARE 2m => PREPARE 2m p=2m timer
"""
)
CONFIRMED = (
    BUMPED
    + """
    123: PREPARE 2m p=2m => PREPARE 2m p=2m c=2 h=2 timer
"""
)
SWITCHED = (
    PREPARED
    + """
    12: PREPARE 1z p=1z => PREPARE 1m p=1z p'=1m timer
    12: PREPARE 2z      => PREPARE 2m p=1z p'=1m   # two are ahead: jump; no quorum is there, so the timer stops
    12: PREPARE 2z p=2z => PREPARE 2m p=2z p'=1m   # p rises within its value and p′ stays
"""
)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(START, id="a first ballot is a vote to prepare it"),
        pytest.param(PREPARED, id="v0 and three votes are a quorum: accept prepared, and the timer starts"),
        pytest.param(PREPARED + "4: PREPARE 1m => - timer", id="one vote more changes nothing"),
        pytest.param(PREPARED + "1: PREPARE 1m => ignored: stale timer", id="the same statement again is stale"),
        pytest.param(
            START + "1234: PREPARE 1a => PREPARE 1m p=1a timer",
            id="what the four others vote for is accepted without a vote of one's own",
        ),
        pytest.param(
            START + "12: PREPARE 1z p=1z => PREPARE 1m p=1z",
            id="two that accept are v-blocking: accept against one's own vote; no quorum is near, so no timer",
        ),
        pytest.param(START + "12: PREPARE 1z => -", id="two that only vote are v-blocking, but that is no acceptance"),
        pytest.param(CONFIRMED, id="a quorum accepts 2m: confirmed prepared, so vote to commit it"),
        pytest.param(CONFIRMED + "4: PREPARE 2m p=2m => - timer", id="a fifth acceptance changes nothing"),
        pytest.param(
            START
            + """
            12: PREPARE 1m p=1m => PREPARE 1m p=1m
            3: PREPARE 1m p=1m  => PREPARE 1m p=1m c=1 h=1 timer
            """,
            id="accepted with the second that accepts, confirmed with the third",
        ),
    ],
)
def test_prepare(script: str) -> None:
    """A ballot is accepted or confirmed too early, too late, or without its reason."""
    Node().play(script)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            PREPARED + "12: PREPARE 1z p=1z => PREPARE 1m p=1z p'=1m timer",
            id="a higher ballot of another value becomes p, and p becomes p′",
        ),
        pytest.param(
            PREPARED + "12: PREPARE 2a p=1a => PREPARE 2m p=1m p'=1a",
            id="a lower one of another value becomes p′",
        ),
        pytest.param(SWITCHED, id="p rises within its value and p′ stays"),
        pytest.param(
            SWITCHED + "12: PREPARE 2z p=2z p'=2n => PREPARE 2m p=2z p'=2n", id="p′ rises to a third value below p"
        ),
        pytest.param(
            SWITCHED
            + """
            12: PREPARE 3z            => PREPARE 3m p=2z p'=1m
            12: PREPARE 3z p=2z p'=1a => -
            """,
            id="p′ never falls",
        ),
        pytest.param(
            PREPARED
            + """
            12: PREPARE 1x p=1x       => PREPARE 1m p=1x p'=1m timer
            12: PREPARE 2x            => PREPARE 2m p=1x p'=1m
            12: PREPARE 2x p=2z p'=1x => PREPARE 2m p=2z p'=1x
            """,
            id="the old p becomes p′ where the new one is of another value",
        ),
        pytest.param(
            SWITCHED
            + """
            12: PREPARE 3z      => PREPARE 3m p=2z p'=1m
            12: PREPARE 3z p=1z => -
            """,
            id="what p covers is accepted already",
        ),
        pytest.param(
            PREPARED
            + """
            1: PREPARE 1z   => - timer
            2: PREPARE 1z   => - timer
            34: PREPARE 1z  => PREPARE 1m p=1z p'=1m timer
            """,
            id="the four others turn to a higher value together: it is accepted too",
        ),
    ],
)
def test_p_and_p_prime(script: str) -> None:
    """p and p′ are not the two highest incompatible ballots, so a vote to commit may be kept that was given up."""
    Node().play(script)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(
            BUMPED
            + """
            12: PREPARE 2z p=2z p'=2m => PREPARE 2m p=2z p'=2m timer
            3: PREPARE 2m p=2m        => PREPARE 2m p=2z p'=2m h=2 timer   # 2m is confirmed, but 2z aborts it: no c
            4: PREPARE 2m p=2m        => - timer
            """,
            id="h without c where p aborts h",
        ),
        pytest.param(
            BUMPED
            + """
            12: PREPARE 2z p=2z p'=2m => PREPARE 2m p=2z p'=2m timer
            3: PREPARE 2z p=2z        => PREPARE 2z p=2z p'=2m c=2 h=2 timer
            4: PREPARE 2z p=2z        => - timer
            """,
            id="the higher ballot is confirmed by the others: move b to it and commit it",
        ),
        pytest.param(
            BUMPED
            + """
            12: PREPARE 2m p=2m p'=2a => PREPARE 2m p=2m p'=2a timer
            3: PREPARE 2m p=2m        => PREPARE 2m p=2m p'=2a c=2 h=2 timer   # 2a is below: it aborts nothing
            """,
            id="a lower p′ does not keep c from being set",
        ),
        pytest.param(
            BUMPED
            + """
            12: PREPARE 2m p=2m p'=2a => PREPARE 2m p=2m p'=2a timer
            34: PREPARE 2m p=2a       => - timer   # 2a confirmed, but b is above it and of another value
            """,
            id="h stays unset where b is above it and incompatible",
        ),
        pytest.param(
            CONFIRMED
            + """
            12: PREPARE 2z p=2z => PREPARE 2m p=2z p'=2m h=2 timer   # c withdrawn, h stays
            """,
            id="a vote to commit is withdrawn when p aborts h",
        ),
        pytest.param(
            with_value("z", CONFIRMED) + "12: PREPARE 3a p=2a c=2 h=2 => PREPARE 3z p=2z p'=2a c=2 h=2",
            id="a lower p′ withdraws nothing",
        ),
        pytest.param(
            CONFIRMED
            + """
            12: PREPARE 3m p=3z p'=2m h=2 => PREPARE 3m p=3z p'=2m h=2
            3: PREPARE 3m p=3z p'=2m h=2  => PREPARE 3z p=3z p'=3m c=3 h=3 timer
            """,
            id="h rises to another value and b follows, since b is below it",
        ),
        pytest.param(
            with_value("z", CONFIRMED)
            + """
            12: PREPARE 3z p=3m p'=2z h=2 => PREPARE 3z p=3m p'=2z h=2       # 3m aborts 2z: c withdrawn
            3: PREPARE 3z p=3m p'=2z h=2  => PREPARE 3z p=3z p'=3m h=2 timer # 3m confirmed, but b=3z is above it
            timeout                       => PREPARE 4m p=3z p'=3m h=3       # z overrides: the next ballot carries m
            """,
            id="value override: what is confirmed prepared is what the next ballot carries",
        ),
        pytest.param(
            """
            start y              => PREPARE 1y
            12: PREPARE 1x p=1x  => PREPARE 1y p=1x
            34: PREPARE 1x p=1x  => - timer
            timeout              => PREPARE 2x p=1x h=1
            """,
            id="value override when h could not be set: c stays unset, as b passed h",
        ),
        pytest.param(
            START
            + """
            12: PREPARE 1m p=1m => PREPARE 1m p=1m
            3: PREPARE 1m p=1m  => PREPARE 1m p=1m c=1 h=1 timer
            bump y              => PREPARE 2m p=1m c=1 h=1
            """,
            id="locked on h: another value cannot be forced",
        ),
        pytest.param(
            START
            + """
            123: PREPARE 1m                => PREPARE 1m p=1m timer
            bump m                         => PREPARE 2m p=1m
            bump m                         => PREPARE 3m p=1m
            12: PREPARE 2m p=2m c=1 h=2    => PREPARE 3m p=2m
            3: PREPARE 2m p=2m c=1 h=2     => PREPARE 3m p=2m h=2   # confirmed, but b is past it: no c
            """,
            id="old statements still raise p and h after timeouts",
        ),
        pytest.param(
            START
            + """
            123: PREPARE 1m             => PREPARE 1m p=1m timer
            bump m                      => PREPARE 2m p=1m
            123: PREPARE 1m p=1m        => PREPARE 2m p=1m h=1
            12: PREPARE 2m p=2m c=1 h=1 => PREPARE 2m p=2m h=1
            3: PREPARE 2m p=2m c=1 h=1  => PREPARE 2m p=2m c=2 h=2 timer
            4: PREPARE 2m p=2m c=1 h=1  => CONFIRM 2m p=2 c=1 h=1 timer  # the four others vote to commit 1m
            """,
            id="the others' lower commit wins over one's own higher one",
        ),
    ],
)
def test_confirm_prepared(script: str) -> None:
    """h or c is chosen wrongly: a commit vote that the abort of its ballot forbids, or one that never comes."""
    Node().play(script)


def test_a_confirmed_ballot_is_accepted_too_where_a_higher_one_came_first() -> None:
    """b moves to 5z without a p′ that says why, so the vote to commit 2m is dropped and not given up.

    With slices of one in two, a single statement of v1 is a quorum: its vote makes v0 accept 9m, and its p confirms 5z.
    """
    Node(QuorumSet(1, FIVE[1:3])).play("""
        start m            => PREPARE 1m
        1: PREPARE 2m p=2m => PREPARE 2m p=2m c=1 h=2 timer
        1: PREPARE 9m p=5z => PREPARE 5z p=9m p'=5z h=5 timer
    """)
