"""Forward passes of many sequences: sharing, cutting, counting, and what their outputs say."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.model.engine import LoadSettings
from node.model.errors import ModelFailed
from node.model.llamacpp.context import Context, NoRoom
from node.model.llamacpp.model import Model
from node.model.llamacpp.sampler import Sampler
from node.model.requests import GREEDY, Sampling
from tests.node.model.gguf_others import write_recurrent_model
from tests.node.model.llamacpp.driving import ask, greedy, read, text_of, write


def test_sequences_that_share_a_prompt_go_on_as_one_alone_does(context: Context) -> None:
    """If sharing mixed sequences up, the fifth copy would not continue like a lone one."""
    alone = greedy(context)
    output = ask(context)
    samplers = [context.sampler(GREEDY, 0) for _ in range(5)]
    for sequence in range(1, 5):
        context.copy(0, sequence, context.length(0))
    drawn = [[sampler.draw(output)] for sampler in samplers]
    for _ in range(11):
        position = context.length(0)
        context.decode([tokens[-1] for tokens in drawn], [position] * 5, range(5), range(5))
        for index, tokens in enumerate(drawn):
            tokens.append(samplers[index].draw(index))
    assert {text_of(context, tokens) for tokens in drawn} == {alone}


def test_a_pass_mixes_prompts_and_samples(context: Context) -> None:
    """Outputs belong to the parts that were asked for, wherever those stand."""
    other = context.model.vocabulary.prompt("something else")
    alone = context.top(read(context, other), 3)
    context.clear()
    first = context.top(ask(context), 1)[0][0]
    length = context.length(0)
    position = context.length(0)
    expected = context.top(read(context, [first], start=position), 3)
    assert context.cut(0, length)
    tokens = [*other, first]
    size = len(other)
    context.decode(tokens, [*range(size), position], [1] * size + [0], [size - 1, size])
    assert [token for token, _ in context.top(size - 1, 3)] == [token for token, _ in alone]
    assert [token for token, _ in context.top(size, 3)] == [token for token, _ in expected]
    assert context.logprob(size, 5) == pytest.approx(context.logprobs_of(size, [5])[0], abs=1e-9)


def test_a_part_of_a_prompt_can_be_shared(context: Context) -> None:
    tokens = context.model.vocabulary.prompt("17+25=")
    whole = context.top(read(context, tokens), 5)
    context.copy(0, 1, 4)
    assert context.length(1) == 4
    rest = read(context, tokens[4:], sequence=1, start=4)
    assert [token for token, _ in context.top(rest, 5)] == [token for token, _ in whole]
    context.forget(0)
    assert (context.length(0), context.length(1)) == (0, len(tokens))


def test_what_was_cut_has_no_influence(context: Context) -> None:
    tokens = context.model.vocabulary.prompt("17+25=")
    expected = context.top(read(context, tokens), 5)
    context.cut(0, len(tokens) - 1)
    read(context, [9, 9, 9], start=len(tokens) - 1)
    context.cut(0, len(tokens) - 1)
    again = read(context, tokens[-1:], start=len(tokens) - 1)
    assert [token for token, _ in context.top(again, 5)] == [token for token, _ in expected]


def test_no_room_changes_nothing(letters: Model) -> None:
    """The cache's size is rounded up by llama.cpp, to 256 cells here."""
    context = Context(letters, sequences=4, cells=256, batch_tokens=128, threads=1)
    read(context, [5] * 128)
    read(context, [6] * 100, sequence=1)
    with pytest.raises(NoRoom):
        read(context, [7] * 64, sequence=2)
    assert [context.length(sequence) for sequence in range(3)] == [128, 100, 0]
    context.forget(1)
    read(context, [7] * 64, sequence=2)
    assert context.counted() == (128 + 100 + 64, 3)
    context.close()


def test_a_pass_that_llama_cpp_refuses_is_an_error_with_its_words(context: Context) -> None:
    with pytest.raises(ModelFailed, match="llama_decode returned -1"):
        context.decode([context.model.vocabulary.size + 5], [0], [0], [0])
    ask(context)  # it lives on


@pytest.mark.parametrize("shape", [[7, 1, 1, 1], [1], [1, 1], [5], [2, 1], []])
def test_counted_is_what_was_given_to_it(context: Context, shape: list[int]) -> None:
    """llama.cpp says 1 where it counted nothing, and counts passes of one token apart."""
    start = 0
    for size in shape:
        read(context, [5] * size, start=start)
        start += size
    assert context.counted() == (sum(shape), len(shape))
    assert context.counted() == (sum(shape), len(shape))


def test_counting_goes_on_where_32_bits_end(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.model.llamacpp.context.COUNTED_MAX", 10)
    for start in range(0, 60, 6):
        read(context, [5] * 6, start=start)
        assert context.counted() == (start + 6, start // 6 + 1)


def test_likelihoods_are_of_one_distribution(context: Context) -> None:
    output = ask(context)
    size = context.model.vocabulary.size
    everything = context.logprobs_of(output, range(size))
    assert math.fsum(map(math.exp, everything)) == pytest.approx(1, abs=1e-5)
    top = context.top(output, size + 5)
    assert sorted(token for token, _ in top) == list(range(size))
    assert [value for _, value in top] == sorted(everything, reverse=True)
    assert context.top(output, 7) == top[:7]
    assert context.logprob(output, top[3][0]) == top[3][1]
    ends = context.model.vocabulary.ends
    assert context.ends_logprob(output) == pytest.approx(math.log(sum(math.exp(everything[end]) for end in ends)))


def test_likelihoods_are_those_of_the_latest_pass(context: Context) -> None:
    first = context.logprob(ask(context), 5)
    context.clear()
    output = ask(context, "17+26=")
    second = context.logprob(output, 5)
    assert first != second
    assert math.fsum(map(math.exp, context.logprobs_of(output, range(context.model.vocabulary.size)))) == (
        pytest.approx(1, abs=1e-5)
    )


@pytest.fixture
def recurrent(tmp_path: Path) -> Iterator[Context]:
    model = Model(write_recurrent_model(tmp_path / "state.gguf"), LoadSettings())
    made = Context(model, sequences=4, cells=model.cells, batch_tokens=64, threads=1)
    yield made
    made.close()
    model.close()


def test_a_recurrent_state_cannot_be_cut_but_copied(recurrent: Context) -> None:
    """Nothing may take back a token of it, and a whole prompt is still evaluated once for all its samples."""
    assert not recurrent.can_cut
    alone = greedy(recurrent)
    output = ask(recurrent)
    sampler = recurrent.sampler(GREEDY, 0)
    length = recurrent.length(0)
    assert not recurrent.cut(0, length - 1)
    assert recurrent.length(0) == length
    recurrent.copy(0, 1, length)
    first = sampler.draw(output)
    output = read(recurrent, [first], sequence=1, start=length)
    rest = write(recurrent, sampler, output, tokens=11, sequence=1)
    assert text_of(recurrent, [first, *rest]) == alone
    with pytest.raises(AssertionError, match="copied whole"):
        recurrent.copy(0, 2, length - 1)


def test_recurrent_samples_run_beside_each_other(recurrent: Context) -> None:
    def begin(sequence: int) -> tuple[Sampler, int]:
        output = ask(recurrent, f"{sequence}+1=", sequence=sequence)
        sampler = recurrent.sampler(Sampling(temperature=1.0), sequence)
        return sampler, sampler.draw(output)

    alone = []
    for sequence in range(3):
        recurrent.clear()
        sampler, first = begin(sequence)
        output = read(recurrent, [first], sequence=sequence, start=recurrent.length(sequence))
        alone.append([first, sampler.draw(output)])
    recurrent.clear()
    begun = [begin(sequence) for sequence in range(3)]
    positions = [recurrent.length(sequence) for sequence in range(3)]
    recurrent.decode([first for _, first in begun], positions, range(3), range(3))
    assert [[first, sampler.draw(index)] for index, (sampler, first) in enumerate(begun)] == alone
