"""Draws by vectors: as often as likely, never what is impossible, and never outside of the vocabulary."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from node.model.llamacpp.chance import Chance, Weights, keeps_all
from node.model.requests import GREEDY, Sampling

DRAWS = 20_000
NEVER = float("-inf")


def drawn(scores: NDArray[np.float32], temperature: float = 1.0, *, count: int = DRAWS, seed: int = 5) -> Counter[int]:
    chance = Chance(Weights(len(scores)), temperature, seed)
    return Counter(chance.draw(scores) for _ in range(count))


@pytest.mark.parametrize("size", [255, 256, 257, 1_000])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_tokens_come_as_often_as_they_are_likely(size: int, temperature: float) -> None:
    """The likeliest each within five standard deviations, and the first and second half as well."""
    scores = np.random.default_rng(1).normal(0, 3, size).astype(np.float32)
    weights = np.exp(scores.astype(np.float64) / temperature)
    shares = weights / weights.sum()
    found = drawn(scores, temperature)
    for token in np.argsort(-shares)[:10]:
        spread = math.sqrt(shares[token] * (1 - shares[token]) / DRAWS)
        assert abs(found[int(token)] / DRAWS - shares[token]) < 5 * spread + 1e-9
    half = float(shares[: size // 2].sum())
    share = sum(count for token, count in found.items() if token < size // 2) / DRAWS
    assert abs(share - half) < 5 * math.sqrt(half * (1 - half) / DRAWS)


def test_equal_tokens_come_equally_often_in_every_place() -> None:
    """32,000 of them: a running sum in 32 bits would favour the first."""
    found = drawn(np.zeros(32_000, np.float32), count=40_000)
    for tenth in range(10):
        share = sum(count for token, count in found.items() if token // 3_200 == tenth) / 40_000
        assert abs(share - 0.1) < 5 * math.sqrt(0.09 / 40_000)


@given(
    st.lists(st.one_of(st.just(NEVER), st.floats(-80, 80, width=32)), min_size=1, max_size=600).filter(
        lambda scores: max(scores) > NEVER
    ),
    st.floats(0.01, 10),
    st.integers(0, 2**32 - 1),
)
def test_what_is_impossible_never_comes(scores: list[float], temperature: float, seed: int) -> None:
    array = np.array(scores, np.float32)
    assert all(scores[token] > NEVER for token in drawn(array, temperature, count=20, seed=seed))


def test_a_certain_token_comes_always() -> None:
    for token in (0, 255, 256, 511, 699):
        scores = np.full(700, -200.0, np.float32)
        scores[token] = 50.0
        assert drawn(scores, count=100) == {token: 100}
        assert drawn(scores, 0.0, count=3) == {token: 3}


@pytest.mark.filterwarnings("ignore:invalid value")
def test_scores_that_are_no_numbers_give_some_token() -> None:
    """A broken adapter may bring them; the process must live on."""
    scores = np.full(700, float("nan"), np.float32)
    assert all(0 <= token < 700 for token in drawn(scores, count=10))
    assert all(0 <= token < 700 for token in drawn(scores, 0.0, count=10))


def test_draws_follow_the_seed() -> None:
    scores = np.zeros(3_000, np.float32)
    assert drawn(scores, count=50, seed=1) == drawn(scores, count=50, seed=1) != drawn(scores, count=50, seed=2)


def test_samplers_of_one_context_share_their_room_without_mixing() -> None:
    weights = Weights(500)
    rng = np.random.default_rng(3)
    several = [rng.normal(0, 2, 500).astype(np.float32) for _ in range(4)]
    alone = [Chance(Weights(500), 1.0, seed).draw(scores) for seed, scores in enumerate(several)]
    chances = [Chance(weights, 1.0, seed) for seed in range(4)]
    assert [chance.draw(scores) for chance, scores in zip(chances, several, strict=True)] == alone


@pytest.mark.parametrize(
    ("sampling", "all_kept"),
    [
        (GREEDY, True),
        (Sampling(temperature=0, top_k=5), True),
        (Sampling(temperature=1), True),
        (Sampling(temperature=1, top_k=5), False),
        (Sampling(temperature=1, top_p=0.9), False),
        (Sampling(temperature=1, min_p=0.1), False),
    ],
)
def test_what_leaves_tokens_out_is_left_to_llama_cpp(sampling: Sampling, all_kept: bool) -> None:
    assert keeps_all(sampling) is all_kept
