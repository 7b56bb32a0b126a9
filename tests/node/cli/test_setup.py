"""`moot init`, `found`, `join`, `up`: what is made, and that every mistake costs nothing and has its own exit code."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coordinator.ledger.genesis import Genesis
from node import settings
from node.errors import Exit
from node.home import Home
from node.identity import load
from tests.node.model.gguf_files import write_model

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models") / "small.gguf"
    write_model(place)
    return place


def make(moot: Any, home: Path, model: Path, *more: str) -> Path:
    ran = moot("init", "--home", str(home), "--model", str(model), *more)
    assert ran.code == Exit.OK, ran.err
    return home


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_init_makes_a_private_home(moot: Any, tmp_path: Path, model: Path) -> None:
    ran = moot("init", "--home", str(tmp_path / "ada"), "--model", str(model), "--listen", "127.0.0.1:7401")
    home = tmp_path / "ada"
    assert (ran.code, ran.out) == (Exit.OK, f"{home}\n")
    assert "moot found" in ran.err
    assert (mode(home), mode(home / "identity.key"), mode(home / "settings.toml")) == (0o700, 0o600, 0o600)
    made = settings.load(home / "settings.toml")
    assert (made.node.name, made.node.listen, made.model.file) == ("ada", "127.0.0.1:7401", str(model))
    assert json.loads((home / "member.json").read_text()) == {
        "format": "moot-member-v1",
        "node": load(home / "identity.key").node.hex(),
        "name": "ada",
        "organization": "ada",
        "address": "127.0.0.1:7401",
    }


def test_init_json(moot: Any, tmp_path: Path, model: Path) -> None:
    ran = moot("init", "--home", str(tmp_path / "ada"), "--model", str(model), "--json")
    report = json.loads(ran.out)
    assert report["name"] == "ada"
    assert report["node"] == load(tmp_path / "ada" / "identity.key").node.hex()
    assert ran.err == ""


def test_init_with_a_model_that_a_server_runs(moot: Any, tmp_path: Path) -> None:
    """The server need not be there yet."""
    ran = moot("init", "--home", str(tmp_path / "ada"), "--model", "http://127.0.0.1:9/v1#toy")
    assert ran.code == Exit.OK
    assert settings.load(tmp_path / "ada" / "settings.toml").model.file == "http://127.0.0.1:9/v1#toy"


def test_init_never_overwrites(moot: Any, tmp_path: Path, model: Path) -> None:
    home = make(moot, tmp_path / "ada", model)
    before = {file.name: file.read_bytes() for file in home.iterdir()}
    ran = moot("init", "--home", str(home), "--model", str(model))
    assert (ran.code, ran.out) == (Exit.HOME_EXISTS, "")
    assert {file.name: file.read_bytes() for file in home.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["--listen", "nowhere"], Exit.SETTINGS, "HOST:PORT", id="no address"),
        pytest.param(["--listen", "127.0.0.1:99999"], Exit.SETTINGS, "HOST:PORT", id="no such port"),
        pytest.param(["--listen", "0.0.0.0:7400"], Exit.NOT_LOOPBACK, "TLS", id="open to the network"),
        pytest.param(["--model", "/no/such.gguf"], Exit.MODEL_MISSING, "/no/such.gguf", id="no model file"),
        pytest.param(["--model", "reference:nobody"], Exit.MODEL_MISSING, "'nobody'", id="no such reference model"),
        pytest.param(["--model", __file__], Exit.MODEL_INVALID, "not GGUF", id="not a model"),
        pytest.param(["--model", "http://192.0.2.1/v1#toy"], Exit.SETTINGS, "use https://", id="a server in the open"),
        pytest.param(["--name", ""], Exit.SETTINGS, "1 to 64", id="empty name"),
        pytest.param(["--name", "a" * 65], Exit.SETTINGS, "1 to 64", id="name too long"),
        pytest.param(["--name", "a\x1b[31m"], Exit.SETTINGS, "printable", id="name with control characters"),
    ],
)
def test_init_with_what_cannot_work_makes_no_node(
    moot: Any, tmp_path: Path, model: Path, arguments: list[str], code: Exit, said: str
) -> None:
    home = tmp_path / "ada"
    ran = moot("init", "--home", str(home), "--model", str(model), *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    make(moot, home, model)


def test_a_moot_is_founded_of_homes_on_this_machine(
    moot: Any, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    homes = [make(moot, tmp_path / name, model) for name in ("ada", "bea", "cleo", "dan")]
    ran = moot("found", "--name", "kitchen", "ada", "bea", "cleo", "dan", "--samples", "7")
    assert (ran.code, ran.out) == (Exit.OK, "genesis.json\n")
    genesis = Genesis.from_json((tmp_path / "genesis.json").read_bytes())
    assert (genesis.name, genesis.charter.threshold, genesis.charter.samples) == ("kitchen", 3, 7)
    assert {member.node for member in genesis.members} == {load(home / "identity.key").node for home in homes}
    assert all((home / "genesis.json").read_bytes() == genesis.to_json() for home in homes)


def test_members_elsewhere_send_a_card_and_join(moot: Any, tmp_path: Path, model: Path) -> None:
    ada, bea = make(moot, tmp_path / "ada", model), make(moot, tmp_path / "bea", model)
    file = tmp_path / "genesis.json"
    ran = moot("found", "--name", "kitchen", str(ada / "member.json"), str(bea / "member.json"), "-o", str(file))
    assert ran.code == Exit.OK
    assert f"moot join {file}" in ran.err
    assert not (ada / "genesis.json").exists()
    assert moot("join", str(file), "--home", str(ada)).code == Exit.OK
    assert (ada / "genesis.json").read_bytes() == file.read_bytes()
    assert moot("join", str(file), "--home", str(ada)).code == Exit.OK, "again changes nothing"


def test_who_is_to_be_added_later_is_told_so(moot: Any, tmp_path: Path, model: Path) -> None:
    """A new member starts from the genesis as everybody does, and is let in once the others have decided it."""
    ada, eve = make(moot, tmp_path / "ada", model), make(moot, tmp_path / "eve", model)
    file = tmp_path / "genesis.json"
    moot("found", "--name", "kitchen", str(ada), "-o", str(file))
    ran = moot("join", str(file), "--home", str(eve))
    assert ran.code == Exit.OK
    assert f"moot roster add {eve / 'member.json'}" in ran.err
    assert (eve / "genesis.json").read_bytes() == file.read_bytes()
    assert "roster add" not in moot("join", str(file), "--home", str(ada)).err


def test_a_node_stays_in_its_moot(moot: Any, tmp_path: Path, model: Path) -> None:
    ada = make(moot, tmp_path / "ada", model)
    moot("found", "--name", "kitchen", str(ada), "-o", str(tmp_path / "first.json"))
    moot("found", "--name", "garden", str(ada / "member.json"), "-o", str(tmp_path / "second.json"))
    before = (ada / "genesis.json").read_bytes()
    ran = moot("join", str(tmp_path / "second.json"), "--home", str(ada))
    assert ran.code == Exit.HOME_EXISTS
    assert (ada / "genesis.json").read_bytes() == before


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        pytest.param(["--threshold", "1"], "threshold = 1: must be 2 to 2", id="quorum that is not safe"),
        pytest.param(["--turnout", "3"], "turnout = 3", id="more than there are"),
        pytest.param(["--tally", "loudest"], "tally = 'loudest'", id="unknown rule"),
        pytest.param(["--deadline-ms", "0"], "deadline_ms = 0", id="no time"),
    ],
)
def test_a_charter_that_cannot_work(moot: Any, tmp_path: Path, model: Path, rules: list[str], said: str) -> None:
    homes = [str(make(moot, tmp_path / name, model)) for name in ("ada", "bea")]
    file = tmp_path / "genesis.json"
    ran = moot("found", "--name", "kitchen", *homes, "-o", str(file), *rules)
    assert (ran.code, ran.out) == (Exit.GENESIS, "")
    assert said in ran.err
    assert not file.exists()
    assert not (tmp_path / "ada" / "genesis.json").exists()


def test_two_members_of_one_name(moot: Any, tmp_path: Path, model: Path) -> None:
    homes = [str(make(moot, tmp_path / name, model, "--name", "ada")) for name in ("one", "two")]
    ran = moot("found", "--name", "kitchen", *homes, "-o", str(tmp_path / "genesis.json"))
    assert ran.code == Exit.GENESIS
    assert "same name" in ran.err


@pytest.mark.parametrize("card", [b"", b"{}", b"garbage", b"\xff", b"[]", b'{"format": "moot-member-v1"}'])
def test_what_is_no_card(moot: Any, tmp_path: Path, card: bytes) -> None:
    (tmp_path / "card.json").write_bytes(card)
    ran = moot("found", "--name", "kitchen", str(tmp_path / "card.json"), "-o", str(tmp_path / "genesis.json"))
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert not (tmp_path / "genesis.json").exists()


def test_a_genesis_is_never_overwritten(moot: Any, tmp_path: Path, model: Path) -> None:
    ada = make(moot, tmp_path / "ada", model)
    file = tmp_path / "genesis.json"
    file.write_text("precious")
    ran = moot("found", "--name", "kitchen", str(ada), "-o", str(file))
    assert ran.code == Exit.HOME_EXISTS
    assert file.read_text() == "precious"
    assert not (ada / "genesis.json").exists()


@pytest.mark.parametrize("text", ["", "{}", "garbage"])
def test_what_is_no_genesis(moot: Any, tmp_path: Path, model: Path, text: str) -> None:
    ada = make(moot, tmp_path / "ada", model)
    (tmp_path / "genesis.json").write_text(text)
    assert moot("join", str(tmp_path / "genesis.json"), "--home", str(ada)).code == Exit.GENESIS
    assert moot("join", str(tmp_path / "nothing.json"), "--home", str(ada)).code == Exit.GENESIS


def founded(moot: Any, home: Path, model: Path, *more: str) -> Path:
    make(moot, home, model, *more)
    moot("found", "--name", "kitchen", str(home), "-o", str(home / "out.json"))
    return home


def test_up_without_a_home(moot: Any, tmp_path: Path) -> None:
    ran = moot("up", "--home", str(tmp_path / "nowhere"))
    assert (ran.code, ran.out) == (Exit.NO_HOME, "")
    assert "moot init" in ran.err


def test_up_without_a_genesis(moot: Any, tmp_path: Path, model: Path) -> None:
    ran = moot("up", "--home", str(make(moot, tmp_path / "ada", model)))
    assert ran.code == Exit.GENESIS
    assert "moot join" in ran.err


def test_up_with_a_wrong_setting(moot: Any, tmp_path: Path, model: Path) -> None:
    home = founded(moot, tmp_path / "ada", model)
    place = home / "settings.toml"
    place.write_text(place.read_text().replace("log_level", "log_levle"))
    ran = moot("up", "--home", str(home))
    assert ran.code == Exit.SETTINGS
    assert "log_level" in ran.err


def test_up_with_a_key_that_others_can_read(moot: Any, tmp_path: Path, model: Path) -> None:
    home = founded(moot, tmp_path / "ada", model)
    (home / "identity.key").chmod(0o644)
    ran = moot("up", "--home", str(home))
    assert ran.code == Exit.IDENTITY
    assert "chmod 600" in ran.err


def test_up_with_a_model_that_is_gone(moot: Any, tmp_path: Path, model: Path) -> None:
    moved = tmp_path / "moved.gguf"
    moved.write_bytes(model.read_bytes())
    home = founded(moot, tmp_path / "ada", moved)
    moved.unlink()
    assert moot("up", "--home", str(home)).code == Exit.MODEL_MISSING
    moved.write_bytes(b"GGUF" + os.urandom(100))
    assert moot("up", "--home", str(home)).code == Exit.MODEL_INVALID


def test_up_in_a_home_that_another_process_uses(moot: Any, tmp_path: Path, model: Path) -> None:
    home = founded(moot, tmp_path / "ada", model)
    with Home(home).locked():
        ran = moot("up", "--home", str(home))
    assert (ran.code, ran.out) == (Exit.HOME_IN_USE, "")
    assert "stop it first" in ran.err


def test_up_with_a_damaged_store(moot: Any, tmp_path: Path, model: Path) -> None:
    home = founded(moot, tmp_path / "ada", model)
    (home / "moot.db").write_bytes(os.urandom(10_000))
    ran = moot("up", "--home", str(home))
    assert (ran.code, ran.out) == (Exit.STORE_CORRUPT, "")


def test_up_on_a_port_in_use(moot: Any, tmp_path: Path, model: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        home = founded(moot, tmp_path / "ada", model, "--listen", f"127.0.0.1:{other.getsockname()[1]}")
        ran = moot("up", "--home", str(home))
    assert ran.code == Exit.PORT_IN_USE


def test_up_runs_until_it_is_told_to_stop(moot: Any, tmp_path: Path, model: Path, port: int) -> None:
    """A moot of one: ready at once, answers its people, stops on SIGTERM with exit code 0 and can be started again."""
    home = founded(moot, tmp_path / "ada", model, "--listen", f"127.0.0.1:{port}")
    for _ in range(2):
        node = subprocess.Popen(
            [sys.executable, "-m", "node", "up", "--home", str(home), "--json"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert node.stdout is not None
            ready = json.loads(node.stdout.readline())
            assert (ready["name"], ready["threshold"], ready["model"]["state"]) == ("ada", 1, "up")
            assert moot("status", "--home", str(home)).code == Exit.OK
            assert moot("up", "--home", str(home)).code == Exit.HOME_IN_USE
        finally:
            node.terminate()
            _, said = node.communicate(timeout=30)
        assert node.returncode == Exit.OK
        assert said.splitlines()[-1] == "stopped"
        assert moot("status", "--home", str(home)).code == Exit.NODE_DOWN
