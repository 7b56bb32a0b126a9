"""A node's directory: made once, found again, used by one process at a time."""

import os
import select
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from node.errors import Exit, HomeExists, HomeInUse, HomeMissing
from node.home import Home

REPOSITORY = Path(__file__).parents[2]


def whole(path: Path) -> Home:
    home = Home.create(path)
    home.identity.write_text("key")
    home.settings.write_text("version = 1")
    return home


def test_a_new_home_is_private(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "deep" / "node")
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    assert {path.parent for path in (home.identity, home.settings, home.genesis, home.store, home.log, home.lock)} == {
        home.path
    }


def test_a_directory_that_is_there_is_taken_and_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "notes.txt").write_text("mine")
    Home.create(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.parametrize("file", ["identity.key", "settings.toml", "genesis.json", "moot.db"])
def test_a_node_is_never_written_over(tmp_path: Path, file: str) -> None:
    (tmp_path / file).symlink_to("/dangling")
    with pytest.raises(HomeExists, match=file) as caught:
        Home.create(tmp_path)
    assert caught.value.exit_code is Exit.HOME_EXISTS


def test_where_no_directory_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeMissing, match="cannot make this directory"):
        Home.create(tmp_path / "file" / "node")


def test_a_home_is_found(tmp_path: Path) -> None:
    assert Home.find(whole(tmp_path / "node").path).path == tmp_path / "node"


def test_no_home_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(HomeMissing, match=r"make one: moot init --home .*nowhere") as caught:
        Home.find(tmp_path / "nowhere")
    assert caught.value.exit_code is Exit.NO_HOME


def test_half_a_home_says_what_is_missing(tmp_path: Path) -> None:
    home = whole(tmp_path / "node")
    home.identity.unlink()
    with pytest.raises(HomeMissing, match=r"identity\.key not there"):
        Home.find(home.path)


def test_two_in_one_process_are_two_too_many(tmp_path: Path) -> None:
    home = whole(tmp_path / "node")
    with home.locked():
        with pytest.raises(HomeInUse, match=f"process {os.getpid()} uses this home") as caught, home.locked():
            pytest.fail("two hold the home")
        assert caught.value.exit_code is Exit.HOME_IN_USE
    with home.locked():
        assert stat.S_IMODE(home.lock.stat().st_mode) == 0o600


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    """The lock goes with the process, however it ends; a stale file never keeps a node from starting."""
    home = whole(tmp_path / "node")
    program = (
        "import sys, time; from pathlib import Path; from node.home import Home\n"
        "with Home.find(Path(sys.argv[1])).locked(): print('in', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, home.path], cwd=REPOSITORY, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        try:
            assert select.select([other.stdout], [], [], 30)[0], "the other process did not start"
            with pytest.raises(HomeInUse, match=f"process {other.pid} "), home.locked():
                pytest.fail("two hold the home")
        finally:
            other.kill()
    with home.locked():
        assert home.lock.read_text() == f"{os.getpid()}\n"


def test_a_home_that_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(HomeMissing, match="cannot be written"), Home(tmp_path / "nowhere").locked():
        pytest.fail("locked nothing")
