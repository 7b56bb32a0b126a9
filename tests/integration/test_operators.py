"""What operators and askers get wrong, end to end: each has its exit code and a message, and nothing is lost."""

import os
import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from node import identity
from node.errors import Exit
from node.founding import found, read_genesis
from node.home import Home
from node.model import reference
from node.store import Store
from tests.integration.moots import LocalMoot, run_moot


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A node of a moot of which nobody runs."""
    with LocalMoot(tmp_path / "moot") as moot:
        moot.found("quiet")
        yield Home(moot.home("sage"))


def setting(home: Home, key: str, value: str) -> None:
    text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", home.settings.read_text())
    assert count == 1
    home.settings.write_text(text)


def unknown_key(home: Home) -> None:
    home.settings.write_text(home.settings.read_text().replace("\nlog_level = ", "\nlog_levle = "))


def broken_settings(home: Home) -> None:
    home.settings.write_text("[node\n")


def model_file(home: Home, data: bytes | None) -> None:
    path = home.path / "own.gguf"
    if data is not None:
        path.write_bytes(data)
    setting(home, "file", '"own.gguf"')


def missing_model(home: Home) -> None:
    model_file(home, None)


def torn_model(home: Home) -> None:
    model_file(home, reference.path("sage").read_bytes()[:100_000])


def no_model(home: Home) -> None:
    model_file(home, b"#!/bin/sh\necho this is no model\n" * 100)


def wrong_model(home: Home) -> None:
    """It begins as a model does."""
    whole = reference.path("sage").read_bytes()
    model_file(home, whole[:64] + bytes(len(whole) - 64))


def other_moot(home: Home) -> None:
    """The store has votes of one moot, and the genesis founds another with the same members."""
    make_store(home)
    home.genesis.write_bytes(found("second", 2, read_genesis(home.genesis).members).to_json())


def torn_genesis(home: Home) -> None:
    home.genesis.write_bytes(home.genesis.read_bytes()[:-20])


def make_store(home: Home) -> None:
    Store.open(home.store, read_genesis(home.genesis).moot_id, identity.load(home.identity).node).close()


def corrupt_store(home: Home) -> None:
    make_store(home)
    data = bytearray(home.store.read_bytes())
    data[4_096 : 3 * 4_096] = os.urandom(2 * 4_096)
    home.store.write_bytes(data)


def other_program(home: Home) -> None:
    with closing(sqlite3.connect(home.store)) as database:
        database.execute("CREATE TABLE recipes (name TEXT)")


def open_identity(home: Home) -> None:
    home.identity.chmod(0o644)


def open_to_all(home: Home) -> None:
    setting(home, "listen", '"0.0.0.0:7400"')


@pytest.mark.parametrize(
    ("mistake", "code", "said"),
    [
        pytest.param(unknown_key, Exit.SETTINGS, "did you mean log_level", id="unknown settings key"),
        pytest.param(broken_settings, Exit.SETTINGS, "not TOML", id="broken settings"),
        pytest.param(missing_model, Exit.MODEL_MISSING, "own.gguf", id="missing model"),
        pytest.param(torn_model, Exit.MODEL_INVALID, "own.gguf", id="torn model"),
        pytest.param(no_model, Exit.MODEL_INVALID, "own.gguf", id="no GGUF"),
        pytest.param(wrong_model, Exit.MODEL_INVALID, "own.gguf", id="damaged model"),
        pytest.param(torn_genesis, Exit.GENESIS, "genesis.json", id="torn genesis"),
        pytest.param(other_moot, Exit.STORE_CORRUPT, "the store belongs to moot", id="store of another moot"),
        pytest.param(corrupt_store, Exit.STORE_CORRUPT, "the store is damaged", id="damaged store"),
        pytest.param(other_program, Exit.STORE_CORRUPT, "another program's database", id="no store"),
        pytest.param(open_identity, Exit.IDENTITY, "identity.key", id="identity that others can read"),
        pytest.param(open_to_all, Exit.NOT_LOOPBACK, "0.0.0.0", id="address that others can reach"),
    ],
)
def test_a_home_that_cannot_work_is_left_as_it_is(
    home: Home, mistake: Callable[[Home], None], code: Exit, said: str
) -> None:
    mistake(home)
    before = content(home)
    ran = run_moot("up", "--home", str(home.path))
    assert (ran.returncode, ran.stdout) == (code, ""), ran.stderr
    assert said in ran.stderr.partition("moot: ")[2]
    assert "Traceback" not in ran.stderr
    after = content(home)
    assert {file: after[file] for file in before} == before


def content(home: Home) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in home.path.rglob("*") if file.is_file() and file != home.lock}


def test_no_home(tmp_path: Path) -> None:
    ran = run_moot("up", "--home", str(tmp_path / "nowhere"))
    assert ran.returncode == Exit.NO_HOME
    assert "moot init" in ran.stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_port_in_use(home: Home) -> None:
    [address] = re.findall(r'(?m)^listen = "(.*)"', home.settings.read_text())
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # The moot keeps this port for its nodes.
        other.bind(("127.0.0.1", int(address.rpartition(":")[2])))
        other.listen()
        ran = run_moot("up", "--home", str(home.path))
    assert ran.returncode == Exit.PORT_IN_USE
    assert address in ran.stderr.splitlines()[-1]


def test_a_home_in_use(five: LocalMoot) -> None:
    ran = run_moot("up", "--home", str(five.home("sage")))
    assert ran.returncode == Exit.HOME_IN_USE
    assert f"process {five.pids['sage']} uses this home" in ran.stderr
    five.decided(five.ask("sage", "What is 1 plus 8?"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([""], "empty", id="empty"),
        pytest.param([" \t "], "empty", id="spaces"),
        pytest.param(["a" * 100_000], "at most 2000", id="too long"),
        pytest.param(["Yes or no?", "-o", "yes"], "option", id="one option"),
        pytest.param(["Yes or no?", "-o", "yes", "-o", "yes"], "option", id="the same option twice"),
        pytest.param(["Yes or no?", "--kind", "choice"], "option", id="choice of nothing"),
        pytest.param(["How much?", "--tally", "coin"], "coin", id="unknown voting rule"),
    ],
)
def test_a_question_that_cannot_be_asked(five: LocalMoot, arguments: list[str], said: str) -> None:
    before = five.client("sage").status()
    ran = run_moot("ask", *arguments, "--home", str(five.home("sage")))
    assert (ran.returncode, ran.stdout) == (Exit.QUESTION_REFUSED, ""), ran.stderr
    assert said in ran.stderr
    after = five.client("sage").status()
    assert (after["open_questions"], after["height"]) == (before["open_questions"], before["height"])


def test_questions_to_a_node_that_is_down(home: Home) -> None:
    ran = run_moot("ask", "Anybody there?", "--home", str(home.path))
    assert ran.returncode == Exit.NODE_DOWN
    assert "moot up" in ran.stderr


def test_an_id_that_nobody_knows(five: LocalMoot) -> None:
    for command in (
        ["decisions", "show", "abcdef0123"],
        ["decisions", "export", "abcdef0123"],
        ["follow", "abcdef0123"],
    ):
        ran = run_moot(*command, "--home", str(five.home("sage")))
        assert ran.returncode == Exit.NOT_FOUND, ran.stderr
