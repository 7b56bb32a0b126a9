"""Drawing tokens: chance follows the seed, limits hold, and steering reaches the first token alone."""

import math
from collections import Counter
from collections.abc import Iterator

import pytest

from node.model.llamacpp.chance import VOCABULARY_MIN
from node.model.llamacpp.context import Context
from node.model.llamacpp.sampler import SEED_RANDOM
from node.model.requests import GREEDY, Sampling
from tests.node.model.llamacpp.driving import ask, text_of, write

DRAWS = 1_500
WARM = Sampling(temperature=1.0)


@pytest.fixture(autouse=True, params=["llama.cpp", "vectors"])
def drawn_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large vocabularies are drawn from in another way, which must not show."""
    monkeypatch.setattr(
        "node.model.llamacpp.sampler.VOCABULARY_MIN", 1 if request.param == "vectors" else VOCABULARY_MIN
    )


@pytest.fixture
def output(context: Context) -> Iterator[int]:
    yield ask(context)
    context.clear()


def draws(context: Context, output: int, sampling: Sampling, *, count: int = DRAWS, seed: int = 1) -> Counter[int]:
    sampler = context.sampler(sampling, seed)
    found = Counter(sampler.draw(output) for _ in range(count))
    sampler.close()
    return found


def test_greedy_takes_the_likeliest(context: Context, output: int) -> None:
    assert draws(context, output, GREEDY, count=3) == {context.top(output, 1)[0][0]: 3}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_come_as_often_as_they_are_likely(context: Context, output: int, temperature: float) -> None:
    """Within five standard deviations of each of the likeliest."""
    tokens = range(context.model.vocabulary.size)
    weights = [math.exp(value / temperature) for value in context.logprobs_of(output, tokens)]
    found = draws(context, output, Sampling(temperature=temperature))
    for token, _ in context.top(output, 5):
        share = weights[token] / sum(weights)
        assert abs(found[token] / DRAWS - share) < 5 * math.sqrt(share * (1 - share) / DRAWS)


def test_top_k_leaves_the_k_likeliest(context: Context, output: int) -> None:
    found = draws(context, output, Sampling(temperature=3.0, top_k=3))
    assert set(found) == {token for token, _ in context.top(output, 3)}


def test_top_p_leaves_the_likeliest_that_reach_it(context: Context, output: int) -> None:
    found = draws(context, output, Sampling(temperature=3.0, top_p=0.4))
    expected, reached = set(), 0.0
    for token, value in context.top(output, 50):
        if reached < 0.4:
            expected.add(token)
            reached += math.exp(value)
    assert set(found) == expected


def test_min_p_leaves_what_is_near_the_likeliest(context: Context, output: int) -> None:
    found = draws(context, output, Sampling(temperature=3.0, min_p=0.3))
    top = context.top(output, context.model.vocabulary.size)
    assert set(found) == {token for token, value in top if value >= top[0][1] + math.log(0.3)}


def test_draws_follow_the_seed(context: Context, output: int) -> None:
    def text(seed: int) -> list[int]:
        sampler = context.sampler(WARM, seed)
        drawn = [sampler.draw(output) for _ in range(20)]
        sampler.close()
        return drawn

    assert text(1) == text(1) == text(1 + 2**32)
    assert text(1) != text(2)
    assert text(SEED_RANDOM) == text(SEED_RANDOM)  # llama.cpp would take it to mean "by the clock"


def test_steering_reaches_the_first_token_alone(context: Context, output: int) -> None:
    likely = context.top(output, 2)
    wanted = context.top(output, 90)[-1][0]
    sampler = context.sampler(GREEDY, 0, steer={wanted: 100.0})
    assert [sampler.draw(output) for _ in range(3)] == [wanted, likely[0][0], likely[0][0]]
    sampler.close()


def test_steering_adds_to_what_the_model_says(context: Context, output: int) -> None:
    """Two tokens made equally likely come equally often, and a third as it did."""
    (first, high), (second, low), (third, other) = context.top(output, 3)
    found: Counter[int] = Counter()
    for seed in range(DRAWS):
        sampler = context.sampler(WARM, seed, steer={second: high - low})
        found[sampler.draw(output)] += 1
        sampler.close()
    total = 1 + math.exp(high) - math.exp(low)
    for token, value in ((first, high), (second, high), (third, other)):
        share = math.exp(value) / total
        assert abs(found[token] / DRAWS - share) < 5 * math.sqrt(share * (1 - share) / DRAWS)


def test_a_sampler_may_be_closed_twice(context: Context, output: int) -> None:
    sampler = context.sampler(WARM, 1)
    text = text_of(context, write(context, sampler, output, tokens=4))
    assert text
    sampler.close()
    sampler.close()
