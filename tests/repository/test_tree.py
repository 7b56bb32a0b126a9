"""The top level holds the few names that a newcomer can learn, and every module says what it is."""

import ast
from fnmatch import fnmatch

from tests.repository.tree import ROOT, name, parsed, python_files

FOLDERS = {"proto", "coordinator", "node", "deploy", "tests", ".ci"}
FILES = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "Makefile", "pyproject.toml", ".gitignore"}


def test_top_level_holds_only_what_it_should() -> None:
    """A new name at the top is one more thing that everybody has to understand first."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()]
    found = {path.name for path in ROOT.iterdir() if not any(fnmatch(path.name, pattern) for pattern in ignored)}
    assert found - {".git"} == FOLDERS | FILES


def test_every_package_has_its_init() -> None:
    """A folder without one is missed by tools that look for packages."""
    files = python_files("coordinator", "node")
    assert {name(path.parent) for path in files if not (path.parent / "__init__.py").exists()} == set()


def test_every_module_says_what_it_is() -> None:
    """The first line of a file is all that most readers see of it: one sentence that ends with a full stop."""
    first_lines = {name(path): (ast.get_docstring(parsed(path)) or "").split("\n")[0] for path in python_files()}
    assert {path: line for path, line in first_lines.items() if "." not in line} == {}
