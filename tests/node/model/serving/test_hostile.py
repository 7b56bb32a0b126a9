# ruff: noqa: ASYNC240 - reads small files
"""The model's process given broken files and hostile questions: it says what is wrong, and no text ends it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from node.model.errors import ModelFileInvalid, ModelFileMissing, PromptTooLong
from node.model.local.process import ModelProcess
from node.model.requests import NextRequest, Sampling, ScoreRequest
from tests.node.model.gguf_files import Shape, Vocabulary, write_model
from tests.node.model.local.asking import ask

WARM = Sampling(temperature=1.0, seed=1)


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
            lambda data: data.replace(b"llama.feed_forward_length", b"llama.feed_forward_lenght"),
            "refuses it",
            id="a key missing",
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
    await model.generate(ask("on", tokens_max=4))
    await model.close()


TEXTS = (
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
)


@pytest.mark.parametrize("vocabulary", ["bytes", "other bytes", "letters", "bpe"])
async def test_no_text_ends_the_process(tmp_path: Path, vocabulary: Vocabulary) -> None:
    """A question comes from strangers. One text that ends the process would silence every node that it reaches."""
    path = write_model(
        tmp_path / "m.gguf",
        shape=Shape(context_length=2048),
        vocabulary=vocabulary,
        control=("<|user|>", "<|bot|>"),
        chat_template="{{ bos_token }}<|user|>{{ messages[0].content }}<|bot|>\n",
    )
    model = ModelProcess(path)
    await model.start()
    pid = model.pid
    for text in TEXTS:
        await model.generate(ask(text, samples=2, sampling=WARM, tokens_max=2, stop=("\n", text[:64] or "x")))
        await model.next_tokens(NextRequest(prompt="x", written=text, top=3))
        await model.score(ScoreRequest(prompt=text, continuations=(f"a{text}", "b"), closed=True))
    for text in ["x" * 65_000, "1" * 65_000, " " * 65_000, "x" * 100_000, "😀\x00" * 100_000, "\n" * 3_000_000]:
        with pytest.raises(PromptTooLong):
            await model.generate(ask(text, samples=2, tokens_max=2))
        with pytest.raises(PromptTooLong):
            await model.score(ScoreRequest(prompt="x", continuations=(text,)))
    assert model.pid == pid, "never restarted"
    await model.close()
