"""The README's first lines are what a newcomer does: its commands exist, with these options, and come soon."""

import re
import shlex

from typer.testing import CliRunner

from node.cli.app import app
from tests.repository.tree import ROOT

LINES = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
LENGTH_MAX = 150
FIRST_COMMAND_BY = 20
GROUPS = {"decisions", "model", "roster"}
"""Of commands: what follows names one of them."""


def commands(prefix: str) -> list[list[str]]:
    """The words of the lines in code blocks that begin so, without comments."""
    return [shlex.split(line, comments=True)[1:] for line in LINES if line.startswith(prefix)]


def test_it_is_short_and_soon_says_what_to_type() -> None:
    assert len(LINES) <= LENGTH_MAX
    assert next(number for number, line in enumerate(LINES, 1) if line.startswith("make ")) <= FIRST_COMMAND_BY


def test_the_commands_of_moot_exist() -> None:
    found = commands(".venv/bin/moot ")
    assert len(found) >= 5
    for words in found:
        names = words[:2] if words[0] in GROUPS else words[:1]
        told = CliRunner().invoke(app, [*names, "--help"], env={"COLUMNS": "200"})
        assert told.exit_code == 0, f"moot {' '.join(names)}: no such command"
        options = {word for word in words if word.startswith("-")}
        known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", told.output))
        assert options <= known, f"moot {' '.join(names)} does not know {', '.join(sorted(options - known))}"


def test_the_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {words[0] for words in commands("make ")} | set(re.findall(r"`make ([a-z-]+)", "\n".join(LINES)))
    assert named <= targets
    assert {"demo", "test", "check"} <= named
