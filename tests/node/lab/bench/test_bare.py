"""The limit that an engine is measured against, on a random model of the real one's kind."""

from pathlib import Path

import pytest

from node.lab.bench.engine.bare import bare, limit
from node.lab.bench.engine.random_model import TOKENS, Shape, random_model
from node.model.engine import LoadSettings
from node.model.llamacpp.model import Model
from node.model.requests import GREEDY

SMALL = Shape(layers=1, width=256, heads=4, heads_kv=2, feed_forward=256, context_length=256)
PROMPTS = ["what is seven and three", "12*3=", "é 😀"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model(tmp_path_factory.mktemp("models"), "Q4_K_M", SMALL)


def test_a_random_model_reads_and_writes_text(path: Path) -> None:
    model = Model(path, LoadSettings())
    assert model.vocabulary.size == TOKENS
    for prompt in PROMPTS:
        tokens = model.vocabulary.prompt(prompt)
        assert b"".join(map(model.vocabulary.piece, tokens)).decode() == prompt + "\n"
    assert len(model.vocabulary.plain("what is seven")) < len("what is seven") / 1.5, "words are more than letters"
    model.close()


def test_a_random_model_is_written_once(path: Path) -> None:
    written = path.stat().st_mtime_ns
    assert random_model(path.parent, "Q4_K_M", SMALL) == path
    assert path.stat().st_mtime_ns == written
    assert [each.suffix for each in path.parent.iterdir()] == [".gguf", ".gguf"]


def test_the_limit_counts_its_passes_and_tokens(path: Path) -> None:
    """One pass for all prompts, and one for each further token of all answers of a group."""
    found = limit(path, callers=3, answers=7, tokens=5, prompts=PROMPTS, sampling=GREEDY)
    assert (found.answers, found.tokens, found.passes) == (6, 30, 2 * 5)
    assert found.prompt_s + found.pass_s + found.draw_s <= found.seconds
    assert found.answers_per_s == pytest.approx(6 / found.seconds)
    assert bare(path, 2, 2, 2, PROMPTS) > 0


def test_prompts_that_fill_more_than_a_pass_take_several(path: Path) -> None:
    found = limit(path, callers=8, answers=8, tokens=2, prompts=["x1 " * 60], sampling=GREEDY)
    assert found.passes > 2
