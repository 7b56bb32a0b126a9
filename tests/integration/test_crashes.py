"""Power cuts: nodes and models that end without a word, alone and under load, and come back."""

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.errors import Exit
from tests.integration.moots import LocalMoot, check_ledgers, common, model_pid, wait_until
from tests.integration.witness import contradictions

QUESTIONS = 20
SEED = 7


def test_the_asked_node_dies_and_the_others_decide(five: LocalMoot) -> None:
    """From the moment that anybody else has the question, its asker is not needed any more."""
    before = five.ask("sage", "What is 3 plus 4?")
    reported = five.client("sage").decision(five.decided(before)["id"])
    question = five.ask("sage", "What is 30 plus 14?")
    known = five.client("scribe")
    five.wait_for("the question at another node", lambda: known.decision(question), 10)
    five.kill("sage")
    decision = five.decided(question)
    assert decision["asked_by"] == "sage"
    five.start_all()
    five.decided(question)
    assert common(five.client("sage").decision(question)) == common(decision)
    assert common(five.client("sage").decision(before)) == common(reported)


def test_the_asked_node_dies_before_anybody_heard(five: LocalMoot) -> None:
    """A node that has said that a question is asked asks it again after a crash: it is on its disk."""
    questions = []
    for _ in range(3):
        wait_until(lambda: five.answers("almanac"), "almanac can be asked")
        questions.append(five.ask("almanac", "How many days has April?"))
        five.kill("almanac")
        five.start("almanac")
    five.wait_whole()
    assert [five.decided(question)["state"] for question in questions] == ["decided"] * 3


@pytest.fixture
def storm(tmp_path: Path) -> Iterator[LocalMoot]:
    with LocalMoot(tmp_path / "moot") as moot:
        moot.found("storm")
        yield moot


def test_random_nodes_die_under_a_stream_of_questions(storm: LocalMoot) -> None:
    """Every question that was taken is decided once, alike everywhere, and nobody contradicts what it said before."""
    chance = random.Random(SEED)
    heard = storm.start_witness("sorter")
    storm.start_all()
    others = [name for name in storm.names if name != "sorter"]
    asked = []
    for number in range(QUESTIONS):
        willing = [name for name in storm.running if storm.answers(name)]
        asked.append(storm.ask(chance.choice(willing), f"What is {number} plus {number}?"))
        if chance.random() < 0.6:
            victim = chance.choice(others)
            storm.kill(victim)
            storm.start(victim)
    storm.wait_whole()
    for question in asked:
        storm.decided(question)
    assert [storm.end(name) for name in storm.names] == [Exit.OK] * 5
    ledgers = check_ledgers(storm)
    assert len({len(ledger) for ledger in ledgers}) == 1
    assert all(entry.statements for ledger in ledgers for entry in ledger)
    assert contradictions(heard) == []


def test_a_model_dies_and_only_its_member_abstains(five: LocalMoot) -> None:
    pid = model_pid(five.home("abacus"))
    os.kill(pid, signal.SIGSTOP)  # So that it is surely in the middle of this question.
    question = five.ask("scribe", "What is 12 plus 13?")
    five.wait_for("others have answered", lambda: five.client("abacus").decision(question)["answered"] >= 4 or None, 20)
    os.kill(pid, signal.SIGKILL)
    states = {member["name"]: member["state"] for member in five.decided(question)["members"]}
    assert states == {name: "abstained" if name == "abacus" else "answered" for name in five.names}
    wait_until(lambda: five.client("abacus").status()["model"]["state"] == "up", "the model is up again")
    assert five.client("abacus").status()["model"]["restarts"] >= 1
    again = five.decided(five.ask("abacus", "What is 12 plus 14?"))
    assert {member["state"] for member in again["members"]} == {"answered"}
