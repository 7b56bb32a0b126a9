"""`moot roster`: who counts, and the changes that people propose and approve."""

import json
from pathlib import Path
from typing import Any

import pytest

from coordinator.ledger.roster import RosterError
from node.errors import Exit, RosterRefused
from node.founding import CARD_NAME, create_home
from tests.node.cli.conftest import CHANGE, made_roster


@pytest.fixture
def card(tmp_path: Path) -> Path:
    create_home(tmp_path / "dana", name="dana", listen="127.0.0.1:7404", model=None, organization="home")
    return tmp_path / "dana" / CARD_NAME


def test_the_roster_and_what_would_change_it(moot: Any, running: Any) -> None:
    ran = moot("roster")
    assert ran.code == Exit.OK
    lines = [line.split() for line in ran.out.splitlines()]
    assert lines[0] == "member organization weight first address id".split()
    assert [line[0] for line in lines[1:]] == ["ada", "bea", "cleo"]
    assert ran.err.splitlines() == [
        "epoch     2, since slot 5",
        "quorum    3 must vote, 3 must have answered",
        "change    5e5e5e5e5e5e  add dana; remove cleo; turnout 3 to 2",
        'reason    "cleo moved away"',
        "then      3 of 3 members must vote",
        "approved  1 of 3 needed: bea (proposed by bea)",
    ]


def test_a_node_outside_the_roster_says_so(moot: Any, running: Any) -> None:
    running.api.seats = made_roster(epoch=0, in_roster=False, changes=[])
    assert moot("roster").err.splitlines() == [
        "epoch     0, as founded",
        "quorum    3 must vote, 3 must have answered",
        "this node is not in the roster: it follows, and neither asks nor votes",
    ]


def test_json_is_the_report(moot: Any, running: Any) -> None:
    ran = moot("roster", "--json")
    assert json.loads(ran.out) == json.loads(json.dumps(running.api.roster()))
    assert json.loads(moot("roster", "approve", "5e5e", "--json").out) == json.loads(json.dumps(CHANGE))


def test_adding_sends_the_cards(moot: Any, running: Any, card: Path) -> None:
    """A home on this machine is as good as its card."""
    for place in (card, card.parent):
        ran = moot("roster", "add", str(place), "--reason", "one more", "--threshold", "3")
        assert (ran.code, ran.out) == (Exit.OK, f"{CHANGE['id']}\n")
        assert "at 2 other members: moot roster approve 5e5e5e5e5e5e" in ran.err
        assert running.api.asked.pop() == ([json.loads(card.read_text())], [], 3, None, "one more")


def test_removing_and_rules(moot: Any, running: Any) -> None:
    assert moot("roster", "remove", "cleo", "bea", "--turnout", "1").code == Exit.OK
    assert running.api.asked.pop() == ([], ["cleo", "bea"], None, 1, "")
    assert moot("roster", "rules", "--turnout", "2").code == Exit.OK
    assert running.api.asked.pop() == ([], [], None, 2, "")


def test_approving(moot: Any, running: Any) -> None:
    ran = moot("roster", "approve", "5e5e5e")
    assert (ran.code, ran.out) == (Exit.OK, f"{CHANGE['id']}\n")
    assert running.api.asked.pop() == ("5e5e5e",)


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(RosterError(["it changes nothing"]), id="by the core"),
        pytest.param(RosterRefused("it changes nothing"), id="by the node"),
    ],
)
def test_a_refusal_is_told(moot: Any, running: Any, refusal: Exception) -> None:
    running.api.refusal = refusal
    for command in (["remove", "cleo"], ["approve", "5e5e"]):
        ran = moot("roster", *command)
        assert (ran.code, ran.out) == (Exit.ROSTER_REFUSED, "")
        assert "it changes nothing" in ran.err


def test_what_is_no_card_is_not_sent(moot: Any, running: Any, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("{}")
    assert moot("roster", "add", str(tmp_path / "card.json")).code == Exit.USAGE
    assert running.api.asked == []
