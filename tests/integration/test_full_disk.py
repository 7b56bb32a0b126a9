"""A disk that takes no more: the node ends before it says what it could not save, and goes on once there is room."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from coordinator.events import Tick
from coordinator.messages import Records
from node.control_client import NodeDown, Refused
from node.errors import Exit, StoreFull
from node.home import Home
from node.runtime import opened
from tests.integration.moots import ROOT, LocalMoot

DISK_MIB = 4
VICTIM = "sage"


class Disk(Protocol):
    """The one disk that the victim writes to."""

    def fill(self) -> None: ...

    def make_room(self) -> None: ...


class SizeLimit:
    """No file may grow: what any user can do to a process of theirs."""

    def __init__(self, moot: LocalMoot) -> None:
        self._moot = moot

    def fill(self) -> None:
        """Its log still takes the last words; the write-ahead log takes some pages more, and is full."""
        room = Home(self._moot.home(VICTIM)).log.stat().st_size + 32 * 1024
        resource.prlimit(self._moot.pids[VICTIM], resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    def make_room(self) -> None:
        pass  # The next process has no limit.


class SmallDisk:
    """A file system of its own, full of something else."""

    def __init__(self, home: Path) -> None:
        self._home, self._ballast = home, home / "ballast"

    def fill(self) -> None:
        with suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4_096))

    def make_room(self) -> None:
        self._ballast.unlink()


def mount(home: Path) -> bool:
    """Put a small file system under a home, where this user may."""
    files = {file.name: file.read_bytes() for file in home.iterdir()}
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0700", "tmpfs", str(home)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    for name, data in files.items():
        (home / name).touch(mode=0o600)
        (home / name).write_bytes(data)
    return True


@pytest.fixture
def moot(tmp_path: Path) -> Iterator[LocalMoot]:
    with LocalMoot(tmp_path / "moot") as moot:
        moot.found("narrow")
        yield moot


@pytest.fixture
def disk(moot: LocalMoot) -> Iterator[Disk]:
    """A real one where mounting is allowed, which it mostly is not."""
    home = moot.home(VICTIM)
    if not mount(home):
        yield SizeLimit(moot)
        return
    yield SmallDisk(home)
    moot.stop()
    subprocess.run(["umount", str(home)], check=True, capture_output=True)


def ask_until_it_ends(moot: LocalMoot) -> tuple[list[str], list[str]]:
    """Ids of the questions that the victim took, and texts of those that it did not."""
    taken, refused = [], []
    for number in range(200):
        text = f"What is {number} plus 1?"
        try:
            taken.append(moot.ask(VICTIM, text))
        except Refused:
            refused.append(text)
        except (NodeDown, StopIteration):
            return taken, refused
    raise AssertionError("the disk is full and the node does not mind")


def check_nothing_is_lost(moot: LocalMoot, disk: Disk) -> None:
    moot.start_all()
    before = moot.decided(moot.ask(VICTIM, "What is 40 plus 2?"))
    disk.fill()
    taken, refused = ask_until_it_ends(moot)
    assert moot.wait_ended(VICTIM) == Exit.STORE_FULL
    known = {one["text"] for name in moot.running for one in moot.client(name).decisions(500)}
    assert known.isdisjoint(refused), "what it could not save it told nobody"
    disk.make_room()
    moot.start_all()
    for question in taken:
        moot.decided(question)
    assert moot.client(VICTIM).decision(before["id"])["answer"] == before["answer"]


def test_a_node_on_a_full_disk_ends_and_goes_on_when_there_is_room(moot: LocalMoot, disk: Disk) -> None:
    check_nothing_is_lost(moot, disk)


def test_a_node_of_which_no_file_may_grow_says_why_it_ends(moot: LocalMoot) -> None:
    check_nothing_is_lost(moot, SizeLimit(moot))
    assert "moot.db: the disk does not take the write" in moot.log(VICTIM)
    assert "Traceback" not in moot.log(VICTIM)


def test_a_start_on_a_full_disk(moot: LocalMoot) -> None:
    command = [sys.executable, "-m", "node", "up", "--home", str(moot.home(VICTIM))]
    limited = (
        f"import os, resource as r; r.setrlimit(r.RLIMIT_FSIZE, (4096, 4096)); os.execv({command[0]!r}, {command!r})"
    )
    ran = subprocess.run([sys.executable, "-c", limited], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == Exit.STORE_FULL, ran.stderr
    assert "the disk does not take the write" in ran.stderr.splitlines()[-1]
    moot.start(VICTIM)
    moot.wait_for("the same home works", lambda: moot.answers(VICTIM) or None, 60)
    assert moot.end(VICTIM) == Exit.OK


async def test_a_question_that_cannot_be_saved_is_refused_and_ends_the_node(
    moot: LocalMoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core has the question and the disk does not: whoever asks next must not find the one ahead of the other."""
    sent: list[object] = []

    def save(_: object) -> None:
        raise StoreFull("no room")

    async with opened(moot.home(VICTIM)) as (shell, desk, serving):
        monkeypatch.setattr(shell.store, "save", save)
        monkeypatch.setattr("node.transport.client.Outbox.send", lambda *message: sent.append(message[-1]))
        for _ in range(2):
            with pytest.raises(StoreFull, match="no room"):
                await anext(desk.ask("Does this fit?", None, (), None, None))
        with pytest.raises(StoreFull, match="no room"):
            await serving
        with pytest.raises(StoreFull, match="no room"):
            await anext(desk.ask("And this?", None, (), None, None))
    assert not any(isinstance(message, Records) for message in sent)


async def test_a_turn_that_cannot_be_saved_is_the_last(moot: LocalMoot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when there is room again: what the core did in that turn is on no disk."""

    def save(_: object) -> None:
        raise StoreFull("no room")

    async with opened(moot.home(VICTIM)) as (shell, desk, serving):
        with monkeypatch.context() as full:
            full.setattr(shell.store, "save", save)
            shell.post(Tick())
            with pytest.raises(StoreFull, match="no room"):
                await serving
        with pytest.raises(StoreFull, match="no room"):
            await anext(desk.ask("Does this fit?", None, (), None, None))
