"""The demo as a newcomer runs it: real processes, real gRPC, the shipped models; and nothing of it is left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from node.cli.demo import SEED
from node.errors import Exit
from node.lab.demo import forgeries
from node.lab.demo_tasks import draw_tasks, right_answer
from node.lab.skills import SKILLS, held_out

ROOT = Path(__file__).parents[2]
NODES = 5
Scenes = list[dict[str, Any]]


@contextmanager
def demo(directory: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A demo that runs. One that a test gives up is told to stop, and stops its nodes."""
    with subprocess.Popen(
        [sys.executable, "-m", "node", "demo", "--dir", str(directory), "--questions", "4", *more],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def processes_of(directory: Path) -> list[int]:
    """Every process, nodes and their models, that works on a home in this directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command, environment = (entry / "cmdline").read_bytes(), os.readlink(entry / "cwd")
            except OSError:
                continue
            if str(directory).encode() in command or environment.startswith(str(directory)):
                found.append(int(entry.name))
    return found


def wait_until(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, f"waited {timeout_s} s in vain"
        time.sleep(0.02)


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "demo"
    shutil.rmtree(tmp_path / "demo", ignore_errors=True)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scenes]:
    """One whole performance, its homes kept."""
    directory = tmp_path_factory.mktemp("demo") / "homes"
    with demo(directory, "--json") as process:
        out, err = process.communicate(timeout=100)
    assert process.returncode == Exit.OK, err
    return directory, [json.loads(line) for line in out.splitlines()]


def of(scenes: Scenes, name: str) -> Scenes:
    return [scene for scene in scenes if scene["scene"] == name]


def test_the_story_is_told_in_order(played: tuple[Path, Scenes]) -> None:
    told = [scene["scene"] for scene in played[1] if scene["scene"] not in ("Heard", "Waits")]
    assert told == [
        "Founded", "Met",
        "Asked", "Ended",
        "Asked", "Killed", "Ended",
        "Asked", "Ended",
        "SeenDead", "CaughtUp",
        "Asked", "Ended",
        "Exported", "Checked", "Checked", "Checked", "Finished",
    ]  # fmt: skip


def test_every_question_is_decided_also_without_the_killed_node(played: tuple[Path, Scenes]) -> None:
    ended = of(played[1], "Ended")
    assert [scene["decision"]["state"] for scene in ended] == ["decided"] * 4
    victim = of(played[1], "Killed")[0]["name"]
    alone = [part["state"] for part in ended[2]["decision"]["members"] if part["name"] == victim]
    assert alone == ["silent"], "it was dead"
    assert victim not in ended[2]["decision"]["signers"]
    assert all(scene["decision"]["cost"]["forward_passes"] > 0 for scene in ended)


def test_the_killed_node_knows_what_was_decided_while_it_was_dead(played: tuple[Path, Scenes]) -> None:
    killed, back = of(played[1], "Killed")[0], of(played[1], "CaughtUp")[0]
    decided = of(played[1], "Ended")[1]["decision"]
    assert killed["question"] == decided["id"]
    assert back["slots_missed"] >= 2
    assert (back["name"], back["question"], back["answer"]) == (killed["name"], decided["id"], decided["answer"])
    others = set(_names(played[1])) - {killed["name"]}
    assert set(of(played[1], "SeenDead")[0]["by"]) == others


def _names(scenes: Scenes) -> list[str]:
    return [seat["name"] for seat in scenes[0]["seats"]]


def test_the_score_is_counted_from_what_was_decided(played: tuple[Path, Scenes]) -> None:
    scenes = played[1]
    finished, ended = of(scenes, "Finished")[0], of(scenes, "Ended")
    assert finished["right"] == sum(scene["decision"]["answer"] == scene["expected"] for scene in ended)
    assert finished["asked"] == 4
    assert [scene["expected"] for scene in ended] == [right_answer(task) for task in draw_tasks(SEED, 4)]
    assert sorted(score["name"] for score in finished["members"]) == sorted(_names(scenes))


def test_the_certificate_is_verified_and_the_forgeries_are_refused(played: tuple[Path, Scenes]) -> None:
    verified, answer, signature = of(played[1], "Checked")
    decided = of(played[1], "Ended")[1]["decision"]["answer"]
    assert (verified["exit_code"], verified["out"]) == (Exit.OK, f"{decided}\n")
    assert (answer["exit_code"], signature["exit_code"]) == (Exit.WRONG_SUMMARY, Exit.BAD_SIGNATURE)


def test_the_homes_can_be_used_again(played: tuple[Path, Scenes]) -> None:
    directory, scenes = played
    wait_until(lambda: processes_of(directory) == [], 5)  # killed models may take a moment to be gone
    homes = sorted(path.name for path in directory.iterdir() if path.is_dir())
    assert homes == sorted(_names(scenes))
    assert all((directory / home / "moot.db").is_file() for home in homes)


def test_clean_leaves_nothing(directory: Path) -> None:
    with demo(directory, "--clean", "--no-color") as process:
        out, err = process.communicate(timeout=100)
    assert process.returncode == Exit.OK, err
    assert not directory.exists()
    assert "\x1b" not in out
    assert "together" in out
    assert "go on" not in out


@pytest.mark.parametrize(
    ("number", "nodes"),
    [
        (signal.SIGTERM, 0),
        (signal.SIGTERM, 1),
        (signal.SIGTERM, 2),
        (signal.SIGTERM, NODES),
        (signal.SIGINT, 3),
        (signal.SIGINT, NODES),
        (signal.SIGHUP, NODES),
    ],
)
def test_a_demo_that_is_stopped_leaves_no_process(directory: Path, number: signal.Signals, nodes: int) -> None:
    """Also one that is stopped while it starts its nodes."""
    with demo(directory) as process:
        wait_until(lambda: directory.exists() and len(processes_of(directory)) > nodes)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (128 + number, "")
    wait_until(lambda: processes_of(directory) == [])


def test_a_node_that_ends_by_itself_ends_the_demo_with_its_last_words(directory: Path) -> None:
    with demo(directory) as process:
        wait_until(lambda: (directory / "sage" / "control.sock").exists())
        victim = next(pid for pid in processes_of(directory) if _is_node(pid, directory / "sage"))
        os.kill(victim, signal.SIGKILL)
        _, err = process.communicate(timeout=100)
    assert process.returncode == Exit.FAILED
    assert "sage" in err
    assert str(directory) in err, "it says where the logs are"
    wait_until(lambda: processes_of(directory) == [])


def _is_node(pid: int, home: Path) -> bool:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return command[-2:] == [str(home).encode(), b""]


def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with demo(tmp_path) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (Exit.USAGE, "")
    assert "not empty" in err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_questions_cover_all_skills_and_were_never_trained() -> None:
    tasks = draw_tasks(1, 10)
    assert {task.skill for task in tasks} == set(SKILLS)
    assert all(held_out(task) for task in tasks)
    assert tasks == draw_tasks(1, 10)
    assert tasks != draw_tasks(2, 10)


def test_every_known_answer_counts_as_an_answer() -> None:
    """Else a right member would be called wrong."""
    for seed in range(100):
        for task in draw_tasks(seed, 14):
            assert right_answer(task)


def test_a_forgery_differs_in_one_bit() -> None:
    good = json.dumps({"summary": {"answer": "42"}, "statements": [{"signature": "ab9c" * 32}]}, indent=2).encode()
    for _, forged in forgeries(good):
        changed = [a ^ b for a, b in zip(good, forged, strict=True) if a != b]
        assert changed == [1]
