# ruff: noqa: ASYNC220, ASYNC240 - starts real processes, reads small files
"""The life of the model's process: restarts, timeouts, its queue, its end. Real processes, real forward passes."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from node.model.engine import GenerateRequest, LoadSettings
from node.model.errors import (
    ModelBusy,
    ModelDied,
    ModelError,
    ModelTimeout,
)
from node.model.process import ModelProcess, ModelState, ProcessSettings
from tests.node.model.gguf_files import write_model
from tests.node.model.processes import FAST, REQUEST, is_alive, pause, pid_of, wait_until

ROOT = Path(__file__).parents[3]


async def test_it_answers_describes_itself_and_leaves_no_process(model_file: Path) -> None:
    states: list[ModelState] = []
    model = ModelProcess(model_file, on_state=states.append)
    info = await model.start()
    assert info == await model.describe()
    assert (info.size_bytes, info.context_length) == (model_file.stat().st_size, 256)
    texts = (await model.generate(REQUEST)).texts
    assert len(texts) == 5
    assert texts == (await model.generate(REQUEST)).texts
    pid = pid_of(model)
    await model.close()
    await model.close()
    assert not is_alive(pid)
    assert [state.up for state in states] == [True]
    with pytest.raises(ModelDied, match="was closed"):
        await model.generate(REQUEST)


async def test_kill_in_the_middle_of_a_request(model: ModelProcess) -> None:
    """A native crash costs the requests under way, and nothing after them."""
    states: list[ModelState] = []
    model.on_state = states.append
    pid = await pause(model)  # so that it surely dies in the middle
    requests = [asyncio.create_task(model.generate(REQUEST)) for _ in range(3)]
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    for result in await asyncio.gather(*requests, return_exceptions=True):
        assert isinstance(result, ModelDied)
    assert "SIGKILL" in str(requests[0].exception())
    with pytest.raises(ModelDied, match="next start in 20 ms"):
        await model.generate(REQUEST)  # at once: the node abstains rather than waits
    await wait_until(lambda: model.pid is not None)
    assert (await model.generate(REQUEST)).cost.forward_passes == 12
    assert [(state.up, state.starts) for state in states] == [(False, 1), (True, 2)]


async def test_death_while_idle_is_noticed(model: ModelProcess) -> None:
    first = pid_of(model)
    os.kill(first, signal.SIGABRT)
    await wait_until(lambda: model.pid not in (first, None))
    assert len((await model.generate(REQUEST)).texts) == 5


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
    await model.generate(REQUEST)
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
        await model.generate(REQUEST)
    (tmp_path / "elsewhere.gguf").rename(path)
    await wait_until(lambda: states[-1].up)
    await model.generate(REQUEST)
    await model.close()


async def test_a_request_that_hangs_is_ended(model_file: Path) -> None:
    settings = ProcessSettings(request_timeout_ms=300, restart_ms_min=10)
    model = ModelProcess(model_file, settings=settings)
    await model.start()
    pid = await pause(model)
    with pytest.raises(ModelTimeout, match="a request took longer than 300 ms"):
        await model.generate(REQUEST)
    assert not is_alive(pid)
    await wait_until(lambda: model.pid is not None)
    model.settings = FAST  # a busy machine may take its time for an honest request
    await model.generate(REQUEST)
    await model.close()


async def test_a_start_that_hangs_is_ended(model_file: Path) -> None:
    model = ModelProcess(model_file, settings=ProcessSettings(start_timeout_ms=1))
    with pytest.raises(ModelTimeout, match="loading the model"):
        await model.start()
    assert model.pid is None
    await model.close()


async def test_the_queue_is_bounded_and_served_in_order(model_file: Path) -> None:
    model = ModelProcess(model_file, settings=ProcessSettings(queue_max=4))
    await model.start()
    pid = await pause(model)
    order: list[int] = []

    async def ask(number: int) -> None:
        await model.generate(REQUEST)
        order.append(number)

    waiting = [asyncio.create_task(ask(number)) for number in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(ModelBusy, match="4 requests"):
        await model.generate(REQUEST)
    os.kill(pid, signal.SIGCONT)
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2, 3]
    await model.close()


async def test_a_caller_that_gives_up_holds_nobody_up(model_file: Path) -> None:
    """Neither a place in the queue nor the reply of the one under way is left behind."""
    model = ModelProcess(model_file, settings=ProcessSettings(queue_max=2))
    await model.start()
    pid = await pause(model)
    under_way, waiting = [asyncio.create_task(model.generate(REQUEST)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in (under_way, waiting):
        task.cancel()
    await asyncio.wait({under_way, waiting})
    await asyncio.sleep(0)
    third = asyncio.create_task(model.generate(REQUEST))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGCONT)
    assert (await third).texts == (await model.generate(REQUEST)).texts
    single = GenerateRequest("2*3=", 1, 0, 1, 4, "")
    assert len((await model.generate(single)).texts) == 1, "replies go to their requests"
    await model.close()


async def test_closing_fails_what_waits(model_file: Path) -> None:
    model = ModelProcess(model_file)
    await model.start()
    pid = await pause(model)
    waiting = [asyncio.create_task(model.generate(REQUEST)) for _ in range(3)]
    await asyncio.sleep(0)
    await model.close()
    assert all(isinstance(task.exception(), ModelDied) for task in waiting)
    assert not is_alive(pid)


PARENT = """
    import asyncio, os, pathlib, signal, sys
    from node.model.engine import GenerateRequest
    from node.model.process import ModelProcess

    async def main():
        model = ModelProcess(pathlib.Path(sys.argv[1]))
        await model.start()
        if sys.argv[2] == "busy":
            asyncio.create_task(model.generate(GenerateRequest("1+1=", 64, 1000, 1, 200, "")))
        print(model.pid, flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
async def test_it_dies_with_its_node(model_file: Path, state: str) -> None:
    """Orphans would hold a model's memory for ever, one more per crash of the node."""
    node = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(model_file), state], stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert node.stdout is not None
        pid = int(await asyncio.to_thread(node.stdout.readline))
        assert is_alive(pid)
    finally:
        node.kill()
        node.communicate()
    await wait_until(lambda: not is_alive(pid))


def test_it_ends_when_its_stdin_closes(model_file: Path) -> None:
    """The way out where the system cannot tell a child that its parent died."""
    command = [sys.executable, "-m", "node.model.worker", str(model_file), "256", "1", str(os.getpid())]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, cwd=ROOT, timeout=30)
    assert done.returncode == 0
    assert done.stderr == b""
    assert done.stdout[4:].startswith(b'{"ready"')


def test_it_ends_when_its_parent_is_already_gone(model_file: Path) -> None:
    command = [sys.executable, "-m", "node.model.worker", str(model_file), "256", "1", "1"]
    done = subprocess.run(command, stdin=subprocess.PIPE, capture_output=True, cwd=ROOT, timeout=30)
    assert (done.returncode, done.stdout) == (1, b"")


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
    with pytest.raises(ModelError):
        await model.generate(GenerateRequest("x" * 1000, 1, 0, 0, 1, ""))
    await model.close()
