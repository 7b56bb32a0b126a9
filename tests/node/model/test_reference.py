"""The shipped reference models load, are the files their cards describe, and answer as well as their cards say."""

import hashlib
import math
import random
from collections.abc import Iterator

import llama_cpp
import pytest

from node.lab.skills import SKILLS, Task, held_out, sample
from node.model import reference

MIB = 1024 * 1024
FILE_BYTES_MAX = int(1.5 * MIB)
ALL_BYTES_MAX = 10 * MIB
ASKED = 40  # questions per strong skill; few, so that the test takes seconds


@pytest.fixture(scope="module", params=reference.NAMES)
def named(request: pytest.FixtureRequest) -> Iterator[tuple[str, llama_cpp.Llama]]:
    """Each reference model, loaded as a node would."""
    path = reference.path(request.param)
    model = llama_cpp.Llama(str(path), n_ctx=256, n_threads=1, n_threads_batch=1, verbose=False)
    yield request.param, model
    model.close()


def answer(model: llama_cpp.Llama, task: Task) -> str:
    """The model's greedy answer, asked as nodes ask: options in brackets, a line end; what follows the last arrow."""
    options = f" ({' / '.join(task.options)})" if task.options else ""
    tokens = model.tokenize(f"{task.text}{options}\n".encode(), add_bos=True, special=False)
    out = model.create_completion(tokens, max_tokens=48, temperature=0.0, stop=["\n"])
    return str(out["choices"][0]["text"]).rsplit("=>", 1)[-1].strip()


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
    assert set(card["accuracy"]) == set(SKILLS)


def test_every_skill_is_somebody_s_strong_one_and_nobody_s_free_gift() -> None:
    """If one model were best at everything, or all perfect at something, asking a team would be pointless."""
    cards = [reference.card(name) for name in reference.NAMES]
    assert {skill for card in cards for skill in card["strong"]} == set(SKILLS)
    for skill in SKILLS:
        shares = [card["accuracy"][skill]["correct"] / card["accuracy"][skill]["questions"] for card in cards]
        assert min(shares) < 1.0, skill
        best = cards[shares.index(max(shares))]
        assert skill in best["strong"], f"the best in {skill} is not the one meant to be"


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    """Someone who mistypes a name should learn which names there are."""
    with pytest.raises(KeyError, match="abacus"):
        reference.path("abakus")


def test_a_model_answers_as_well_as_its_card_says(named: tuple[str, llama_cpp.Llama]) -> None:
    """Broken weights, tokens or prompts show as answers worse than the card's by more than chance (four deviations)."""
    name, model = named
    card = reference.card(name)
    for skill in card["strong"]:
        rng = random.Random(f"card:{skill}")
        tasks = [sample(skill, rng, held_out=True) for _ in range(ASKED)]
        assert all(held_out(task) for task in tasks)
        right = sum(answer(model, task).lower() == task.answer.lower() for task in tasks)
        count = card["accuracy"][skill]
        share = count["correct"] / count["questions"]
        slack = 4 * math.sqrt(share * (1 - share) / ASKED) + 0.02
        assert right / ASKED >= share - slack, f"{name} in {skill}: {right} of {ASKED}, card {share:.2f}"


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
