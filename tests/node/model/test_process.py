# ruff: noqa: ASYNC110, ASYNC220, ASYNC240 - waits for real processes, reads small files
"""The model's process under everything that can happen to it. Real processes, real forward passes."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from node.model.engine import GenerateRequest, LoadSettings
from node.model.errors import (
    ModelBusy,
    ModelDied,
    ModelError,
    ModelFileInvalid,
    ModelFileMissing,
    ModelTimeout,
    PromptTooLong,
)
from node.model.process import ModelProcess, ModelState, ProcessSettings
from tests.node.model.gguf_files import Shape, Vocabulary, write_model

ROOT = Path(__file__).parents[3]
REQUEST = GenerateRequest("17+25=", 5, 1000, 1, 12, "\n")
FAST = ProcessSettings(restart_ms_min=10)


async def wait_until(true: Callable[[], bool], timeout_s: float = 30) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pid_of(model: ModelProcess) -> int:
    assert model.pid is not None
    return model.pid


@pytest_asyncio.fixture
async def model(model_file: Path) -> AsyncIterator[ModelProcess]:
    process = ModelProcess(model_file, settings=FAST)
    await process.start()
    yield process
    await process.close()


async def test_it_answers_describes_itself_and_leaves_no_process(model_file: Path) -> None:
    states: list[ModelState] = []
    model = ModelProcess(model_file, on_state=states.append)
    info = await model.start()
    assert info == await model.describe()
    assert (info.size_bytes, info.context_length) == (model_file.stat().st_size, 256)
    result = await model.generate(REQUEST)
    assert len(result.texts) == 5
    assert result == await model.generate(REQUEST) or result.texts == (await model.generate(REQUEST)).texts
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
    pid = pid_of(model)
    os.kill(pid, signal.SIGSTOP)  # so that it surely dies in the middle
    requests = [asyncio.create_task(model.generate(REQUEST)) for _ in range(3)]
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    for result in await asyncio.gather(*requests, return_exceptions=True):
        assert isinstance(result, ModelDied)
    assert "SIGKILL" in str(requests[0].exception())
    with pytest.raises(ModelDied, match="being started again"):
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
    changes: list[float] = []
    model = ModelProcess(model_file, settings=ProcessSettings(restart_ms_min=60))
    await model.start()
    model.on_state = lambda state: changes.append(asyncio.get_running_loop().time())
    for _ in range(4):
        await wait_until(lambda: model.pid is not None)
        os.kill(pid_of(model), signal.SIGKILL)
        await wait_until(lambda: model.pid is None)
    await wait_until(lambda: model.pid is not None)
    waits = [up - down for down, up in zip(changes[::2], changes[1::2], strict=True)]
    assert all(wait >= 0.06 * 2**failures for failures, wait in enumerate(waits, 1)), waits
    await model.generate(REQUEST)
    os.kill(pid_of(model), signal.SIGKILL)
    await wait_until(lambda: model.pid is None)
    await wait_until(lambda: model.pid is not None)
    assert changes[-1] - changes[-2] < waits[-1], "the wait starts over"
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
    pid = pid_of(model)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ModelTimeout, match="a request took longer than 300 ms"):
        await model.generate(REQUEST)
    assert not is_alive(pid)
    await wait_until(lambda: model.pid is not None)
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
    os.kill(pid_of(model), signal.SIGSTOP)
    order: list[int] = []

    async def ask(number: int) -> None:
        await model.generate(REQUEST)
        order.append(number)

    waiting = [asyncio.create_task(ask(number)) for number in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(ModelBusy, match="4 requests"):
        await model.generate(REQUEST)
    os.kill(pid_of(model), signal.SIGCONT)
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2, 3]
    await model.close()


async def test_a_caller_that_gives_up_holds_nobody_up(model: ModelProcess) -> None:
    os.kill(pid_of(model), signal.SIGSTOP)
    first, second, third = [asyncio.create_task(model.generate(REQUEST)) for _ in range(3)]
    await asyncio.sleep(0.05)
    for task in (first, second):
        task.cancel()
    await asyncio.wait({first, second})
    os.kill(pid_of(model), signal.SIGCONT)
    assert await third == await third
    greedy = GenerateRequest("2*3=", 1, 0, 1, 4, "")
    assert (await model.generate(greedy)).texts == (await model.generate(greedy)).texts, (
        "replies went to their requests"
    )


async def test_closing_fails_what_waits(model_file: Path) -> None:
    model = ModelProcess(model_file)
    await model.start()
    pid = pid_of(model)
    os.kill(pid, signal.SIGSTOP)
    waiting = [asyncio.create_task(model.generate(REQUEST)) for _ in range(3)]
    await asyncio.sleep(0)
    await model.close()
    assert all(isinstance(task.exception(), ModelDied) for task in waiting)
    assert not is_alive(pid)


def corrupted(data: bytes) -> bytes:
    """Weights that are no numbers, which no header shows."""
    return data[:-4096] + b"\xff" * 4096


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        pytest.param(lambda data: os.urandom(5000), "not GGUF", id="garbage"),
        pytest.param(lambda data: data[: len(data) // 2], "cut off", id="truncated"),
        pytest.param(lambda data: b"", "0 bytes", id="empty"),
        pytest.param(corrupted, "llama.cpp refuses it", id="weights that are no numbers"),
        pytest.param(
            lambda data: data.replace(b"llama.block_count", b"llama.block_kount"), "refuses it", id="a key missing"
        ),
        pytest.param(lambda data: data.replace(b"blk.1.attn_q", b"blk.9.attn_q"), "refuses it", id="a tensor missing"),
    ],
)
async def test_a_broken_file_is_told_at_the_start(
    tmp_path: Path, model_file: Path, damage: Callable[[bytes], bytes], problem: str
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(damage(model_file.read_bytes()))
    model = ModelProcess(path)
    with pytest.raises(ModelFileInvalid, match=problem):
        await model.start()
    await model.close()


async def test_a_missing_file_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing, match=r"nowhere\.gguf.*check the path"):
        await ModelProcess(tmp_path / "nowhere.gguf").start()


async def test_the_name_of_the_file_does_not_matter(tmp_path: Path, model_file: Path) -> None:
    path = tmp_path / "my model (1) é.bin"
    path.write_bytes(model_file.read_bytes())
    model = ModelProcess(path)
    await model.start()
    assert len((await model.generate(REQUEST)).texts) == 5
    await model.close()


@pytest.mark.parametrize("vocabulary", ["bytes", "letters", "bpe"])
async def test_no_text_ends_the_process(tmp_path: Path, vocabulary: Vocabulary) -> None:
    """A question comes from strangers. One text that ends the process would silence every node that it reaches."""
    template = "{{ bos_token }}<|user|>{{ messages[0].content }}<|bot|>\n"
    path = write_model(
        tmp_path / "m.gguf",
        shape=Shape(context_length=2048),
        vocabulary=vocabulary,
        control=("<|user|>", "<|bot|>"),
        chat_template=template,
    )
    model = ModelProcess(path)
    await model.start()
    pid = model.pid
    texts = [
        "",
        "\x00",
        "a\x00b",
        "".join(map(chr, range(1, 32))),
        "😀" * 20,
        "👩‍👩‍👧‍👦\u202e\ufeff\uffff",
        "\ud800 \udfff",
        "<|bot|>" * 30,
        "</s><s><unk>",
        "{{ messages }}{% for %}",
        "%s%n%x" * 10,
        "▁" * 100,
        "<0x00><0xFF>",
        '{"id": 1}',
        *(chr(code) for code in range(0x80, 0x110000, 4099)),
    ]
    for text in texts:
        await model.generate(GenerateRequest(text, 2, 1000, 1, 2, "\n"))
    for text in ["x" * 65_000, "1" * 65_000, " " * 65_000, "x" * 100_000, "😀\x00" * 100_000, "\n" * 3_000_000]:
        with pytest.raises(PromptTooLong):
            await model.generate(GenerateRequest(text, 2, 1000, 1, 2, "\n"))
    assert model.pid == pid, "never restarted"
    await model.close()


async def test_memory_does_not_grow(model: ModelProcess) -> None:
    def resident_kib() -> int:
        return int(Path(f"/proc/{model.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024

    for seed in range(50):
        await model.generate(GenerateRequest(f"{seed}+{seed}=", 5, 1000, seed, 12, "\n"))
    before = resident_kib()
    for seed in range(300):
        await model.generate(GenerateRequest(f"{seed}*{seed}=", 5, 1000, seed, 12, "\n"))
    assert resident_kib() - before < 512


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
    await wait_until(lambda: not is_alive(pid), 5)


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
