"""Adapters in the process: requests with different ones run beside each other, and one in use is not freed."""

import asyncio
from pathlib import Path

import pytest

from node.model.errors import AdapterInvalid, AdapterUnknown
from node.model.local.process import ModelProcess
from node.model.requests import AdapterUse, EmbedRequest
from node.model.results import Generated
from tests.node.model.gguf_others import write_adapter
from tests.node.model.local.asking import ask
from tests.node.model.processes import wait_until


async def answer(engine: ModelProcess, *uses: AdapterUse, tokens_max: int = 12) -> Generated:
    return await engine.generate(ask("the same long question", adapters=uses, tokens_max=tokens_max))


async def test_different_adapters_run_beside_each_other(engine: ModelProcess, tmp_path: Path) -> None:
    """Each request says what it says alone: neither passes nor cached prompts mix what adapters made of them."""
    paths = [write_adapter(tmp_path / f"{seed}.gguf", seed=seed) for seed in (1, 2)]
    first, second = [AdapterUse((await engine.add_adapter(path)).digest) for path in paths]
    mixes = ((), (first,), (second,), (first, second), (AdapterUse(first.digest, 0.5),))
    alone = [(await answer(engine, *mix)).texts for mix in mixes]
    assert len(set(alone)) == len(mixes)
    together = await asyncio.gather(*(answer(engine, *mix) for mix in mixes * 4))
    assert [found.texts for found in together] == alone * 4
    assert (await answer(engine, second, first)).texts == alone[3]
    assert (await answer(engine, AdapterUse(first.digest, 0.0))).texts == alone[0]
    assert all(found.account.cached_tokens > 0 for found in together), "prompts are shared within each"
    counts = await engine.counts()
    assert counts.decoded_tokens == counts.native_tokens


async def test_one_in_use_is_freed_when_its_last_request_is_done(engine: ModelProcess, tmp_path: Path) -> None:
    path = write_adapter(tmp_path / "1.gguf", seed=1)
    info = await engine.add_adapter(path)
    assert await engine.add_adapter(path) == info
    assert (await engine.describe()).adapters == (info,)
    use = AdapterUse(info.digest)
    alone = (await answer(engine, use, tokens_max=400)).texts
    busy = [asyncio.create_task(answer(engine, use, tokens_max=400)) for _ in range(4)]
    while (await engine.counts()).running == 0:
        pass
    await engine.drop_adapter(info.digest)
    assert (await engine.describe()).adapters == ()
    with pytest.raises(AdapterUnknown):
        await answer(engine, use)
    assert {(await task).texts for task in busy} == {alone}
    plain = (await answer(engine)).texts
    vector = (await engine.embed(EmbedRequest(texts=("x",)))).vectors
    await engine.add_adapter(path)
    assert (await answer(engine, use, tokens_max=400)).texts == alone
    assert (await engine.embed(EmbedRequest(texts=("x",), adapters=(use,)))).vectors != vector
    await engine.drop_adapter(info.digest)
    assert (await engine.embed(EmbedRequest(texts=("x",)))).vectors == vector
    assert (await answer(engine)).texts == plain
    counts = await engine.counts()
    assert counts.decoded_tokens == counts.native_tokens, "also of the contexts that were freed with it"


async def test_after_a_death_it_is_there_again(engine: ModelProcess, tmp_path: Path) -> None:
    use = AdapterUse((await engine.add_adapter(write_adapter(tmp_path / "1.gguf", seed=1))).digest)
    before, first = (await answer(engine, use)).texts, engine.pid
    assert engine._keeper.child is not None
    await engine._keeper.child.kill()
    await wait_until(lambda: engine.pid not in (first, None))
    assert (await answer(engine, use)).texts == before


async def test_what_is_no_adapter_costs_nobody_anything(
    engine: ModelProcess, tmp_path: Path, letters_file: Path
) -> None:
    pid = engine.pid
    garbage = tmp_path / "garbage.gguf"
    garbage.write_bytes(b"GGUF" + bytes(500))
    other = write_adapter(tmp_path / "other.gguf", sizes={"blk.7.attn_q.weight.lora_a": (64, 4)})
    for path in (garbage, other, letters_file):
        with pytest.raises(AdapterInvalid):
            await engine.add_adapter(path)
    assert engine.pid == pid
    assert (await engine.describe()).adapters == ()
