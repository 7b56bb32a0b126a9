"""`moot evaluate`: what it refuses, what it prints, and real measurements of models that come with the package."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from node.errors import Exit
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
    assert len(report["questions"]) == 6 and report["failed"] == {} and report["same_cost"]
    for row in report["ways"]:
        assert row["alone_samples"] >= row["together"]["asked"]
        assert row["spent"]["generated_tokens"] > 0 and row["spent"]["forward_passes"] > 0
        assert row["spent_alone"]["tokens"] >= row["spent"]["tokens"]


def test_an_early_end_prints_what_is_there() -> None:
    arguments = ["reference:abacus", "--questions", "100", "--samples", "1", "--way", "sampled"]
    command = [sys.executable, "-m", "node", "evaluate", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert "abacus answers: 240" in process.stderr.readline()
            assert "abacus answers: 240" in process.stderr.readline(), "the first questions are done"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "ended early: this is what was measured so far" in err
    assert "all (240)" in out and "abacus" in out
