"""`moot evaluate`: what it refuses, what it prints, and real measurements of models that come with the package."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from node.cli.evaluate import ALONE_SAMPLES
from node.errors import Exit
from node.lab.evaluate.baseline import SAMPLES_MAX
from node.lab.evaluate.measure import CHUNK
from node.lab.evaluate.team import Team
from node.lab.evaluate.ways import WAYS

ROOT = Path(__file__).parents[3]
PATIENCE_S = 100


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["--skills", "cooking"], Exit.USAGE, "'cooking' is not known; choose of arithmetic", id="skill"),
        pytest.param(["--levels", "1,4"], Exit.USAGE, "--levels: '4' is not known; choose of 1, 2, 3", id="level"),
        pytest.param(["--way", "dice"], Exit.USAGE, "--way dice: there are alone, sampled, plurality", id="way"),
        pytest.param(["reference:nobody"], Exit.MODEL_MISSING, "no reference model is called 'nobody'", id="model"),
        pytest.param(["/nowhere.gguf"], Exit.MODEL_INVALID, "nowhere: ", id="no file"),
        pytest.param(["--file", "/nowhere.jsonl"], Exit.USAGE, "cannot be read", id="no questions"),
        pytest.param(["--home", "/nowhere"], Exit.NO_HOME, "no node at /nowhere", id="no home"),
        pytest.param(
            ["--home", "/nowhere", "reference:sage"], Exit.USAGE, "leave the models out", id="home and models"
        ),
    ],
)
def test_what_cannot_be_is_refused(moot: Any, arguments: list[str], code: Exit, said: str) -> None:
    ran = moot("evaluate", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_ways_are_listed(moot: Any) -> None:
    listed = [line.split()[0] for line in moot("evaluate", "--list").out.splitlines()[1:]]
    assert listed == ["alone", "sampled", *WAYS]


def test_models_are_measured(moot: Any, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"text": "What is 2 + 3?", "kind": "number", "answer": "5", "class": "easy sums"}\n' * 3)
    written = tmp_path / "all.json"
    models = ["reference:abacus", "reference:sage"]
    arguments = ["--skills", "arithmetic", "--questions", "3", "--file", str(questions), "--json", str(written)]
    ran = moot("evaluate", *models, *arguments)
    assert ran.code == Exit.OK, ran.err
    for expected in ("abacus", "sage", "arithmetic", "easy sums", "all (6)", "points", "judge", "Cost of a question"):
        assert expected in ran.out
    report = json.loads(written.read_text())
    assert [member["name"] for member in report["members"]] == ["abacus", "sage"]
    assert all(member["parameters"] > 1_000_000 and len(member["model"]) == 64 for member in report["members"])
    assert len(report["questions"]) == 6 and report["failed"] == {}
    assert report["same_cost"] and not report["partial"] and report["measured"] == 6
    for row in report["ways"]:
        assert row["alone_samples"] >= row["together"]["asked"]
        assert row["spent"]["generated_tokens"] > 0 and row["spent"]["forward_passes"] > 0
        assert row["spent_alone"]["tokens"] >= row["spent"]["tokens"] and row["alone_same_cost"] == 1
        assert row["alone_drawn"] <= row["alone_samples"]
    assert ran.out.splitlines()[-len(report["summary"]) :] == [f"- {line}" for line in report["summary"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_early_end_shows_what_is_there(number: signal.Signals, tmp_path: Path) -> None:
    """An hour's measurement must not be lost to whoever ends it."""
    written = tmp_path / "so far.json"
    arguments = ["reference:abacus", "--questions", "100", "--samples", "1", "--way", "sampled", "--json", str(written)]
    command = [sys.executable, "-m", "node", "evaluate", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            while " questions are complete" not in (line := process.stderr.readline()):
                assert line, "it ended before"
            process.send_signal(number)
            out, err = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "ended early: this is what was measured so far" in err and "Traceback" not in err
    report = json.loads(written.read_text())
    measured = report["measured"]
    assert 0 < measured < 800 and measured % CHUNK == 0 and len(report["questions"]) == measured and report["partial"]
    assert f"all ({measured})" in out and f"PARTIAL: {measured} of 800 questions are measured." in out


def test_an_end_before_anything_is_measured_has_the_same_code(moot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening large models takes a while."""

    async def interrupted(team: Team) -> None:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(3600)

    monkeypatch.setattr(Team, "meet", interrupted)
    ran = moot("evaluate", "reference:abacus")
    assert (ran.code, ran.out) == (130, "") and "ended before anything was measured" in ran.err


def test_the_limit_of_the_baseline_is_one_figure() -> None:
    assert ALONE_SAMPLES == SAMPLES_MAX


def test_a_report_that_could_not_be_written_is_refused_first(moot: Any) -> None:
    ran = moot("evaluate", "--json", "/nowhere/all.json")
    assert (ran.code, ran.out) == (Exit.USAGE, "") and "--json /nowhere/all.json: cannot be written" in ran.err
