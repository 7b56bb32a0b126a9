# ruff: noqa: ASYNC240 - reads small files
"""The model's process given broken files, hostile questions and a bad interpreter."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from node.model.engine import GenerateRequest
from node.model.errors import ModelDied, ModelFileInvalid, ModelFileMissing, PromptTooLong
from node.model.process import ModelProcess
from tests.node.model.gguf_files import Shape, Vocabulary, write_model
from tests.node.model.processes import REQUEST


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


@pytest.mark.parametrize("vocabulary", ["bytes", "other bytes", "letters", "bpe"])
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


async def test_no_process_can_be_started(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(ModelDied, match=r"cannot be started.*No such file"):
        await ModelProcess(model_file).start()


IMPOSTOR = """#!{python}
import sys, time
from node.model import frames
from node.model.engine import ModelInfo
if "{garbage_at}" == "request":
    sys.stdout.buffer.write(frames.pack(frames.ready_message(ModelInfo("impostor", "none", 0, 16, bytes(32), 0))))
    sys.stdout.buffer.flush()
    sys.stdin.buffer.read(1)
print("Segmentation fault, or so")
sys.stdout.flush()
time.sleep(60)
"""


@pytest.mark.parametrize("garbage_at", ["start", "request"])
async def test_a_process_that_writes_garbage_is_ended(
    tmp_path: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch, garbage_at: str
) -> None:
    """After a stray byte nothing that follows can be trusted to be a reply."""
    impostor = tmp_path / "python"
    impostor.write_text(IMPOSTOR.format(python=sys.executable, garbage_at=garbage_at))
    impostor.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(impostor))
    model = ModelProcess(model_file)

    async def start_and_ask() -> None:
        await model.start()
        await model.generate(REQUEST)

    with pytest.raises(ModelDied, match=r"sent what is no message of ours.*SIGKILL"):
        await start_and_ask()
    await model.close()
