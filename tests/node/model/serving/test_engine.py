"""The whole engine on real forward passes: what it says, what it counts, and that requests leave each other alone."""

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pytest

from node.model.engine import LoadSettings
from node.model.errors import AdapterUnknown, GrammarInvalid, ModelFailed, PromptTooLong
from node.model.llamacpp.context import Context
from node.model.local.process import ModelProcess
from node.model.requests import (
    AdapterUse,
    EmbedRequest,
    GenerateRequest,
    Grammar,
    NextRequest,
    Sampling,
    ScoreRequest,
)
from node.model.results import Account, End, Generated, NextToken, Piece
from tests.node.model.local.asking import FAST, ask
from tests.node.model.serving.conftest import LONG

WARM = Sampling(temperature=1.0, seed=5)


def greedy_text(context: Context, prompt: str, tokens: int) -> tuple[str, float]:
    """What a plain loop over the model says, and how likely it finds it."""
    vocabulary = context.model.vocabulary
    fed, start, text, logprob = vocabulary.prompt(prompt), 0, b"", 0.0
    context.clear()
    for _ in range(tokens):
        context.decode(fed, range(start, start + len(fed)), [0] * len(fed), [len(fed) - 1])
        start += len(fed)
        (token, one), *_ = context.top(len(fed) - 1, 1)
        text, logprob, fed = text + vocabulary.piece(token), logprob + one, [token]
        if vocabulary.is_end(token):
            break
    return text.decode(), logprob


async def test_it_says_what_a_plain_loop_says(engine: ModelProcess, bare: Context) -> None:
    """Also when many are under way, whose prompts share beginnings and whose sequences take each other's places."""
    prompts = [f"the {'long ' * (index % 3)}question {index % 5}?" for index in range(40)]
    answers = await asyncio.gather(
        *(engine.generate(ask(prompt, likelihood=True, tokens_max=12)) for prompt in prompts)
    )
    for prompt, answer in zip(prompts, answers, strict=True):
        text, logprob = greedy_text(bare, prompt, 12)
        assert answer.texts == (text,)
        assert answer.logprobs[0] == pytest.approx(logprob, abs=1e-2)


async def test_samples_follow_the_seed_and_differ_from_each_other(engine: ModelProcess) -> None:
    first = (await engine.generate(ask("17+25=", samples=5, sampling=WARM, tokens_max=12))).texts
    assert first == (await engine.generate(ask("17+25=", samples=5, sampling=WARM, tokens_max=12))).texts
    other = Sampling(temperature=1.0, seed=6)
    assert first != (await engine.generate(ask("17+25=", samples=5, sampling=other, tokens_max=12))).texts
    assert len(set(first)) == 5


@pytest.mark.parametrize("samples", [1, 5, 64])
async def test_the_bill_of_one_request(engine: ModelProcess, samples: int) -> None:
    """The prompt once, and each sample's tokens but its last."""
    account = (await engine.generate(ask("17+25=", samples=samples, tokens_max=10))).account
    assert (account.prompt_tokens, account.cached_tokens) == (8, 0)
    assert account.generated_tokens == 10 * samples
    assert account.decoded_tokens == 8 + 9 * samples
    assert account.forward_passes == (10 if samples < 32 else account.forward_passes)
    assert account.model_us > 0


async def test_all_bills_add_up_to_what_llama_cpp_counted(engine: ModelProcess) -> None:
    requests = [
        engine.generate(ask(f"question {index}", samples=1 + index % 4, sampling=WARM, tokens_max=4 + index))
        for index in range(12)
    ]
    scores = [
        engine.score(
            ScoreRequest(
                prompt=f"question {index}",
                continuations=("yes", "no", "a long one"),
                closed=index % 2 == 0,
                calibrated=index % 3 == 0,
            )
        )
        for index in range(6)
    ]
    looks = [engine.next_tokens(NextRequest(prompt=f"question {index}", top=4)) for index in range(3)]
    vectors = [
        engine.embed(EmbedRequest(texts=tuple(f"text {number} {'x' * 300}" for number in range(4 * index + 1))))
        for index in range(4)
    ]
    answers: list[Any] = await asyncio.gather(*requests, *scores, *looks, *vectors)
    accounts: list[Account] = [answer.account for answer in answers]
    counts = await engine.counts()
    assert counts.requests == len(answers) == 25
    assert counts.native_tokens == counts.decoded_tokens == sum(account.decoded_tokens for account in accounts)
    assert counts.generated_tokens == sum(account.generated_tokens for account in accounts)
    assert counts.cached_tokens == sum(account.cached_tokens for account in accounts) > 0
    assert counts.forward_passes < sum(account.forward_passes for account in accounts), "they shared passes"
    assert (counts.waiting, counts.running, counts.failed) == (0, 0, 0)


async def test_a_prompt_that_comes_again_is_not_evaluated_again(engine: ModelProcess) -> None:
    prompt = "a long question that is asked twice: "
    first = (await engine.generate(ask(prompt + "why?", tokens_max=4))).account
    second = (await engine.generate(ask(prompt + "how?", tokens_max=4))).account
    assert (first.cached_tokens, first.prompt_tokens) == (0, len(prompt) + 6)
    assert second.cached_tokens == len(prompt) + 1  # and what begins every prompt
    assert second.prompt_tokens == 5
    assert (await engine.counts()).cached_tokens == second.cached_tokens


async def test_scores_are_products_of_next_token_probabilities(engine: ModelProcess) -> None:
    """For each letter, ask what comes next after all before it: another way through the engine to the same number."""
    continuations = ("yes", "no", "not at all", "n")
    scored = await engine.score(ScoreRequest(prompt="well?", continuations=continuations, closed=True))

    async def logprob(written: str, text: bytes) -> float:
        found = await engine.next_tokens(NextRequest(prompt="well?", written=written, top=1_000))
        if not text:
            return math.log(sum(math.exp(token.logprob) for token in found.tokens if token.ends))
        return next(token.logprob for token in found.tokens if token.text == text)

    for text, score in zip(continuations, scored.scores, strict=True):
        parts = [await logprob(text[:at], text[at : at + 1].encode()) for at in range(len(text) + 1)]
        assert score.logprob == pytest.approx(sum(parts), abs=1e-3)
        assert score.tokens == len(text) + 1


async def test_what_a_sample_is_worth_is_what_its_score_is(engine: ModelProcess) -> None:
    generated = await engine.generate(ask("well?", samples=16, sampling=WARM, likelihood=True, tokens_max=6))
    scored = await engine.score(ScoreRequest(prompt="well?", continuations=generated.texts))
    spelled = 0
    for text, logprob, score in zip(generated.texts, generated.logprobs, scored.scores, strict=True):
        if len(text) == 6:  # else it drew a token that no text spells
            assert logprob == pytest.approx(score.logprob, abs=1e-2)
            spelled += 1
    assert spelled > 8


async def test_all_next_tokens_together_are_certain(engine: ModelProcess) -> None:
    found = (await engine.next_tokens(NextRequest(prompt="well?", top=1_000))).tokens
    assert math.fsum(math.exp(token.logprob) for token in found) == pytest.approx(1, abs=1e-4)
    assert list(found) == sorted(found, key=lambda token: -token.logprob)
    best: NextToken = found[0]
    assert (await engine.generate(ask("well?", tokens_max=1))).texts == (best.text.decode(),)


async def test_first_tokens_alone_take_one_pass(engine: ModelProcess) -> None:
    whole = await engine.score(ScoreRequest(prompt="well?", continuations=("y", "n")))
    first = await engine.score(ScoreRequest(prompt="well?", continuations=("yes", "no"), first_only=True))
    assert [one.logprob for one in first.scores] == pytest.approx([one.logprob for one in whole.scores], abs=1e-4)
    assert first.account.forward_passes == 1
    with pytest.raises(ModelFailed, match="begin with the same token"):
        await engine.score(ScoreRequest(prompt="well?", continuations=("yes", "yet"), first_only=True))
    with pytest.raises(ModelFailed, match="without first_only or closed"):
        await engine.score(ScoreRequest(prompt="well?", continuations=("y",), first_only=True, closed=True))


async def test_calibration_asks_an_empty_prompt_too(engine: ModelProcess) -> None:
    request = ScoreRequest(prompt="well?", continuations=("yes", "no"), calibrated=True)
    scored = await engine.score(request)
    empty = await engine.score(ScoreRequest(prompt="", continuations=("yes", "no")))
    assert [one.unconditional for one in scored.scores] == pytest.approx(
        [one.logprob for one in empty.scores], abs=1e-3
    )


async def test_a_stream_is_the_final_text(engine: ModelProcess) -> None:
    text = (await engine.generate(ask("go on", tokens_max=40))).texts[0]
    for stop in ((), (text[7:9],), (text[20], "zzzz")):
        pieces, final = ["", "", ""], None
        request = ask("go on", samples=3, sampling=WARM, stop=stop, tokens_max=40)
        async for item in engine.stream(request):
            match item:
                case Piece(sample, more):
                    pieces[sample] += more
                case Generated():
                    final = item
        assert final is not None
        assert tuple(pieces) == final.texts == (await engine.generate(request)).texts


async def test_steering_decides_the_first_token_alone(engine: ModelProcess, bare: Context) -> None:
    request = GenerateRequest(prompt="well?", tokens_max=5, steer=((b"x", -0.1), (b"y", -9.0)), steer_weight=10)
    text = (await engine.generate(request)).texts[0]
    assert text[0] == "x"
    assert text == (await engine.generate(ask("well?", written="x", tokens_max=4))).texts[0].join(("x", ""))
    nothing = GenerateRequest(prompt="well?", tokens_max=5, steer=((b"x", -0.1), (b"y", -9.0)), steer_weight=0)
    assert (await engine.generate(nothing)).texts == (await engine.generate(ask("well?", tokens_max=5))).texts


SCHEMA = {
    "type": "object",
    "properties": {"answer": {"enum": ["yes", "no"]}, "sure": {"type": "boolean"}},
    "required": ["answer", "sure"],
    "additionalProperties": False,
}


async def test_answers_to_a_schema_are_valid_json(engine: ModelProcess) -> None:
    """From random weights, which know nothing of JSON, for a hundred seeds."""
    grammar = Grammar("json_schema", json.dumps(SCHEMA))
    requests = [
        GenerateRequest(
            prompt="sure?", grammar=grammar, tokens_max=200, samples=5, sampling=Sampling(temperature=1.0, seed=seed)
        )
        for seed in range(20)
    ]
    seen = set()
    for answer in await asyncio.gather(*map(engine.generate, requests)):
        assert set(answer.ends) == {End.MODEL}
        for text in answer.texts:
            value = json.loads(text)
            assert value.keys() == {"answer", "sure"}
            assert value["answer"] in ("yes", "no") and isinstance(value["sure"], bool)
            seen.add((value["answer"], value["sure"]))
    assert len(seen) == 4


async def test_a_broken_grammar_costs_its_own_request_alone(engine: ModelProcess) -> None:
    other = asyncio.create_task(engine.generate(ask("go on", tokens_max=200)))
    for kind, text in (("gbnf", "root ::= nowhere"), ("gbnf", "root ::= ("), ("json_schema", "{")):
        with pytest.raises(GrammarInvalid):
            await engine.generate(GenerateRequest(prompt="x", grammar=Grammar(kind, text)))
    with pytest.raises(GrammarInvalid, match="can go on from here"):
        await engine.generate(GenerateRequest(prompt="x", samples=3, grammar=Grammar("gbnf", 'root ::= "a" "é"')))
    assert len((await other).texts[0]) == 200


async def test_what_does_not_fit_is_refused(engine: ModelProcess) -> None:
    with pytest.raises(PromptTooLong):
        await engine.generate(ask("x" * LONG.context_length))
    with pytest.raises(PromptTooLong):
        await engine.score(ScoreRequest(prompt="x" * 1_000, continuations=("y" * 30,)))
    full = await engine.generate(ask("x" * 1_000, tokens_max=4_096))
    assert full.ends == (End.LENGTH,)
    assert len(full.texts[0]) == LONG.context_length - 1_002


async def test_more_than_the_cache_holds_is_done_one_after_another(letters_file: Path) -> None:
    """Twelve samples of up to 900 tokens and as many long continuations: none is cut short, and none waits for ever."""
    engine = ModelProcess(letters_file, LoadSettings(cache_mib=1, parallel=4), FAST)
    await engine.start()
    alone = await engine.generate(ask("x", tokens_max=900))
    generated = await engine.generate(ask("x", samples=12, tokens_max=900))
    assert generated.texts == alone.texts * 12
    continuations = tuple(f"{index} {'y' * 900}" for index in range(12))
    scored = await engine.score(ScoreRequest(prompt="x", continuations=continuations))
    one = await engine.score(ScoreRequest(prompt="x", continuations=continuations[7:8]))
    assert scored.scores[7].logprob == pytest.approx(one.scores[0].logprob, rel=1e-4)
    await engine.close()


async def test_vectors_have_length_one_and_tell_texts_apart(engine: ModelProcess) -> None:
    busy = asyncio.create_task(engine.generate(ask("go on", tokens_max=200)))
    texts = ("a", "b", "a", *(f"text {index} {'x' * 400}" for index in range(9)))
    embedded = await engine.embed(EmbedRequest(texts=texts))
    assert len(embedded.vectors) == len(texts)
    assert all(math.hypot(*vector) == pytest.approx(1, abs=1e-5) for vector in embedded.vectors)
    assert embedded.vectors[0] == pytest.approx(embedded.vectors[2], abs=1e-5)
    assert embedded.vectors[0] != pytest.approx(embedded.vectors[1], abs=1e-2)
    assert embedded.account.prompt_tokens == sum(1 + len(text) for text in texts)
    await busy


async def test_vectors_that_are_given_up_are_counted(engine: ModelProcess) -> None:
    """As far as they were made."""
    request = EmbedRequest(texts=("x" * 1_000,) * 64)
    asking = [asyncio.create_task(engine.embed(request)) for _ in range(8)]
    while not (counts := await engine.counts()).decoded_tokens:
        pass
    assert counts.waiting + counts.running == 8
    for task in asking:
        task.cancel()
    while (counts := await engine.counts()).waiting + counts.running:
        pass
    assert (counts.requests, counts.failed) == (0, 8)
    assert 0 < counts.decoded_tokens == counts.native_tokens < 8 * 64 * 1_000


async def test_an_adapter_nobody_added_is_named(engine: ModelProcess) -> None:
    with pytest.raises(AdapterUnknown, match="0707"):
        await engine.generate(ask("x", adapters=(AdapterUse(b"\x07" * 32),)))
    with pytest.raises(AdapterUnknown):
        await engine.embed(EmbedRequest(texts=("x",), adapters=(AdapterUse(b"\x07" * 32),)))
