"""The files of this repository, as the tests of its rules see them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("coordinator", "node", "tests")
TEXT_SUFFIXES = {
    "",
    ".cfg",
    ".conf",
    ".md",
    ".proto",
    ".py",
    ".service",
    ".sh",
    ".sql",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
}


def is_ours(path: Path) -> bool:
    """Not what a tool left: caches, and folders with a leading dot but for .ci."""
    parts = path.relative_to(ROOT).parts
    return "__pycache__" not in parts and not any(part.startswith(".") and part != ".ci" for part in parts[:-1])


def python_files(*folders: str) -> list[Path]:
    """Every Python file that people write in these folders, in order; by default all of them."""
    return sorted(path for folder in folders or CODE for path in (ROOT / folder).rglob("*.py") if is_ours(path))


def text_files() -> list[Path]:
    """Every text file that people write, wherever it is. Generated code is in proto/ and is left out."""
    folders = [ROOT / name for name in (*CODE, "deploy", "proto", ".ci")]
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file() and is_ours(path)]
    found += [path for path in ROOT.iterdir() if path.is_file()]
    generated = {path for path in found if "_pb2" in path.name}
    return sorted(path for path in set(found) - generated if path.suffix in TEXT_SUFFIXES)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, wherever in the file, with the line. `from a import b` gives a and a.b."""
    for part in ast.walk(parsed(path)):
        match part:
            case ast.Import(names=names):
                for alias in names:
                    yield alias.name, part.lineno
            case ast.ImportFrom(module=module, names=names, level=0) if module is not None:
                yield module, part.lineno
                for alias in names:
                    yield f"{module}.{alias.name}", part.lineno
            case ast.ImportFrom():
                raise AssertionError(f"{name(path)}:{part.lineno}: write the whole name of what is imported")
            case _:
                pass


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")
