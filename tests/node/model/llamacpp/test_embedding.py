"""Vectors of texts."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.model.errors import PromptTooLong
from node.model.llamacpp.adapters import Adapter
from node.model.llamacpp.embedding import SEQUENCES_MAX, Embedder
from node.model.llamacpp.model import Model
from tests.node.model.gguf_others import write_adapter


@pytest.fixture
def embedder(letters: Model) -> Iterator[Embedder]:
    made = Embedder(letters, 1)
    yield made
    made.close()
    made.close()


def likeness(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def test_vectors_have_length_1_and_tell_texts_apart(embedder: Embedder) -> None:
    found = embedder.embed(["red apple", "red apples", "7*8=", "red apple", ""]).vectors
    assert all(len(vector) == 64 and likeness(vector, vector) == pytest.approx(1, abs=1e-6) for vector in found)
    assert found[0] == pytest.approx(found[3], abs=1e-5)
    assert likeness(found[0], found[2]) < likeness(found[0], found[1]) < 0.9999


def test_texts_evaluated_together_give_what_each_gives_alone(embedder: Embedder) -> None:
    """Several texts share a pass; a mean over the neighbours' tokens would show here."""
    texts = [f"text {index} " + "abc" * (index % 7) for index in range(SEQUENCES_MAX + 10)]
    together = embedder.embed(texts)
    alone = [embedder.embed([text]) for text in texts]
    assert together.tokens == sum(each.tokens for each in alone)
    assert 2 <= together.passes < len(texts)
    for vector, each in zip(together.vectors, alone, strict=True):
        assert likeness(vector, each.vectors[0]) == pytest.approx(1, abs=1e-4)


def test_the_count_is_of_the_tokens(embedder: Embedder, letters: Model) -> None:
    texts = ["a", "bcd", "x" * 200, "y" * 200]
    found = embedder.embed(texts)
    assert found.tokens == sum(len(letters.vocabulary.prompt(text, raw=True)) for text in texts)
    assert found.passes == 2
    embedder.embed([""])  # one token alone, which llama.cpp counts apart
    assert (embedder.passes, embedder.tokens) == (3, found.tokens + 1) == (3, embedder.native_tokens)


def test_a_text_that_fits_no_pass_is_refused(embedder: Embedder) -> None:
    with pytest.raises(PromptTooLong):
        embedder.embed(["fits", "x" * 256])
    assert len(embedder.embed(["x" * 254]).vectors) == 1


def test_adapters_change_vectors(tmp_path: Path, embedder: Embedder, letters: Model) -> None:
    adapter = Adapter(letters, write_adapter(tmp_path / "change.gguf"))
    before = embedder.embed(["apple"]).vectors[0]
    changed = embedder.embed(["apple"], ((adapter, 1.0),)).vectors[0]
    assert likeness(before, changed) < 0.999
    assert embedder.embed(["apple"]).vectors[0] == before
    adapter.close()
