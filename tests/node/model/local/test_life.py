# ruff: noqa: ASYNC240 - reads small files
"""The life of the model's process: starts, restarts, its end. Real processes, real forward passes."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from node.model.engine import Ability, LoadSettings
from node.model.errors import ModelDied, ModelError, ModelTimeout, PromptTooLong
from node.model.local.epitaph import kill
from node.model.local.process import ModelProcess
from node.model.local.settings import ModelState, ProcessSettings
from tests.node.model.gguf_files import write_model
from tests.node.model.local.asking import FAST, ask
from tests.node.model.processes import is_alive, pid_of, wait_until

ROOT = Path(__file__).parents[4]


async def test_it_answers_describes_itself_and_leaves_no_process(model_file: Path) -> None:
    states: list[ModelState] = []
    model = ModelProcess(model_file, on_state=states.append)
    info = await model.start()
    assert info == await model.describe()
    assert (info.size_bytes, info.context_length, info.parallel) == (model_file.stat().st_size, 256, 32)
    assert info.abilities == frozenset(Ability)
    texts = (await model.generate(ask("17+25=", samples=5, tokens_max=4))).texts
    assert texts == (await model.generate(ask("17+25=", samples=5, tokens_max=4))).texts
    pid = pid_of(model)
    await model.close()
    await model.close()
    assert not is_alive(pid)
    assert [state.up for state in states] == [True]
    with pytest.raises(ModelDied, match="was closed"):
        await model.generate(ask("17+25="))


async def test_a_model_that_was_not_started_says_so(model_file: Path) -> None:
    model = ModelProcess(model_file)
    for asking in (model.generate(ask("x")), model.describe(), model.counts()):
        with pytest.raises(ModelDied, match="was not started"):
            await asking
    await model.close()


async def test_death_while_idle_is_noticed(model_file: Path) -> None:
    model = ModelProcess(model_file, settings=FAST)
    await model.start()
    first = pid_of(model)
    os.kill(first, signal.SIGABRT)
    await wait_until(lambda: model.pid not in (first, None))
    await model.generate(ask("on", tokens_max=4))
    await model.close()


async def test_restarts_slow_down_until_a_request_is_served(model_file: Path) -> None:
    """A model that dies at every start must not keep the machine busy."""
    model = ModelProcess(model_file, settings=ProcessSettings(restart_ms_min=30, restart_ms_max=200))
    await model.start()
    changes: list[tuple[float, ModelState]] = []
    model.on_state = lambda state: changes.append((asyncio.get_running_loop().time(), state))
    waits_ms = [60, 120, 200, 200]
    for _ in waits_ms:
        await wait_until(lambda: model.pid is not None)
        os.kill(pid_of(model), signal.SIGKILL)
        await wait_until(lambda: model.pid is None)
    await wait_until(lambda: model.pid is not None)
    assert [state.up for _, state in changes] == [False, True] * 4
    for wait_ms, (down, state), (up, _) in zip(waits_ms, changes[::2], changes[1::2], strict=True):
        assert state.reason.endswith(f"next start in {wait_ms} ms")
        assert up - down >= wait_ms / 1000
    await model.generate(ask("on", tokens_max=4))
    os.kill(pid_of(model), signal.SIGKILL)
    await wait_until(lambda: model.pid is None)
    assert changes[-1][1].reason.endswith("next start in 30 ms")
    await model.close()


async def test_a_file_that_went_away_is_tried_again(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf")
    states: list[ModelState] = []
    model = ModelProcess(path, settings=FAST, on_state=states.append)
    await model.start()
    path.rename(tmp_path / "elsewhere.gguf")
    os.kill(pid_of(model), signal.SIGKILL)
    await wait_until(lambda: any("cannot be started again" in state.reason for state in states))
    with pytest.raises(ModelDied, match="No such file"):
        await model.generate(ask("on"))
    (tmp_path / "elsewhere.gguf").rename(path)
    await wait_until(lambda: states[-1].up)
    await model.generate(ask("on", tokens_max=4))
    await model.close()


async def test_a_start_that_hangs_is_ended(model_file: Path) -> None:
    model = ModelProcess(model_file, settings=ProcessSettings(start_timeout_ms=1))
    with pytest.raises(ModelTimeout, match="loading the model"):
        await model.start()
    assert model.pid is None
    await model.close()


async def test_it_starts_from_any_folder(model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also from one that holds files named like modules."""
    (tmp_path / "json.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    model = ModelProcess(model_file.resolve(), LoadSettings(context_length=64))
    assert (await model.start()).context_length == 64
    await model.close()


async def test_a_failed_listener_stops_nothing(model_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail(state: ModelState) -> None:
        raise RuntimeError("listener")

    model = ModelProcess(model_file, settings=FAST, on_state=fail)
    await model.start()
    first = pid_of(model)
    os.kill(first, signal.SIGKILL)
    await wait_until(lambda: model.pid not in (first, None))
    assert "model.on_state_failed" in caplog.text
    with pytest.raises(PromptTooLong):
        await model.generate(ask("x" * 1000))
    await model.close()


async def test_no_process_can_be_started(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(ModelDied, match=r"cannot be started.*No such file"):
        await ModelProcess(model_file).start()


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        pytest.param("print('Segmentation fault, or so', flush=True)", "sent what is no message.*SIGKILL", id="noise"),
        pytest.param("sys.exit(3)", "exit code 3 while loading the model", id="nothing"),
        pytest.param("os.write(1, b'\\0\\0\\0\\2{}' * 2)", "speaks before it is asked.*SIGKILL", id="too much"),
        pytest.param("os.write(1, b'\\0\\0\\0\\2{}')", "no description.*SIGKILL", id="no description"),
    ],
)
async def test_what_starts_as_something_else_is_ended(
    tmp_path: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch, says: str, reason: str
) -> None:
    impostor = tmp_path / "python"
    impostor.write_text(f"#!{sys.executable}\nimport os, sys, time\n{says}\ntime.sleep(60)\n")
    impostor.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(impostor))
    model = ModelProcess(model_file)
    with pytest.raises(ModelError, match=reason):
        await model.start()
    await model.close()


async def test_ending_what_has_ended_leaves_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when asyncio has not yet been told of it."""
    told = threading.Event()
    waitpid = os.waitpid

    def wait_late(pid: int, options: int) -> tuple[int, int]:
        told.wait()
        return waitpid(pid, options)

    monkeypatch.setattr(os, "waitpid", wait_late)
    reading, writing = os.pipe()
    program = (sys.executable, "-c", "import sys; sys.stdin.read(); sys.exit(3)")
    process = await asyncio.create_subprocess_exec(*program, stdin=reading)
    os.close(reading)
    os.close(writing)
    while is_alive(process.pid):
        time.sleep(0.01)  # noqa: ASYNC251 - the event loop must not hear of it
    kill(process)
    told.set()
    assert await process.wait() == 3


def command(path: Path, parent: int) -> list[str]:
    return [sys.executable, "-m", "node.model.serving", str(path), "256", "1", "4", "16", "0", str(parent)]


def test_it_ends_when_its_stdin_closes(model_file: Path) -> None:
    """The way out where the system cannot tell a child that its parent died."""
    done = subprocess.run(
        command(model_file, os.getpid()), stdin=subprocess.DEVNULL, capture_output=True, cwd=ROOT, timeout=30
    )
    assert done.returncode == 0
    assert done.stderr == b""
    assert done.stdout[4:].startswith(b'{"ready"')


def test_it_ends_when_its_parent_is_already_gone(model_file: Path) -> None:
    done = subprocess.run(command(model_file, 1), stdin=subprocess.PIPE, capture_output=True, cwd=ROOT, timeout=30)
    assert (done.returncode, done.stdout) == (1, b"")
