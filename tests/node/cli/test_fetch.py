"""`moot init --model hf:...`: a model is downloaded, shown while it comes, and gone on with after an interruption."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node import settings
from node.errors import Exit
from tests.node.model.gguf_files import write_model
from tests.node.model.hub.hub_server import COMMIT, NAME, FakeHub, Fault, drops_after, hangs_after, status

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_model(tmp_path_factory.mktemp("hub") / "tiny.gguf").read_bytes()


@pytest.fixture
def hub(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub(content).running() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        yield running


def test_a_node_is_made_with_a_model_from_a_hub(moot: Any, hub: FakeHub, tmp_path: Path, content: bytes) -> None:
    ran = moot("init", "--home", str(tmp_path / "ada"), "--model", NAME)
    assert (ran.code, ran.out) == (Exit.OK, f"{tmp_path / 'ada'}\n")
    assert "tiny.gguf: " in ran.err
    assert "MiB/s" in ran.err
    file = Path(settings.load(tmp_path / "ada" / "settings.toml").model.file)
    assert file == tmp_path / "cache/moot/models/ada/tiny" / f"main-{COMMIT}" / "q4" / "tiny.gguf"
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("arguments", "fault", "code", "said"),
    [
        (["--model", "hf:tiny.gguf"], None, Exit.SETTINGS, "hf:OWNER/REPOSITORY/FILE.gguf"),
        (["--model", "hf:ada/tiny/other.gguf"], None, Exit.MODEL_MISSING, "no file 'other.gguf'"),
        (["--model", "hf:bea/tiny/tiny.gguf"], None, Exit.MODEL_FORBIDDEN, "set HF_TOKEN"),
        (["--model", NAME], status(418), Exit.MODEL_NOT_FETCHED, "418"),
        (["--model", NAME, "--listen", "nowhere"], None, Exit.SETTINGS, "HOST:PORT"),
    ],
)
def test_what_cannot_be_had_makes_no_node(
    moot: Any, hub: FakeHub, tmp_path: Path, arguments: list[str], fault: Fault | None, code: Exit, said: str
) -> None:
    if fault is not None:
        hub.hub_faults.append(fault)
    ran = moot("init", "--home", str(tmp_path / "ada"), *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert not (tmp_path / "ada" / "settings.toml").exists()


def test_nothing_is_downloaded_for_a_home_that_is_taken(moot: Any, hub: FakeHub, tmp_path: Path) -> None:
    moot("init", "--home", str(tmp_path / "ada"))
    assert moot("init", "--home", str(tmp_path / "ada"), "--model", NAME).code == Exit.HOME_EXISTS
    assert hub.asked == []


def test_a_lost_connection_is_said(moot: Any, hub: FakeHub, tmp_path: Path) -> None:
    hub.storage_faults.append(drops_after(5_000))
    ran = moot("init", "--home", str(tmp_path / "ada"), "--model", NAME)
    assert ran.code == Exit.OK
    assert "trying again in 1 s" in ran.err


def test_ctrl_c_keeps_what_came(moot: Any, hub: FakeHub, tmp_path: Path, content: bytes) -> None:
    hub.storage_faults.append(hangs_after(5_000))
    command = [sys.executable, "-m", "node", "init", "--home", str(tmp_path / "ada"), "--model", NAME]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as running:
        try:
            wait_for(lambda: len(hub.of("storage")) == 1)
            assert running.stderr is not None
            assert "tiny.gguf: 0.0 of" in running.stderr.readline()
            running.send_signal(signal.SIGINT)
            assert "what came is kept" in running.stderr.read()
            assert running.wait(20) == 130
        finally:
            running.kill()
    (partial,) = (tmp_path / "cache").rglob("*.part")
    ran = moot("init", "--home", str(tmp_path / "ada"), "--model", NAME)
    assert ran.code == Exit.OK
    assert not partial.exists()


def test_a_terminal_gets_a_bar(hub: FakeHub, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "node", "init", "--home", str(tmp_path / "ada"), "--model", NAME]
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "100"}
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, env=environment, timeout=60)
    os.close(theirs)
    shown = b""
    while chunk := read(ours):
        shown += chunk
    os.close(ours)
    assert ran.returncode == Exit.OK
    assert "━".encode() in shown
    assert b"tiny.gguf" in shown


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # how Linux says that nobody holds the other end any more
        return b""


def wait_for(condition: Any, timeout_s: float = 20.0) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "did not come true"
        time.sleep(0.01)
