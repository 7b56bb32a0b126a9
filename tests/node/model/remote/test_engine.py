"""What is asked of each kind of server, and what comes of its answers, as their interfaces are documented."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.model.engine import Ability
from node.model.errors import AbilityMissing, GrammarInvalid, ModelFailed
from node.model.requests import (
    EmbedRequest,
    GenerateRequest,
    Grammar,
    NextRequest,
    Sampling,
    ScoreRequest,
)
from node.model.results import End, Generated, Piece
from tests.node.model.remote.conftest import Start
from tests.node.model.remote.servers import Body, LlamaServer, Ollama, Reply, ToyServer, Vllm, as_json, refusal
from tests.node.model.remote.toy_model import Drawn, draw, likely, logprob

CHAT, TEXT = "/v1/chat/completions", "/v1/completions"
PROMPT = "Which colour?"
RENDERED = f"<user> {PROMPT}<assistant>"
WARM = Sampling(temperature=1.0, seed=5)
COMMON = {Ability.SAMPLE, Ability.STREAM, Ability.LIKELIHOOD, Ability.NEXT, Ability.GRAMMAR}
GREEDY_TEXT = draw(RENDERED, {"temperature": 0}, 0, None).text
SCHEMA = json.dumps({"type": "object", "properties": {"a": {"enum": [3]}}})


async def collected(stream: AsyncIterator[Piece | Generated]) -> tuple[list[Piece], Generated]:
    items = [item async for item in stream]
    *pieces, last = items
    assert isinstance(last, Generated)
    assert all(isinstance(piece, Piece) for piece in pieces)
    return [piece for piece in pieces if isinstance(piece, Piece)], last


@pytest.mark.parametrize(
    ("server", "model", "abilities", "length"),
    [
        pytest.param(Vllm(), "toy", COMMON | {Ability.SCORE}, 4_096, id="vllm"),
        pytest.param(LlamaServer(), "toy", COMMON, 2_048, id="llama-server"),
        pytest.param(Ollama(), "toy:latest", COMMON | {Ability.EMBED}, 0, id="ollama"),
        pytest.param(ToyServer(), "toy", COMMON | {Ability.EMBED}, 0, id="openai"),
    ],
)
async def test_abilities_are_found_out(
    start: Start, server: ToyServer, model: str, abilities: set[Ability], length: int
) -> None:
    server = type(server)()  # an event belongs to the loop of its test
    info = await (await start(server, model)).describe()
    assert info.abilities == abilities
    assert info.context_length == length
    assert info.name == f"{model} (remote, {server.url.removeprefix('http://').removesuffix('/v1')})"
    assert len(info.digest) == 32
    assert all(asked.headers["authorization"] == "Bearer sk-secret" for asked in server.asked)


@pytest.mark.parametrize("kind", [Vllm, LlamaServer, Ollama, ToyServer])
async def test_texts_are_what_the_model_says(start: Start, kind: type[ToyServer]) -> None:
    """Every server is asked in its own way; the model's answer is the same."""
    server = kind()
    engine = await start(server, server.models()[0]["id"])
    greedy = await engine.generate(GenerateRequest(prompt=PROMPT, samples=3))
    assert greedy.texts == (GREEDY_TEXT,) * 3
    assert greedy.ends == (End.MODEL,) * 3
    assert greedy.account.generated_tokens == 4, "equal texts are drawn once"
    warm = await engine.generate(
        GenerateRequest(prompt=PROMPT, samples=6, sampling=WARM, likelihood=True, tokens_max=3)
    )
    assert len(warm.texts) == 6
    assert len(set(warm.texts)) > 1
    assert set(warm.ends) == {End.LENGTH}
    assert warm.lengths == (3,) * 6
    for text, likelihood in zip(warm.texts, warm.logprobs, strict=True):
        words = [" " + word for word in text.split()]
        expected = sum(logprob(RENDERED + "".join(words[:at]), word) for at, word in enumerate(words))
        assert likelihood == pytest.approx(expected)
    again = await engine.generate(GenerateRequest(prompt=PROMPT, samples=6, sampling=WARM, tokens_max=3))
    assert again.texts == warm.texts, "equal seeds"


@pytest.mark.parametrize(
    ("kind", "calls"), [(Vllm, [6]), (ToyServer, [6]), (Ollama, [None] * 6), (LlamaServer, [6, *[None] * 6])]
)
async def test_many_samples_take_as_few_calls_as_the_server_allows(
    start: Start, kind: type[ToyServer], calls: list[int | None]
) -> None:
    server = kind()
    engine = await start(server, server.models()[0]["id"])
    server.asked.clear()
    await engine.generate(GenerateRequest(prompt=PROMPT, samples=6, sampling=WARM))
    bodies = server.posts(CHAT)
    assert [body.get("n") for body in bodies] == calls
    single = [body["seed"] for body in bodies if "n" not in body]
    assert len(set(single)) == len(single), "equal seeds would draw equal texts"


async def test_accounts_are_the_servers(start: Start) -> None:
    engine = await start(Vllm())
    account = (await engine.generate(GenerateRequest(prompt="one two three four", sampling=WARM))).account
    assert (account.prompt_tokens, account.cached_tokens, account.generated_tokens) == (3, 3, 4)
    assert account.forward_passes == account.decoded_tokens == 0, "no server says"
    assert account.model_us > 0


@pytest.mark.parametrize("kind", [Vllm, LlamaServer, Ollama, ToyServer])
@pytest.mark.parametrize("samples", [1, 3])
async def test_streams_give_what_calls_give(start: Start, kind: type[ToyServer], samples: int) -> None:
    server = kind()
    engine = await start(server, server.models()[0]["id"])
    request = GenerateRequest(prompt=PROMPT, samples=samples, sampling=WARM, likelihood=True)
    pieces, streamed = await collected(engine.stream(request))
    whole = await engine.generate(request)
    assert (streamed.texts, streamed.ends, streamed.lengths) == (whole.texts, whole.ends, whole.lengths)
    assert streamed.logprobs == pytest.approx(whole.logprobs)
    assert streamed.account.generated_tokens == whole.account.generated_tokens
    told = tuple("".join(piece.text for piece in pieces if piece.sample == sample) for sample in range(samples))
    assert told == streamed.texts
    assert len(pieces) == 4 * samples


async def test_stops_are_cut_off_wherever_the_server_leaves_them(start: Start) -> None:
    engine = await start(Vllm())
    words = GREEDY_TEXT.split()
    stop = f"{words[1][-1]} {words[2][0]}"  # across two tokens
    request = GenerateRequest(prompt=PROMPT, stop=("never this", stop))
    cut = GREEDY_TEXT[: GREEDY_TEXT.index(stop)]
    assert (await engine.generate(request)).texts == (cut,)
    pieces, streamed = await collected(engine.stream(request))
    assert streamed.texts == ("".join(piece.text for piece in pieces),) == (cut,)
    assert streamed.ends == (End.STOP,)


async def test_a_server_that_says_what_stopped_it(start: Start) -> None:
    server = Vllm()
    engine = await start(server)
    said = {"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop", "stop_reason": "b"}]}
    server.instead[CHAT] = [lambda _: as_json(said)]
    assert (await engine.generate(GenerateRequest(prompt=PROMPT, stop=("b",)))).ends == (End.STOP,)


async def test_sampling_is_said_in_each_servers_words(start: Start) -> None:
    sampling = Sampling(temperature=0.5, top_p=0.9, top_k=7, min_p=0.1)
    request = GenerateRequest(prompt=PROMPT, sampling=sampling)
    for server, penalty in ((Vllm(), "repetition_penalty"), (LlamaServer(), "repeat_penalty")):
        engine = await start(server)
        await engine.generate(request)
        body = server.posts(CHAT)[-1]
        assert (body["temperature"], body["top_p"], body["top_k"], body["min_p"], body[penalty]) == (
            0.5,
            0.9,
            7,
            0.1,
            1,
        )
    for other in (Ollama(), ToyServer()):
        engine = await start(other, other.models()[0]["id"])
        with pytest.raises(AbilityMissing, match="top_k or min_p"):
            await engine.generate(request)


@pytest.mark.parametrize("kind", [Vllm, LlamaServer])
async def test_bare_text_and_begun_answers(start: Start, kind: type[ToyServer]) -> None:
    server = kind()
    engine = await start(server)
    raw = await engine.generate(GenerateRequest(prompt="Red or", raw=True, written=" blue:"))
    assert raw.texts == (draw("Red or blue:", {"temperature": 0}, 0, None).text,)
    begun = await engine.generate(GenerateRequest(prompt=PROMPT, written="I say"))
    assert begun.texts == (draw(RENDERED + "I say", {"temperature": 0}, 0, None).text,)
    assert server.posts(TEXT)[-1].get("add_special_tokens") is False, "the template has them already"


async def test_bare_text_is_refused_where_it_would_be_rendered(start: Start) -> None:
    engine = await start(Ollama(), "toy:latest")
    for request in (GenerateRequest(prompt="a", raw=True), GenerateRequest(prompt="a", written="b")):
        with pytest.raises(AbilityMissing, match="bare text"):
            await engine.generate(request)


async def test_a_base_model_gets_its_prompt_with_a_newline(start: Start) -> None:
    """As it does when it runs here."""

    class Base(Vllm):
        def complete(self, body: Body, *, chat: bool) -> Reply:
            if chat:
                return refusal(400, "As of transformers v4.44, default chat template is no longer allowed")
            return super().complete(body, chat=chat)

    engine = await start(Base())
    assert Ability.SCORE in (await engine.describe()).abilities
    made = await engine.generate(GenerateRequest(prompt="Colours:", written=" red"))
    assert made.texts == (draw("Colours:\n red", {"temperature": 0}, 0, None).text,)


@pytest.mark.parametrize("kind", [Vllm, LlamaServer])
async def test_grammars(start: Start, kind: type[ToyServer]) -> None:
    engine = await start(kind())
    gbnf = GenerateRequest(prompt=PROMPT, grammar=Grammar("gbnf", 'root ::= "yes sir"'))
    assert (await engine.generate(gbnf)).texts == ("yes sir",)
    schema = GenerateRequest(prompt=PROMPT, grammar=Grammar("json_schema", SCHEMA), raw=True)
    assert (await engine.generate(schema)).texts == ('{"a": 3}',)
    with pytest.raises(GrammarInvalid, match="no JSON"):
        await engine.generate(GenerateRequest(prompt=PROMPT, grammar=Grammar("json_schema", "{")))


@pytest.mark.parametrize("kind", [Ollama, ToyServer])
async def test_where_only_schemas_are_followed(start: Start, kind: type[ToyServer]) -> None:
    server = kind()
    engine = await start(server, server.models()[0]["id"])
    made = await engine.generate(GenerateRequest(prompt=PROMPT, grammar=Grammar("json_schema", SCHEMA)))
    assert made.texts == ('{"a": 3}',)
    with pytest.raises(AbilityMissing, match="give a JSON schema instead"):
        await engine.generate(GenerateRequest(prompt=PROMPT, grammar=Grammar("gbnf", 'root ::= "a"')))


async def test_scores(start: Start) -> None:
    engine = await start(Vllm())
    request = ScoreRequest(prompt=PROMPT, continuations=(" red", " blue green"), calibrated=True)
    red, two = (await engine.score(request)).scores
    assert red.logprob == pytest.approx(logprob(RENDERED, " red"))
    expected = logprob(RENDERED, " blue") + logprob(RENDERED + " blue", " green")
    assert two.logprob == pytest.approx(expected)
    assert (red.tokens, two.tokens) == (1, 2)
    assert red.unconditional == pytest.approx(logprob("<user> <assistant>", " red"))
    first = await engine.score(ScoreRequest(prompt=PROMPT, continuations=(" red", " blue green"), first_only=True))
    assert [score.tokens for score in first.scores] == [1, 1]
    assert first.account.generated_tokens == 2
    with pytest.raises(AbilityMissing, match="end of an answer"):
        await engine.score(ScoreRequest(prompt=PROMPT, continuations=(" red",), closed=True))
    with pytest.raises(AbilityMissing, match="nothing comes before"):
        await engine.score(ScoreRequest(prompt="", raw=True, continuations=(" red",)))


async def test_first_tokens_that_are_alike_are_refused(start: Start) -> None:
    engine = await start(Vllm())
    request = ScoreRequest(prompt=PROMPT, continuations=(" red one", " red two"), first_only=True)
    with pytest.raises(ModelFailed, match="same token"):
        await engine.score(request)


async def test_a_server_that_scores_a_token_off_is_not_asked_for_scores(start: Start) -> None:
    class Off(Vllm):
        def text_logprobs(self, drawn: Drawn, prompt: str, body: Body) -> Body:
            told = super().text_logprobs(drawn, prompt, body)
            if self.echoes(body):
                told["token_logprobs"] = [None, None, *told["token_logprobs"][1:-1]]
            return told

    engine = await start(Off())
    assert Ability.SCORE not in (await engine.describe()).abilities
    with pytest.raises(AbilityMissing, match="given texts"):
        await engine.score(ScoreRequest(prompt=PROMPT, continuations=(" red",)))


@pytest.mark.parametrize("kind", [Vllm, LlamaServer, Ollama, ToyServer])
async def test_next_tokens(start: Start, kind: type[ToyServer]) -> None:
    server = kind()
    engine = await start(server, server.models()[0]["id"])
    found = await engine.next_tokens(NextRequest(prompt=PROMPT, top=3))
    expected = sorted(likely(RENDERED).items(), key=lambda item: -item[1])[:3]
    assert [token.text.decode() for token in found.tokens] == [word for word, _ in expected]
    assert [token.logprob for token in found.tokens] == pytest.approx([value for _, value in expected])
    await engine.next_tokens(NextRequest(prompt=PROMPT, top=500))
    assert server.posts(CHAT)[-1]["top_logprobs"] == (500 if kind is LlamaServer else 20)


async def test_embeddings(start: Start) -> None:
    engine = await start(ToyServer())
    found = await engine.embed(EmbedRequest(texts=("a", "four")))
    assert found.vectors[1] == pytest.approx((4 / 21**0.5, 1 / 21**0.5, -2 / 21**0.5))
    assert found.account.prompt_tokens == 2


async def test_what_no_server_can(start: Start, tmp_path: Path) -> None:
    engine = await start(Vllm())
    with pytest.raises(AbilityMissing, match="adapters: its server holds the model"):
        await engine.add_adapter(tmp_path)
    with pytest.raises(AbilityMissing, match="adapters"):
        await engine.drop_adapter(bytes(32))
    with pytest.raises(AbilityMissing, match="steer"):
        await engine.generate(GenerateRequest(prompt=PROMPT, steer=((b"a", -1.0),)))
    with pytest.raises(AbilityMissing, match="embed"):
        await engine.embed(EmbedRequest(texts=("a",)))


async def test_halves_of_characters_in_what_is_asked(start: Start) -> None:
    """They come from nobody who writes; they must not be an error that nobody expects either."""
    engine = await start(Vllm())
    half = "a\ud800"
    assert (await engine.generate(GenerateRequest(prompt=half, stop=(half,)))).texts[0]
    assert (await engine.score(ScoreRequest(prompt=half, continuations=(half,)))).scores[0].tokens > 0
    assert (await (await start(ToyServer())).embed(EmbedRequest(texts=(half,)))).vectors
