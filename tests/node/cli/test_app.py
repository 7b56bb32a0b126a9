"""The command as a whole: bare, its help, its exit codes, its start-up, and how it looks without a terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from node.errors import Exit

ROOT = Path(__file__).parents[3]
COMMANDS = [
    "demo", "init", "found", "join", "up", "ask", "follow", "members", "status", "decisions", "verify", "quorums",
    "simulate", "evaluate", "model", "roster", "revoke", "exit-codes",
]  # fmt: skip


def process(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "node"]
    environment = {**os.environ, "COLUMNS": "100"}
    return subprocess.run(
        [*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_bare_moot_prints_help_and_starts_nothing(tmp_path: Path) -> None:
    ran = process()
    assert (ran.returncode, ran.stderr) == (Exit.OK, "")
    assert ran.stdout.startswith("Usage: moot ")
    assert all(command in ran.stdout for command in COMMANDS)


def test_help_is_plain_without_a_terminal() -> None:
    text = process("ask", "--help").stdout
    assert "\x1b" not in text
    assert text.isascii(), "no boxes, no bullets"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(moot: Any, command: str) -> None:
    ran = moot(command, "--help")
    assert (ran.code, ran.err) == (Exit.OK, "")
    assert ran.out.startswith(f"Usage: moot {command} ")


@pytest.mark.parametrize("group", ["list", "show", "export"])
def test_every_subcommand_has_help(moot: Any, group: str) -> None:
    assert moot("decisions", group, "--help").code == Exit.OK


def test_one_line_help_fits_on_one_line(moot: Any) -> None:
    assert "..." not in moot("--help").out.replace("[ARGS]...", "")
    assert "..." not in moot("decisions", "--help").out.replace("[ARGS]...", "")


def test_bare_decisions_prints_help(moot: Any) -> None:
    assert moot("decisions").code == Exit.OK


@pytest.mark.parametrize("arguments", [["nosuch"], ["members", "--bogus"], ["verify"], ["found"]])
def test_a_wrong_command_line(moot: Any, arguments: list[str]) -> None:
    ran = moot(*arguments)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert ran.err != ""


def test_exit_codes_are_listed(moot: Any) -> None:
    listed = dict(line.split(None, 1) for line in moot("exit-codes").out.splitlines())
    assert listed == {str(int(code)): code.meaning for code in Exit}
    first = json.loads(moot("exit-codes", "--json").out.splitlines()[0])
    assert first == {"code": 0, "name": "OK", "meaning": Exit.OK.meaning}


def test_version(moot: Any) -> None:
    ran = moot("--version")
    assert ran.code == Exit.OK
    assert ran.out.startswith("moot")


def test_asking_loads_nothing_heavy() -> None:
    """A command that talks to a running node starts in a moment only as long as it imports none of these."""
    heavy = ["grpc", "google.protobuf", "llama_cpp", "numpy", "pydantic", "cryptography", "asyncio"]
    ran = process(code=f"import sys, node.cli; print([name for name in {heavy} if name in sys.modules])")
    assert ran.stdout == "[]\n", ran.stderr


def test_an_output_that_knows_only_ascii(running: Any, home: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "node", "ask", "What is 17 plus 25?"]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (Exit.OK, "42\n")
    assert "prefers   42 ?5" in ran.stderr


def test_output_to_a_full_disk() -> None:
    command = f"exec {sys.executable} -m node exit-codes > /dev/full"
    ran = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (Exit.STORE_FULL, "moot: cannot print: No space left on device\n")


def test_output_cut_short_by_its_reader_is_no_error(running: Any, home: Path) -> None:
    """As in `moot exit-codes | head -1`."""
    command = f"{sys.executable} -m node exit-codes | head -1; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stdout == "  0  done; an answer was decided\n"
    assert "Traceback" not in ran.stderr
