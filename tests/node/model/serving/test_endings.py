"""Where a text ends: at a stop text wherever tokens begin, at the model's own end, at the last token that fits."""

from pathlib import Path

import pytest

from node.model.engine import LoadSettings
from node.model.llamacpp.context import Context
from node.model.local.process import ModelProcess
from node.model.results import End
from node.model.serving.generating import sample_seed
from tests.node.model.gguf_files import write_model
from tests.node.model.gguf_others import write_recurrent_model
from tests.node.model.local.asking import FAST, ask
from tests.node.model.serving.conftest import LONG


async def greedy(engine: ModelProcess, *stop: str) -> str:
    return (await engine.generate(ask("17+25=", tokens_max=12, stop=stop))).texts[0]


async def test_a_sample_ends_before_the_stop_text_wherever_tokens_begin(engine: ModelProcess) -> None:
    text = await greedy(engine)
    for start in range(1, len(text) - 2):
        stop = text[start : start + 2]
        assert await greedy(engine, "never", stop) == text[: text.index(stop)]


async def test_a_stop_text_saves_the_tokens_after_it(engine: ModelProcess) -> None:
    text = await greedy(engine)
    stopped = await engine.generate(ask("17+25=", tokens_max=12, stop=(text[5],)))
    assert stopped.ends == (End.STOP,)
    # The token that ended it was drawn, and is on the bill.
    assert stopped.account.generated_tokens == text.index(text[5]) + 1 == stopped.lengths[0] < 12


async def test_the_models_own_end_is_not_in_the_text(tmp_path: Path, engine: ModelProcess, bare: Context) -> None:
    text = await greedy(engine)
    token = bare.model.vocabulary.plain(text[5])[0]
    model = ModelProcess(write_model(tmp_path / "m.gguf", vocabulary="letters", shape=LONG, eos=token), settings=FAST)
    await model.start()
    answer = await model.generate(ask("17+25=", samples=3, tokens_max=12))
    assert answer.texts == (text[: text.index(text[5])],) * 3
    assert answer.ends == (End.MODEL,) * 3
    assert answer.account.generated_tokens == 3 * (text.index(text[5]) + 1)
    await model.close()


def test_sample_seeds_do_not_collide_for_neighbours() -> None:
    assert len({sample_seed(seed, index) for seed in range(100) for index in range(64)}) == 6400


@pytest.mark.parametrize("parallel", [1, 3, 32])
async def test_a_recurrent_model_is_served_too(tmp_path: Path, parallel: int) -> None:
    """Its state has no parts: nothing can be cut off it, and prompts are shared whole or not at all."""
    model = ModelProcess(
        write_recurrent_model(tmp_path / "m.gguf"), LoadSettings(parallel=parallel, context_length=256), FAST
    )
    await model.start()
    alone = (await model.generate(ask("a common beginning of some length, one", tokens_max=9))).texts[0]
    for _ in range(2):
        many = await model.generate(ask("a common beginning of some length, one", samples=7, tokens_max=9))
        assert many.texts == (alone,) * 7
        await model.generate(ask("a common beginning of some length, two", samples=2, tokens_max=9))
    counts = await model.counts()
    assert counts.decoded_tokens == counts.native_tokens
    await model.close()
