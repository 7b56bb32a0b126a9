"""Files and functions stay small enough to be read in one go; who needs more room is listed with the reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repository.tree import ROOT, name, parsed, python_files

FILE_LINES_MAX = 350
FUNCTION_LINES_MAX = 70

LONG_FILES: dict[str, str] = {}
"""Path: why it is not split."""

LONG_FUNCTIONS: dict[str, str] = {}
"""Path::function: why it is not split."""


def functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (part for part in ast.walk(node) if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))


def lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def files_measured() -> list[Path]:
    return [*python_files(), *sorted((ROOT / "deploy").rglob("*.sh"))]


def test_files_are_short() -> None:
    """A file over the limit holds more than one concept: split it."""
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files_measured()}
    long = {path: length for path, length in lengths.items() if length > FILE_LINES_MAX}
    assert long.keys() == LONG_FILES.keys(), long


def test_functions_are_short() -> None:
    """A function over the limit does more than one thing: split it."""
    lengths = {
        f"{name(path)}::{function.name}": lines(function)
        for path in python_files()
        for function in functions(parsed(path))
    }
    long = {function: length for function, length in lengths.items() if length > FUNCTION_LINES_MAX}
    assert long.keys() == LONG_FUNCTIONS.keys(), long


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("def f():\n    return 1\n", [2], id="plain"),
        pytest.param(
            "class A:\n    @x\n    async def f(self):\n        def g():\n            pass\n", [3, 2], id="nested"
        ),
    ],
)
def test_lines_of_a_function(source: str, expected: list[int]) -> None:
    """If this fails, long functions pass unseen. Decorators do not count."""
    assert [lines(function) for function in functions(ast.parse(source))] == expected
