"""The shipped reference models load, are the files their cards describe, and answer as well as their cards say."""

import hashlib
import math
import random
from collections.abc import Iterator, Mapping

import llama_cpp
import numpy as np
import pytest

from node.lab.skills import LEVELS, SKILLS, Task, held_out, sample
from node.lab.training.answering import Model
from node.lab.training.tokens import START, encode, prompt
from node.model import reference

MIB = 1024 * 1024
FILE_BYTES_MAX = int(4.5 * MIB)
ALL_BYTES_MAX = 25 * MIB
CONTEXT_LENGTH = 384
ASKED = 60  # questions per model; few, so that the test takes seconds
NOISE = 0.03  # by which a measured share may be off by chance


@pytest.fixture(scope="module", params=reference.NAMES)
def named(request: pytest.FixtureRequest) -> Iterator[tuple[str, llama_cpp.Llama]]:
    """Each reference model, loaded as a node would."""
    path = reference.path(request.param)
    model = llama_cpp.Llama(str(path), n_ctx=CONTEXT_LENGTH, n_threads=1, n_threads_batch=1, verbose=False)
    yield request.param, model
    model.close()


def answer(model: llama_cpp.Llama, task: Task) -> str:
    """The model's greedy answer, asked as nodes ask: options in brackets, a line end; what follows the last arrow."""
    options = f" ({' / '.join(task.options)})" if task.options else ""
    tokens = model.tokenize(f"{task.text}{options}\n".encode(), add_bos=True, special=False)
    out = model.create_completion(tokens, max_tokens=112, temperature=0.0, stop=["\n"])
    return str(out["choices"][0]["text"]).rsplit("=>", 1)[-1].strip()


def share(count: Mapping[str, int]) -> float:
    return count["correct"] / count["questions"]


def test_all_files_together_stay_small() -> None:
    """They travel inside the package, so their size is everybody's download."""
    files = sorted(reference.path(reference.BASE).parent.glob("*.gguf"))
    expected = {reference.path(name) for name in reference.FILES}
    expected |= {reference.adapter(name) for name in reference.SPECIALISTS}
    assert set(files) == expected
    assert max(file.stat().st_size for file in files) <= FILE_BYTES_MAX
    assert sum(file.stat().st_size for file in reference.path(reference.BASE).parent.iterdir()) <= ALL_BYTES_MAX


@pytest.mark.parametrize("name", reference.FILES)
def test_a_card_is_of_the_file_beside_it(name: str) -> None:
    """A card of other weights would promise what the file does not hold."""
    data = reference.path(name).read_bytes()
    card = reference.card(name)
    assert card["sha256"] == hashlib.sha256(data).hexdigest()
    assert card["bytes"] == len(data)
    assert set(card["accuracy"]) == set(SKILLS)
    if name in reference.SPECIALISTS:
        assert card["adapter"]["sha256"] == hashlib.sha256(reference.adapter(name).read_bytes()).hexdigest()


def test_a_specialist_is_best_at_its_own_and_nobody_is_perfect() -> None:
    """If one model were best at everything, or all perfect at something, asking a team would be pointless."""
    cards = {name: reference.card(name) for name in (*reference.SPECIALISTS, "steward")}
    for skill in set(SKILLS) - {"compound"}:
        shares = {name: share(card["accuracy"][skill]) for name, card in cards.items()}
        own = [name for name, card in cards.items() if skill in card["strong"]]
        assert own, f"{skill} is nobody's own"
        assert max(shares[name] for name in own) >= max(shares.values()) - NOISE, f"{skill}: {shares}"
        assert min(shares.values()) < 1.0, skill


def test_a_specialist_has_learned_something_that_the_base_does_not_know() -> None:
    """Otherwise its adapter would be a download for nothing."""
    base = reference.card(reference.BASE)["accuracy"]
    for name in reference.SPECIALISTS:
        card = reference.card(name)
        assert sum(share(card["accuracy"][own]) - share(base[own]) for own in card["strong"]) > 0, name


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    """Someone who mistypes a name should learn which names there are."""
    with pytest.raises(KeyError, match="abacus"):
        reference.path("abakus")
    with pytest.raises(KeyError, match="abacus"):
        reference.adapter("abakus")
    with pytest.raises(KeyError, match="steward has no adapter; abacus"):
        reference.adapter("steward")


def test_the_team_is_of_known_members() -> None:
    """The demonstration and the benchmark start these."""
    assert set(reference.TEAM) < set(reference.NAMES)


def test_a_model_answers_as_well_as_its_card_says(named: tuple[str, llama_cpp.Llama]) -> None:
    """Broken weights, tokens or prompts show as answers worse than the card's by more than chance (four deviations)."""
    name, model = named
    card = reference.card(name)
    rng = random.Random(f"card:{name}")
    cells = [(skill, level) for skill in card["strong"] or SKILLS for level in LEVELS]
    right = expected = 0.0
    for i in range(ASKED):
        skill, level = cells[i % len(cells)]
        task = sample(skill, rng, held_out=True, level=level)
        assert held_out(task)
        right += answer(model, task).lower() == task.answer.lower()
        expected += share(card["accuracy"][skill]["levels"][str(level)]) / ASKED
    slack = 4 * math.sqrt(expected * (1 - expected) / ASKED) + 0.02
    assert right / ASKED >= expected - slack, f"{name}: {right:.0f} of {ASKED}, card {expected:.2f}"


@pytest.mark.parametrize("name", reference.SPECIALISTS)
def test_an_adapter_makes_of_the_base_what_the_merged_file_is(name: str) -> None:
    """But for rounding: both files hold rounded weights. Rows in another order would give other scores altogether."""
    rng = random.Random(f"adapter:{name}")
    skill = reference.card(name)["strong"][0]
    texts = [prompt(sample(skill, rng, held_out=True)) for _ in range(10)]

    def scores(model: Model) -> np.ndarray:
        return np.concatenate([model.scores_after([START, *encode(text)]) for text in texts])

    with Model(reference.path(name)) as model:
        merged = scores(model)
    with Model(reference.path(reference.BASE), [reference.adapter(name)]) as model:
        adapted = scores(model)
    with Model(reference.path(reference.BASE)) as model:
        base = scores(model)
    assert np.linalg.norm(adapted - merged) < 0.1 * np.linalg.norm(merged - merged.mean())
    assert np.linalg.norm(adapted - merged) < 0.3 * np.linalg.norm(base - merged)


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
