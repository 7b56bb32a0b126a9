"""Nothing unfinished, nothing left over from debugging and no one machine's paths stand in the repository."""

import ast
import re

import pytest

from tests.repository.tree import name, parsed, python_files, text_files

UNFINISHED = re.compile(r"\b(TODO|FIXME|HACK|NotImplementedError)\b")
MACHINE_PATH = re.compile(r"(?<![\w.~}$])/(work|root|Users|home/(?!you\b|moot\b)\w+)/")
SPEAKS_TO_PEOPLE = ("node/cli/", "node/lab/", "node/__main__.py")


def hits(pattern: re.Pattern[str]) -> list[str]:
    """Lines that match, this file left out: it has to name what it looks for."""
    return [
        f"{name(path)}:{number}: {line.strip()}"
        for path in text_files()
        if name(path) != "tests/repository/test_record.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def prints(tree: ast.AST) -> list[int]:
    """Lines that write to standard output or stop for a debugger. A print that names its file is meant."""
    calls = (part for part in ast.walk(tree) if isinstance(part, ast.Call))
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in {"print", "breakpoint"}
        and not any(keyword.arg == "file" for keyword in call.keywords)
    ]


def test_nothing_is_unfinished() -> None:
    """A note to do something later is a promise that nobody keeps: do it, or say in the README what is not there."""
    assert hits(UNFINISHED) == []


def test_no_path_of_one_machine() -> None:
    """A path that exists on one machine fails on every other."""
    assert hits(MACHINE_PATH) == []


def test_only_what_speaks_to_people_prints() -> None:
    """A print in a node ends up in the output of a command, where another program reads it."""
    files = [path for path in python_files("coordinator", "node") if not name(path).startswith(SPEAKS_TO_PEOPLE)]
    assert [f"{name(path)}:{line}" for path in files for line in prints(parsed(path))] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('log = "/root/moot.log"', True),
        ('open("/home/alice/model.gguf")', True),
        ("moot init /home/you/moot", False),
        ("see https://example.org/work/paper", False),
        ("path = tmp / 'work/x'", False),
    ],
)
def test_machine_paths(line: str, found: bool) -> None:
    """If this fails, the rule above finds nothing or too much."""
    assert (MACHINE_PATH.search(line) is not None) is found


def test_prints_are_found() -> None:
    """If this fails, the rule above finds nothing."""
    assert prints(ast.parse("x = 1\nif x:\n    print(x)\nprint(x, file=sys.stderr)\n")) == [3]
