"""`moot simulate`: what it plays, what it leaves behind when an invariant breaks, and how it refuses nonsense."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.voting.accept import Votes
from node.cli import simulate_runs
from node.errors import Exit
from node.lab.simulation.plan import Plan
from node.lab.simulation.scenarios import SCENARIOS

ROOT = Path(__file__).parents[3]
SEED = "166"
"""Of a short run."""


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any single peer blocks: accepted is then whatever one liar claims."""
    monkeypatch.setattr(Votes, "blocking", lambda self, said: any(map(said, self.latest.values())))


def test_the_scenarios_are_listed(moot: Any) -> None:
    ran = moot("simulate", "--list")
    assert ran.code == Exit.OK
    listed = dict(line.split(None, 1) for line in ran.out.splitlines()[1:])
    assert list(listed) == [*SCENARIOS, "gossip"]
    assert all(listed.values())
    first = json.loads(moot("simulate", "--list", "--json").out.splitlines()[0])
    assert first == {"scenario": "healthy", "about": SCENARIOS["healthy"].line}


def test_a_campaign_adds_up(moot: Any) -> None:
    ran = moot("simulate", "slots", "--seeds", "2", "--workers", "1", "--nodes", "2")
    assert ran.code == Exit.OK, ran.err
    lines = {line[:16].strip(): line[16:].strip() for line in ran.out.splitlines()}
    assert ran.out.startswith("slots: 2 of 2 seeds in ")
    assert lines["violations"] == "none"
    assert int(lines["slots decided"].replace(",", "")) >= 20


def test_a_campaign_in_json(moot: Any) -> None:
    document = json.loads(
        moot("simulate", "slots", "--first", SEED, "--seeds", "1", "--workers", "1", "--trace", "--json").out
    )
    assert (document["scenario"], document["seeds"], document["played_twice"]) == ("slots", 1, 1)
    assert document["violations"] == {}
    assert document["interrupted"] is False


def test_one_seed(moot: Any) -> None:
    ran = moot("simulate", "slots", "--seed", SEED, "--trace")
    assert ran.code == Exit.OK, ran.err
    assert re.search(r"^  trace +[0-9a-f]{32}$", ran.out, re.MULTILINE), "both processes must come to one digest"
    again = json.loads(moot("simulate", "slots", "--seed", SEED, "--json").out)
    assert again["violation"] is None


def test_the_story_of_a_slot(moot: Any) -> None:
    ran = moot("simulate", "slots", "--seed", SEED, "--story", "2")
    assert ran.code == Exit.OK
    assert ran.out.startswith(f"slots, seed {SEED}: ")
    assert " decides " in ran.out
    assert "NOMINATE X={" in ran.out


def test_a_plan_from_a_file(moot: Any, tmp_path: Path) -> None:
    place = tmp_path / "plan.json"
    place.write_text(replace(SCENARIOS["slots"].draw(3), slots=1).to_json())
    ran = moot("simulate", "--plan", str(place))
    assert ran.code == Exit.OK, ran.err
    assert "slots decided  1\n" in ran.out


def test_a_planted_bug_is_found_made_small_and_played_again(
    moot: Any, planted: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, whoever gets a failure cannot come back to it."""
    save = tmp_path / "found"
    ran = moot("simulate", "slots", "--seeds", "50", "--workers", "1", "--nodes", "4", "--save", str(save))
    assert ran.code == Exit.BROKEN
    assert "broken  " in ran.err
    said = [shlex.split(line.partition("moot ")[2]) for line in ran.err.splitlines() if "moot simulate" in line]
    at_once, by_seed, by_plan, small = said
    assert at_once == by_seed
    invariant = re.search(r"broken +([\w-]+),", ran.err)
    assert invariant is not None
    for words in said:
        again = moot(*words, "--no-shrink", "--save", str(save))
        assert again.code == Exit.BROKEN, words
        assert f"broken  {invariant[1]}, " in again.err
    assert by_seed[:3] == ["simulate", "slots", "--seed"]
    before, after = (
        Plan.from_json(json.dumps(json.loads(Path(words[-1]).read_text())["plan"])) for words in (by_plan, small)
    )
    assert after.slots == 1 < before.slots
    assert len(after.faults) <= len(before.faults)
    assert "smaller " in ran.err
    story = Path(small[-1]).with_suffix(".txt").read_text()
    assert story.startswith(f"{invariant[1]}: ")
    assert "says" in story
    monkeypatch.undo()
    assert moot(*small, "--no-shrink").code == Exit.OK, "without the bug it is a plan like any other"
    assert by_plan[:2] == ["simulate", "--plan"]


def test_a_run_that_differs_in_another_process(moot: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(simulate_runs, "_trace_elsewhere", lambda plan: "0" * 32)
    ran = moot("simulate", "slots", "--seed", SEED, "--trace", "--save", str(tmp_path))
    assert ran.code == Exit.BROKEN
    assert "replay" in ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_there_is(number: signal.Signals) -> None:
    """Ctrl-C reaches all processes of the terminal, the other signal this one alone."""
    command = [sys.executable, "-m", "node", "simulate", "slots", "--seeds", "1000000", "--workers", "2", "--json"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        until = time.monotonic() + 60
        while len(workers := children.read_text().split()) < 2:
            assert time.monotonic() < until and process.poll() is None
            time.sleep(0.05)
        if number is signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == Exit.INTERRUPTED, err
    assert json.loads(out)["interrupted"] is True
    assert "Traceback" not in err
    until = time.monotonic() + 20
    while any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers):
        assert time.monotonic() < until, "a worker was left behind"
        time.sleep(0.05)


def test_gossip_is_handed_over(moot: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The measurements themselves take minutes, and have tests of their own."""
    from node.lab.simulation.gossip import report

    given: list[object] = []

    def measured(sizes: Sequence[int], seeds: int, progress: report.Progress, workers: int) -> report.Measurements:
        progress(1, 2, "crashes n=10")
        given.extend((tuple(sizes), seeds, workers))
        return report.Measurements(tuple(sizes), seeds, ())

    def written(found: report.Measurements, directory: Path) -> list[Path]:
        return [directory / "gossip.txt"]

    monkeypatch.setattr(report, "measure", measured)
    monkeypatch.setattr(report, "write", written)
    arguments = ["--nodes", "10,100", "--seeds", "3", "--workers", "2", "--plots", str(tmp_path)]
    ran = moot("simulate", "gossip", *arguments)
    assert (ran.code, given) == (Exit.OK, [(10, 100), 3, 2])
    assert ran.out.startswith("figure ")
    assert "gossip.txt" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["nosuch"], Exit.USAGE, "no scenario 'nosuch'; there are healthy, ", id="no such scenario"),
        pytest.param(["--nodes", "0"], Exit.USAGE, "from 1 to 100", id="nobody"),
        pytest.param(["--nodes", "10,100"], Exit.USAGE, "from 1 to 100", id="several sizes"),
        pytest.param(["gossip", "--nodes", "10,x"], Exit.USAGE, "numbers from", id="a size that is none"),
        pytest.param(["--story", "3"], Exit.USAGE, "of which run?", id="a story of no run"),
        pytest.param(["--seed", "3", "--seeds", "5"], Exit.USAGE, "for many runs", id="one and many"),
        pytest.param(["--seed", "-3"], Exit.USAGE, "--seed", id="a seed below 0"),
        pytest.param(["--plan", "PLACE", "--seed", "3"], Exit.USAGE, "leave out --seed", id="two plans"),
        pytest.param(["--plots", "PLACE"], Exit.USAGE, "only gossip", id="plots of nothing"),
        pytest.param(["--plan", "PLACE/none"], Exit.NOT_A_PLAN, "No such file", id="no file"),
        pytest.param(["--plan", "PLACE"], Exit.NOT_A_PLAN, "Is a directory", id="a directory"),
    ],
)
def test_nonsense_is_refused(moot: Any, tmp_path: Path, arguments: list[str], code: Exit, said: str) -> None:
    ran = moot("simulate", *(word.replace("PLACE", str(tmp_path)) for word in arguments))
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "Expecting value", id="empty"),
        pytest.param("[1, 2]", "not a plan", id="a list"),
        pytest.param('{"plan": {"seed": 3}}', "not a plan", id="a part of one"),
        pytest.param("[" * 100_000, "nested too deeply", id="deep"),
        pytest.param("\x00\xff", "Expecting value", id="not JSON"),
        pytest.param(None, "9 liars", id="a node that is not there"),
    ],
)
def test_what_is_no_plan_is_refused(moot: Any, tmp_path: Path, text: str | None, said: str) -> None:
    place = tmp_path / "plan.json"
    if text is None:
        place.write_text(replace(SCENARIOS["churn"].draw(3), members=200, nodes=100).to_json())
        said = "members = 200"
    else:
        place.write_text(text)
    ran = moot("simulate", "--plan", str(place))
    assert (ran.code, ran.out) == (Exit.NOT_A_PLAN, "")
    assert said in ran.err
    assert "Traceback" not in ran.err
