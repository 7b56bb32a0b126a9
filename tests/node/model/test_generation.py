"""Samples of one prompt: what they say, where they end, and that the bill is what llama.cpp itself counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from llama_cpp import llama_cpp as native

from node.model.engine import GenerateRequest, LoadSettings
from node.model.errors import PromptTooLong
from node.model.generation import generate, sample_seed
from node.model.llama import Llama
from tests.node.model.gguf_files import Shape, write_model


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llama]:
    """A model with one token per letter and no others, so that texts show which tokens were sampled."""
    path = write_model(tmp_path_factory.mktemp("models") / "letters.gguf", vocabulary="letters")
    model = Llama(path, LoadSettings())
    yield model
    model.close()


def ask(
    prompt: str = "17+25=",
    *,
    samples: int = 5,
    temperature_milli: int = 1000,
    seed: int = 1,
    tokens: int = 12,
    stop: str = "",
) -> GenerateRequest:
    return GenerateRequest(prompt, samples, temperature_milli, seed, tokens, stop)


def greedy(
    model: Llama, *, samples: int = 1, tokens: int = 12, stop: str = "", prompt: str = "17+25="
) -> tuple[str, ...]:
    return generate(model, ask(prompt, samples=samples, temperature_milli=0, tokens=tokens, stop=stop)).texts


def test_greedy_is_deterministic_and_does_not_depend_on_the_seed(llama: Llama) -> None:
    first = generate(llama, ask(temperature_milli=0, seed=1))
    assert first.texts == generate(llama, ask(temperature_milli=0, seed=2)).texts
    assert len(set(first.texts)) == 1


def test_samples_that_share_a_prompt_say_what_one_alone_says(llama: Llama) -> None:
    """If sharing mixed the sequences up, the fifth copy would not continue like a lone one."""
    assert greedy(llama, samples=5) == greedy(llama, samples=1) * 5


def test_samples_follow_the_seed_and_differ_from_each_other(llama: Llama) -> None:
    first = generate(llama, ask(seed=1)).texts
    assert first == generate(llama, ask(seed=1)).texts
    assert first != generate(llama, ask(seed=2)).texts
    assert len(set(first)) == 5


def test_sample_seeds_do_not_collide_for_neighbours() -> None:
    assert len({sample_seed(seed, index) for seed in range(100) for index in range(64)}) == 6400


def test_nothing_is_left_over_from_one_request_to_the_next(llama: Llama) -> None:
    alone = greedy(llama)
    generate(llama, ask("something else", samples=64))
    with pytest.raises(PromptTooLong):
        generate(llama, ask("x" * 300))
    assert greedy(llama) == alone


def test_the_bill_is_one_prefill_and_one_pass_per_further_token(llama: Llama) -> None:
    prompt_tokens = len(llama.tokens("17+25="))
    for samples in (1, 2, 5, 64):
        cost = generate(llama, ask(samples=samples, temperature_milli=0, tokens=10)).cost
        assert (cost.forward_passes, cost.prompt_tokens, cost.generated_tokens) == (10, prompt_tokens, 10 * samples)
        assert cost.model_us > 0


@pytest.mark.parametrize("samples", [2, 5, 17])
def test_the_bill_is_what_llama_cpp_counted(llama: Llama, samples: int) -> None:
    """llama.cpp counts tokens of passes with several tokens apart from passes with one; nothing else runs here."""
    native.llama_perf_context_reset(llama._context)
    cost = generate(llama, ask(samples=samples, temperature_milli=0, tokens=9)).cost
    counted = native.llama_perf_context(llama._context)
    assert counted.n_p_eval == cost.prompt_tokens + cost.generated_tokens - samples
    native.llama_perf_context_reset(llama._context)
    cost = generate(llama, ask(samples=1, tokens=9)).cost
    counted = native.llama_perf_context(llama._context)
    assert counted.n_p_eval == cost.prompt_tokens
    assert counted.n_eval == cost.forward_passes - 1 == cost.generated_tokens - 1


def test_a_sample_ends_before_the_stop_text_wherever_tokens_begin(llama: Llama) -> None:
    (text,) = greedy(llama)
    for start in range(1, len(text) - 2):
        stop = text[start : start + 2]
        assert greedy(llama, stop=stop) == (text[: text.index(stop)],)


def test_a_stop_text_saves_the_tokens_after_it(llama: Llama) -> None:
    (text,) = greedy(llama)
    stop = text[5]
    cost = generate(llama, ask(samples=1, temperature_milli=0, stop=stop)).cost
    assert cost.generated_tokens == text.index(stop) + 1 < 12  # the token that ended it was sampled, and is on the bill


def test_an_end_token_ends_a_sample_and_is_not_in_its_text(tmp_path: Path, llama: Llama) -> None:
    (text,) = greedy(llama)
    letter = text[5]
    model = Llama(write_model(tmp_path / "m.gguf", vocabulary="letters", eos=llama.tokens(letter)[1]), LoadSettings())
    result = generate(model, ask(samples=3, temperature_milli=0))
    assert result.texts == (text[: text.index(letter)],) * 3
    assert result.cost.generated_tokens == 3 * (text.index(letter) + 1)
    model.close()


def test_the_context_length_ends_a_sample(llama: Llama) -> None:
    prompt = "x" * 240
    room = llama.context_length - len(llama.tokens(prompt))
    assert generate(llama, ask(prompt, samples=2, temperature_milli=0, tokens=100)).cost.generated_tokens == 2 * room


def test_many_long_samples_share_the_cache_fairly(llama: Llama) -> None:
    """64 samples of 200 tokens do not fit into the cache; each is cut to its part of it and none is lost."""
    result = generate(llama, ask(samples=64, temperature_milli=0, tokens=200))
    prompt = result.cost.prompt_tokens
    assert result.cost.generated_tokens == 64 * ((llama.cells - prompt) // 64)
    assert len(result.texts) == 64


def test_a_long_prompt_is_evaluated_in_parts(tmp_path: Path) -> None:
    model = Llama(write_model(tmp_path / "m.gguf", shape=Shape(context_length=2048)), LoadSettings())
    prompt = "".join(chr(97 + index * 7 % 26) for index in range(1100))
    whole = generate(model, ask(prompt, samples=2, temperature_milli=0, tokens=4))
    assert whole.cost.forward_passes == 3 + 3
    model.batch_tokens_max = 100
    parts = generate(model, ask(prompt, samples=2, temperature_milli=0, tokens=4))
    assert parts.cost.forward_passes == 12 + 3
    assert parts.texts == whole.texts
    model.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"samples": 0},
        {"samples": 65},
        {"temperature_milli": -1},
        {"temperature_milli": 10_001},
        {"seed": -1},
        {"seed": 2**64},
        {"tokens_max": 0},
        {"tokens_max": 4097},
        {"stop": "x" * 65},
    ],
)
def test_a_request_out_of_bounds_is_refused(wrong: dict[str, int | str]) -> None:
    fields = {"prompt": "", "samples": 1, "temperature_milli": 0, "seed": 0, "tokens_max": 1, "stop": ""} | wrong
    with pytest.raises(ValueError, match="choose"):
        GenerateRequest(**fields)  # type: ignore[arg-type]
