"""Questions of a class that one member knows better: three real nodes, a measurement, and what people see of it."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.tally import only
from node.errors import Exit
from node.home import Home
from node.recognizer import learned
from node.standing import ClassStanding, Seat, Standing
from tests.integration.moots import LocalMoot, model_pid, run_moot

NAMES = ("abacus", "almanac", "sage")
QUESTION = "What day is 3 days after Monday?"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WHY = "calendar: almanac alone is right more often than all together (.87 against .78 of 60); only its answer counts"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalMoot]:
    with LocalMoot(tmp_path_factory.mktemp("alone"), NAMES) as moot:
        moot.found("alone")
        moot.start_all()
        yield moot


def measured(moot: LocalMoot, *, model: bytes | None = None) -> bytes:
    """Almanac is better in calendar questions; nothing else is known."""
    status = moot.client("sage").status()
    nodes = {member["name"]: bytes.fromhex(member["node"]) for member in moot.client("sage").members()}
    right = {nodes["abacus"]: 3, nodes["almanac"]: 52, nodes["sage"]: 30}
    calendar = ClassStanding(60, 47, right, nodes["almanac"], True, (5 / 60, 0.01, 0.16))
    texts = [f"What day is {number} days after {day}?" for number in range(2, 9) for day in DAYS]
    seats = {node: Seat(name, model if name == "almanac" else None) for name, node in nodes.items()}
    moot_id = bytes.fromhex(status["moot"])
    return Standing(1, moot_id, "points", seats, {"calendar": calendar}, learned({"calendar": texts})).write()


def write(moot: LocalMoot, data: bytes) -> None:
    """For a moot in which nobody is suspected just now: such a member would not be asked alone."""
    moot.wait_whole()
    Home(moot.home("sage")).standing.write_bytes(data)


def ask(moot: LocalMoot, *arguments: str) -> tuple[dict[str, Any], str]:
    """The decision, and what was said beside it when it is not asked as JSON."""
    ran = run_moot("ask", *arguments, "--json", "--home", str(moot.home("sage")))
    assert ran.returncode == Exit.OK, ran.stderr
    decision: dict[str, Any] = json.loads(ran.stdout)
    return decision, ran.stderr


def states(decision: dict[str, Any]) -> dict[str, str]:
    return {member["name"]: member["state"] for member in decision["members"]}


def test_only_the_best_member_of_the_class_answers(three: LocalMoot, tmp_path: Path) -> None:
    write(three, measured(three))
    decision, _ = ask(three, QUESTION, "--kind", "short")
    assert decision["alone"] == {"question_class": "calendar", "member": "almanac", "why": WHY, "failed": False}
    almanac = next(bytes.fromhex(one["node"]) for one in decision["members"] if one["name"] == "almanac")
    assert decision["tally"] == only(almanac)
    assert states(decision) == {"abacus": "abstained", "almanac": "answered", "sage": "abstained"}
    paid = {member["name"]: member["cost"]["forward_passes"] for member in decision["members"]}
    assert paid["almanac"] > 0 and paid["abacus"] == paid["sage"] == 0, "one model worked"
    three.decided(decision["id"])
    certificate = tmp_path / "certificate.json"
    certificate.write_bytes(three.client("abacus").certificate(decision["id"]))
    ran = run_moot("verify", str(certificate), "--genesis", str(three.genesis_file))
    assert (ran.returncode, ran.stdout) == (Exit.OK, f"{decision['answer']}\n"), ran.stderr


def test_people_are_told_in_one_line(three: LocalMoot) -> None:
    write(three, measured(three))
    ran = run_moot("ask", QUESTION, "--home", str(three.home("sage")))
    assert f"\n{WHY}. --together asks all.\n" in ran.stderr
    assert "abacus" not in ran.stderr.split("decided")[0], "that the others abstain goes without saying"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([QUESTION, "--together"], id="together"),
        pytest.param([QUESTION, "--tally", "points"], id="a voting rule is named"),
        pytest.param(["Which river is the longest of Africa?"], id="a question of no class that was measured"),
    ],
)
def test_else_all_answer(three: LocalMoot, arguments: list[str]) -> None:
    write(three, measured(three))
    decision, _ = ask(three, *arguments)
    assert decision["tally"] == "points" and "alone" not in decision
    assert set(states(decision).values()) == {"answered"}


def test_a_class_may_be_named(three: LocalMoot) -> None:
    write(three, measured(three))
    decision, _ = ask(three, "Monday plus three?", "--class", "calendar")
    assert decision["alone"]["member"] == "almanac"
    ran = run_moot("ask", QUESTION, "--class", "rivers", "--home", str(three.home("sage")))
    assert ran.returncode == Exit.QUESTION_REFUSED and "there are calendar" in ran.stderr


def test_a_measurement_of_another_model_is_not_used(three: LocalMoot) -> None:
    decision, _ = ask(three, QUESTION, "--together")
    model = next(bytes.fromhex(one["model"]) for one in decision["members"] if one["name"] == "almanac")
    write(three, measured(three, model=model))
    assert "alone" in ask(three, QUESTION)[0]
    write(three, measured(three, model=bytes(32)))
    assert "alone" not in ask(three, QUESTION)[0]


def test_a_broken_file_is_told_and_not_used(three: LocalMoot) -> None:
    write(three, measured(three)[:-40])
    ran = run_moot("ask", QUESTION, "--home", str(three.home("sage")))
    assert ran.returncode == Exit.OK and "standing.json cannot be used (" in ran.stderr


def test_when_it_fails_to_answer_all_are_asked(three: LocalMoot) -> None:
    """Its node is there, and its model hangs."""
    write(three, measured(three))
    model = model_pid(three.home("almanac"))
    os.kill(model, signal.SIGSTOP)
    try:
        ran = run_moot("ask", QUESTION, "--deadline-ms", "3000", "--events", "--home", str(three.home("sage")))
    finally:
        os.kill(model, signal.SIGCONT)
    assert ran.returncode == Exit.OK, ran.stderr
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    names = [event["event"] for event in events]
    assert names[:2] == ["asked", "alone"] and names.count("decided") == 1 and "no_quorum" not in names
    together = events[names.index("together")]
    assert together["note"] == "almanac gave no answer, so all are asked" and together["id"] != events[0]["id"]
    decision = events[-1]["decision"]
    assert decision["alone"]["failed"] and decision["tally"] == "points"
    assert states(decision) == {"abacus": "answered", "almanac": "abstained", "sage": "answered"}


def test_a_measurement_of_this_moot_is_remembered(three: LocalMoot, tmp_path: Path) -> None:
    """From real decisions to a file that the node reads; its own questions are recognized."""
    Home(three.home("sage")).standing.unlink(missing_ok=True)
    own = tmp_path / "questions.jsonl"
    own.write_text('{"text": "Is the kettle on?", "options": ["yes", "no"], "answer": "yes", "class": "kitchen"}\n' * 6)
    arguments = ["--skills", "calendar", "--questions", "6", "--levels", "1", "--file", str(own)]
    ran = run_moot("evaluate", "--home", str(three.home("sage")), *arguments, timeout_s=200)
    assert ran.returncode == Exit.OK, ran.stderr
    assert "kitchen" in ran.stdout and "almanac" in ran.stdout
    assert "standing.json: by default one member alone answers" in ran.stderr
    standing = Standing.read(Home(three.home("sage")).standing.read_bytes())
    assert standing.moot.hex() == three.client("sage").status()["moot"]
    assert {name: one.questions for name, one in standing.classes.items()} == {"calendar": 6, "kitchen": 6}
    assert sorted(seat.name for seat in standing.members.values()) == sorted(NAMES)
    models = [seat.model for seat in standing.members.values()]
    assert all(models) and len(set(models)) == 3
    assert standing.recognizer.recognize(QUESTION) == "calendar"
