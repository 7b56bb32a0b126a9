"""Who may import what, and what a core may not do: the rules that import contracts cannot say."""

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.repository.tree import ROOT, imports, is_within, name, parsed, python_files

OWNERS: dict[str, tuple[str, ...]] = {
    "moot": ("node/transport/wire*.py",),  # generated code stops at the border
    "google.protobuf": ("node/transport/*",),
    "grpc": ("node/transport/*",),
    "llama_cpp": (
        "node/model/llamacpp/*",
        "node/lab/training*",  # training quantizes what it wrote
        "node/lab/bench/engine/*",  # so does the bench
    ),
    "torch": ("node/lab/training*",),
    "gguf": ("node/lab/training*", "node/lab/bench/engine/*"),
    "matplotlib": ("node/lab/simulation/gossip/plots.py",),
    "httpx": ("node/model/hub/*", "node/model/remote/*"),
    "sqlite3": ("node/store*",),
    "cryptography": ("node/identity.py", "node/signing.py", "node/transport/*"),
    "typer": ("node/cli/*", "node/__main__.py", "node/lab/bench/*"),
    "rich": ("node/cli/*", "node/lab/*"),
    "node.cli": ("node/cli/*", "node/__main__.py"),  # nothing stands on a face
    "node.gateway": ("node/gateway/*", "node/cli/*"),
    "node.lab": ("node/lab/*", "node/cli/*"),
    "time": (
        "node/shell.py",  # the node's clocks
        "node/model/*",  # what a forward pass costs is measured where it runs
        "node/control_client.py",  # how long a command waits for its node
        "node/lab/*",
        "node/cli/*",
    ),
    "datetime": (
        "node/model/chat.py",  # some chat templates ask for the date
        "node/lab/*",
        "node/cli/*",
    ),
}
"""Outside things and faces, and the only files that may import each."""

CORES = ("coordinator", "node/membership", "node/model/batch")
STANDS_ON: dict[str, tuple[str, ...]] = {
    "coordinator/voting/": ("coordinator.voting",),  # it knows slots and values, not what is decided
    "coordinator/": ("coordinator",),
    "node/membership/": ("coordinator", "node.membership"),
    "node/model/batch/": ("node.model.batch", "node.model.results"),
}
"""What a core may import besides the standard library; the first folder that fits counts."""
ORDER_FROM_HASHING = {"hash", "id"}


def owner_breaches(file: str, imported: list[tuple[str, int]]) -> list[str]:
    return [
        f"{file}:{line} imports {module}, which only {', '.join(owners)} may"
        for thing, owners in OWNERS.items()
        for module, line in imported
        if is_within(module, thing) and not any(fnmatch(file, owner) for owner in owners)
    ]


def foreign_to_a_core(file: str, imported: list[tuple[str, int]]) -> list[str]:
    allowed = next(packages for folder, packages in STANDS_ON.items() if file.startswith(folder))
    return [
        f"{file}:{line} imports {module}: a core stands on the standard library and {' and '.join(allowed)}"
        for module, line in imported
        if module.split(".")[0] not in sys.stdlib_module_names
        and not any(is_within(module, package) for package in allowed)
    ]


def impurities(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """What makes two runs of a core differ: hashing, the order of a set, a generator of its own."""
    for part in ast.walk(tree):
        match part:
            case ast.Call(func=ast.Name(id=called)) if called in ORDER_FROM_HASHING:
                yield part.lineno, f"{called}() differs from run to run"
            case ast.For(iter=walked) | ast.comprehension(iter=walked) if is_plainly_a_set(walked):
                yield walked.lineno, "the order of a set differs from run to run: sort it first"
            case ast.Attribute(value=ast.Name(id="random"), attr=attr) if attr != "Random":
                yield part.lineno, f"random.{attr}: chance is handed in as a random.Random"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="random"))):
                yield part.lineno, "a core makes no generator: chance is handed in"
            case _:
                pass


def is_plainly_a_set(walked: ast.expr) -> bool:
    match walked:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.Sub(), right=right):
            return is_plainly_a_set(left) or is_plainly_a_set(right)
        case _:
            return False


def core_files() -> list[Path]:
    return python_files(*CORES)


def test_each_outside_thing_has_one_owner() -> None:
    """A second importer of a library means that its replacement, and its failures, are no longer in one place."""
    files = python_files("coordinator", "node")
    assert [breach for path in files for breach in owner_breaches(name(path), list(imports(path)))] == []


def test_cores_stand_on_the_standard_library() -> None:
    """A core with a dependency can no longer be run by the simulator alone."""
    assert [line for path in core_files() for line in foreign_to_a_core(name(path), list(imports(path)))] == []


def test_cores_are_the_same_in_every_run() -> None:
    """A seed replays a whole network only while nothing in a core depends on hashing or on chance of its own."""
    found = [f"{name(path)}:{line}: {why}" for path in core_files() for line, why in impurities(parsed(path))]
    assert found == []


def test_nothing_imports_the_tests() -> None:
    """The installed package has no tests in it."""
    importers = [
        name(path) for path in python_files("coordinator", "node") for m, _ in imports(path) if is_within(m, "tests")
    ]
    assert importers == []


def test_deploy_is_imported_by_nothing_and_imports_nothing() -> None:
    """What runs a node elsewhere uses its command, as people do."""
    assert [name(path) for path in (ROOT / "deploy").rglob("*.py")] == []


@pytest.mark.parametrize(
    ("file", "module", "allowed"),
    [
        pytest.param("node/transport/wire.py", "moot.v1.envelope_pb2", True, id="the codec knows generated code"),
        pytest.param("node/transport/server.py", "moot.v1.envelope_pb2", False, id="the server does not"),
        pytest.param("node/store.py", "llama_cpp", False, id="a store knows no model"),
        pytest.param("coordinator/voting/slot.py", "time", False, id="a core has no clock"),
        pytest.param("node/shell.py", "time", True, id="the shell owns the clock"),
        pytest.param("node/shell.py", "node.cli.ask", False, id="nothing stands on a face"),
        pytest.param("node/shell.py", "timeit", True, id="a name that only begins alike"),
    ],
)
def test_owner_breaches(file: str, module: str, allowed: bool) -> None:
    """If this fails, the rule above finds nothing."""
    assert (owner_breaches(file, [(module, 1)]) == []) is allowed


@pytest.mark.parametrize(
    ("file", "module", "allowed"),
    [
        pytest.param("coordinator/voting/slot.py", "dataclasses", True, id="standard library"),
        pytest.param("coordinator/voting/slot.py", "coordinator.voting.ballot", True, id="its own package"),
        pytest.param(
            "coordinator/voting/slot.py", "coordinator.records", False, id="voting knows nothing of questions"
        ),
        pytest.param("coordinator/session.py", "coordinator.records", True, id="a session does"),
        pytest.param("coordinator/voting/slot.py", "node.membership", False, id="coordinator never imports node"),
        pytest.param("coordinator/voting/slot.py", "numpy", False, id="a dependency"),
        pytest.param("node/membership/core.py", "coordinator.signed", True, id="membership stands on coordinator"),
        pytest.param("node/membership/core.py", "node.identity", False, id="and on nothing else of node"),
    ],
)
def test_foreign_to_a_core(file: str, module: str, allowed: bool) -> None:
    """If this fails, the rule above finds nothing."""
    assert (foreign_to_a_core(file, [(module, 1)]) == []) is allowed


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param("for x in sorted({1, 2}): pass", 0, id="sorted set"),
        pytest.param("for x in {1, 2}: pass", 1, id="set literal"),
        pytest.param("y = [x for x in set(a) | b]", 1, id="union in a comprehension"),
        pytest.param("hash(x)", 1, id="hash"),
        pytest.param("def f(rng: random.Random) -> int: return rng.randrange(3)", 0, id="handed in"),
        pytest.param("random.random()", 2, id="the global generator"),
        pytest.param("rng = random.Random(3)", 1, id="a generator of its own"),
    ],
)
def test_impurities(source: str, found: int) -> None:
    """If this fails, the rule above finds nothing."""
    assert len(list(impurities(ast.parse(source)))) == found
