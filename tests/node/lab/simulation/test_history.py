"""What an author's history must not hold: each row is one thing an honest member never says after another."""

import pytest

from coordinator.voting import Ballot, Confirm, Externalize, Nominate, Prepare, Statement
from node.lab.simulation.history import History
from node.lab.simulation.outcome import Violated

ME = b"me"
HEAD = ME, 3, bytes(32)


def named(text: str) -> Ballot:
    return Ballot(int(text[:-1]), text[-1:].encode())


def prepare(b: str, p: str = "", q: str = "", c: int = 0, h: int = 0) -> Prepare:
    return Prepare(*HEAD, named(b), named(p) if p else None, named(q) if q else None, c, h)


def confirm(b: str, p: int, c: int, h: int) -> Confirm:
    return Confirm(*HEAD, named(b), p, c, h)


def externalize(c: str, h: int) -> Externalize:
    return Externalize(*HEAD, named(c), h)


def nominate(votes: str, accepted: str = "") -> Nominate:
    return Nominate(*HEAD, tuple(v.encode() for v in votes), tuple(a.encode() for a in accepted))


COMMITTING = prepare("2x", "2x", c=1, h=2)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param([nominate("a"), nominate("ab"), nominate("ab", "a")], id="nominations grow"),
        pytest.param([prepare("1x"), nominate("a"), prepare("1x", "1x"), prepare("2x", "1x")], id="two protocols"),
        pytest.param([COMMITTING, prepare("3x", "3x", c=1, h=3)], id="a vote that widens"),
        pytest.param([COMMITTING, prepare("3y", "3y", "2x")], id="a vote that was aborted"),
        pytest.param([COMMITTING, prepare("3y", "3y"), prepare("4y", "4z", "3y")], id="aborted for good"),
        pytest.param(
            [COMMITTING, confirm("2x", 2, 1, 2), confirm("3x", 3, 1, 3), externalize("1x", 3)], id="to the end"
        ),
        pytest.param([COMMITTING, prepare("3y", "3y"), confirm("4y", 4, 4, 4)], id="commits what aborted its vote"),
        pytest.param([COMMITTING, confirm("4y", 4, 4, 4)], id="accepts at once what aborts its vote"),
    ],
)
def test_an_honest_history(said: list[Statement]) -> None:
    """Every run would fail."""
    history = History(ME)
    for statement in said:
        history.say(statement)
    history.repeat(said[-1])


@pytest.mark.parametrize(
    ("said", "then"),
    [
        pytest.param([nominate("ab")], nominate("ac"), id="a nomination taken back"),
        pytest.param([nominate("a")], nominate("a"), id="a nomination twice"),
        pytest.param([prepare("2x")], prepare("1x"), id="a lower ballot"),
        pytest.param([prepare("2x", "2x")], prepare("2x", "1x"), id="a lower p"),
        pytest.param([prepare("2x", "2x")], prepare("3x", "1y"), id="a lower p under a higher ballot"),
        pytest.param([prepare("2x", "2x")], prepare("3x"), id="no p any more"),
        pytest.param([prepare("2x", "2y", "2x")], prepare("3x", "2x"), id="p forgotten for its p′"),
        pytest.param([COMMITTING], prepare("3y", "2x", h=0), id="a vote to commit dropped for another value"),
        pytest.param([COMMITTING], prepare("3x", "2x", h=2), id="a vote to commit dropped"),
        pytest.param([COMMITTING], prepare("3x", "3x", c=2, h=3), id="a vote to commit narrowed"),
        pytest.param([COMMITTING], confirm("2w", 2, 1, 1), id="a commit that its vote forbids"),
        pytest.param([prepare("5y", "5y")], confirm("6x", 6, 4, 6), id="accepts a commit that it aborted"),
        pytest.param([prepare("5y", "5y")], externalize("4x", 6), id="decides what it aborted"),
        pytest.param([confirm("2x", 2, 1, 2)], prepare("3x", "3x"), id="back to prepare"),
        pytest.param([confirm("2x", 2, 1, 2)], confirm("3y", 3, 1, 3), id="confirms another"),
        pytest.param([confirm("2x", 2, 1, 2)], externalize("2y", 3), id="externalizes another"),
        pytest.param([externalize("2x", 3)], externalize("2x", 4), id="externalizes again"),
        pytest.param([], Nominate(b"you", 3, bytes(32), (b"a",), ()), id="another's voice"),
    ],
)
def test_what_no_honest_member_says(said: list[Statement], then: Statement) -> None:
    """A member that contradicts itself over a restart would go unnoticed."""
    history = History(ME)
    for statement in said:
        history.say(statement)
    with pytest.raises(Violated, match="history"):
        history.say(then)


def test_only_the_newest_is_repeated() -> None:
    history = History(ME)
    history.say(prepare("1x"))
    history.say(prepare("2x"))
    history.repeat(prepare("2x"))
    with pytest.raises(Violated, match="history"):
        history.repeat(prepare("1x"))


def test_slots_do_not_mix_and_one_is_decided_once() -> None:
    history = History(ME)
    history.say(prepare("2x"))
    history.say(Prepare(ME, 4, bytes(32), named("1y")))
    history.decide(3, b"x")
    history.decide(4, b"y")
    history.decide(3, b"x")
    with pytest.raises(Violated, match="twice"):
        history.decide(4, b"x")
