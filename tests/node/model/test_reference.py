"""The shipped reference models load, and are the files their cards describe."""

import hashlib
from collections.abc import Iterator

import llama_cpp
import pytest

from node.lab.skills import SKILLS
from node.model import reference

MIB = 1024 * 1024
FILE_BYTES_MAX = int(1.5 * MIB)
ALL_BYTES_MAX = 10 * MIB


@pytest.fixture(scope="module", params=reference.NAMES)
def named(request: pytest.FixtureRequest) -> Iterator[tuple[str, llama_cpp.Llama]]:
    """Each reference model, loaded as a node would."""
    path = reference.path(request.param)
    model = llama_cpp.Llama(str(path), n_ctx=256, n_threads=1, n_threads_batch=1, verbose=False)
    yield request.param, model
    model.close()


def test_there_are_at_least_five_within_the_size_limits() -> None:
    """They travel inside the package, so their size is everybody's download."""
    sizes = [reference.path(name).stat().st_size for name in reference.NAMES]
    assert len(sizes) >= 5
    assert max(sizes) <= FILE_BYTES_MAX
    assert sum(sizes) <= ALL_BYTES_MAX


@pytest.mark.parametrize("name", reference.NAMES)
def test_a_card_is_of_the_file_beside_it(name: str) -> None:
    """A card of other weights would promise what the file does not hold."""
    data = reference.path(name).read_bytes()
    card = reference.card(name)
    assert card["sha256"] == hashlib.sha256(data).hexdigest()
    assert card["bytes"] == len(data)
    assert set(card["accuracy"]) <= set(SKILLS)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    """Someone who mistypes a name should learn which names there are."""
    with pytest.raises(KeyError, match="abacus"):
        reference.path("abakus")


def test_any_text_can_be_asked(named: tuple[str, llama_cpp.Llama]) -> None:
    """A character without a token aborts llama.cpp's process; bytes beyond ASCII therefore have tokens of their own."""
    _, model = named
    tokens = model.tokenize("Où est <s> Łódź? \t\x00\x7f 東京 🙂\n".encode(), add_bos=True, special=False)
    assert tokens[0] == model.token_bos()
    out = model.create_completion(tokens, max_tokens=8, temperature=0.0, stop=["\n"])
    assert out["usage"]["prompt_tokens"] == len(tokens)


def test_tokens_are_characters(named: tuple[str, llama_cpp.Llama]) -> None:
    """Training and running must agree on tokens: one per character, no space put in front."""
    _, model = named
    text = "".join(map(chr, range(33, 127))) + " a  b\n"
    tokens = model.tokenize(text.encode(), add_bos=True, special=False)
    assert len(tokens) == 1 + len(text)
    assert model.detokenize(tokens).decode() == text
