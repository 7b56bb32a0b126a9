"""Servers that lie, break, hang, or send too much: a clear error or a true count, in time, and nothing else."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from node.model.errors import ModelBusy, ModelTimeout
from node.model.remote import http
from node.model.remote.address import ServerAddress
from node.model.remote.engine import RemoteEngine, RemoteSettings
from node.model.remote.errors import AnswerInvalid, ServerBusy, ServerError, ServerRefused, ServerUnreachable
from node.model.requests import EmbedRequest, GenerateRequest, NextRequest, Sampling, ScoreRequest
from tests.node.model.remote.conftest import Start
from tests.node.model.remote.servers import Body, Ollama, Reply, ToyServer, Vllm, as_events, as_json, refusal

CHAT = "/v1/chat/completions"
ASK = GenerateRequest(prompt="Which colour?", tokens_max=8)
HANGS = Reply(200, {}, (None,), 100)
STREAM = {"content-type": "text/event-stream"}


def text(content: Any = " red", usage: Any = None, **changed: Any) -> Body:
    choice = {"index": 0, "message": {"content": content}, "finish_reason": "stop", "logprobs": None} | changed
    return {"choices": [choice], "usage": usage}


def tokens(*values: Any) -> Body:
    return {"content": [{"token": "a", "bytes": [97], "logprob": value, "top_logprobs": []} for value in values]}


BROKEN = [
    pytest.param(Reply(200, {}, (b"<html>",)), "no JSON", id="not JSON"),
    pytest.param(Reply(200, {}, (b'{"choices": [',)), "no JSON", id="half of it"),
    pytest.param(Reply(200, {}, (b"",)), "no JSON", id="nothing"),
    pytest.param(Reply(200, {}, (b"\xff\xfe{}",)), "no JSON", id="not UTF-8"),
    pytest.param(Reply(200, {}, (b"[" * 200_000,)), "no JSON", id="nested without end"),
    pytest.param(Reply(200, {}, (b'{"usage": ' + b"9" * 100_000 + b"}",)), "no JSON", id="an endless number"),
    pytest.param(as_json([1]), "another form", id="a list"),
    pytest.param(as_json({}), "choices", id="no choices"),
    pytest.param(as_json({"choices": "a"}), "choices", id="choices that are none"),
    pytest.param(as_json({"choices": [3]}), "a choice", id="a choice that is none"),
    pytest.param(as_json({"choices": text()["choices"] * 2}), "2 texts", id="more than was asked for"),
    pytest.param(as_json(text(index=1)), "numbers a text", id="another index"),
    pytest.param(as_json(text(index=True)), "numbers a text", id="an index that is none"),
    pytest.param(as_json(text(content=7)), "a text that is none", id="a number for a text"),
    pytest.param(as_json({"choices": [{"index": 0}]}), "a text that is none", id="no text"),
    pytest.param(as_json(text(message=None, text=None, delta=[])), "a message", id="a list for a message"),
    pytest.param(as_json(text(finish_reason="content_filter")), "content_filter", id="withheld"),
    pytest.param(as_json(text(content="x" * 9_000)), "too long", id="a text too long for its tokens"),
    pytest.param(Reply(200, {"content-encoding": "gzip"}, (b"x",)), "packs", id="packed"),
    pytest.param(Reply(302, {"location": "http://192.0.2.1/"}, ()), "elsewhere", id="sends elsewhere"),
    pytest.param(as_json({"error": {"message": "out of memory"}}), "out of memory", id="an error with status 200"),
    pytest.param(refusal(500, "boom sk-secret " + "x" * 999), r"boom \*\*\*", id="an error that repeats the key"),
    pytest.param(as_json({"detail": "Not Found"}, 404), "Not Found", id="an error in another form"),
    pytest.param(Reply(500, {}, (b"\x00plain\n",)), "plain", id="an error in no form"),
    pytest.param(Reply(500, {}, (b"[" * 100_000,)), "refuses", id="an error nested without end"),
]


@pytest.mark.parametrize(("reply", "said"), BROKEN)
async def test_broken_answers_are_errors_that_say_so(start: Start, reply: Reply, said: str) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: reply]
    with pytest.raises(ServerError, match=said) as caught:
        await engine.generate(ASK)
    assert server.url.split("/")[2] in str(caught.value)
    assert "sk-secret" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert (await engine.generate(ASK)).texts[0], "the next request is served"


@pytest.mark.parametrize(
    "told",
    [
        None,
        {"content": None},
        {"tokens": ["a"], "token_logprobs": []},
        tokens("x"),
        tokens(None),
        tokens(0.5),
        tokens(True),
        tokens(-1e400),
        tokens(*[-1.0] * 10),
        {"content": [{"token": "a", "bytes": [300], "logprob": -1.0}]},
        {"content": [{"bytes": [], "logprob": -1.0}]},
        {"content": [7]},
        [],
    ],
)
async def test_likelihoods_that_cannot_be(start: Start, told: Any) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: Reply(200, {}, (json.dumps(text(logprobs=told)).encode(),))]
    with pytest.raises(AnswerInvalid):
        await engine.generate(GenerateRequest(prompt="a", tokens_max=8, likelihood=True))


@pytest.mark.parametrize(
    ("usage", "counts", "noted"),
    [
        (None, (0, 0, 0), None),
        ({}, (0, 0, 0), None),
        ({"prompt_tokens": 20, "completion_tokens": 8}, (20, 0, 8), None),
        ({"prompt_tokens": 20, "prompt_tokens_details": {"cached_tokens": 12}}, (8, 12, 0), None),
        ({"prompt_tokens": 20, "prompt_tokens_details": {"cached_tokens": 21}}, (0, 20, 0), "cached_tokens"),
        ({"prompt_tokens": 20, "completion_tokens": 9}, (20, 0, 8), "completion_tokens is 9, more than can be; 8"),
        ({"prompt_tokens": 10**9, "completion_tokens": 10**30}, (13 + 8_192, 0, 8), "more than can be"),
        ({"prompt_tokens": -5, "completion_tokens": 3.5}, (0, 0, 0), "no count"),
        ({"prompt_tokens": "20", "completion_tokens": True}, (0, 0, 0), "no count"),
        ([1, 2], (0, 0, 0), "another form"),
        ({"prompt_tokens": 3, "prompt_tokens_details": 7}, (3, 0, 0), None),
    ],
)
async def test_accounts_are_bounded_and_every_change_is_noted_once(
    start: Start, caplog: pytest.LogCaptureFixture, usage: Any, counts: tuple[int, int, int], noted: str | None
) -> None:
    """What a model says it spent stands on the ledger: no server can write any number there."""
    caplog.set_level(logging.WARNING)
    server = Ollama()
    engine = await start(server, "toy:latest")
    for _ in range(2):
        server.instead[CHAT] = [lambda _: as_json(text(usage=usage))]
        account = (await engine.generate(ASK)).account
        assert (account.prompt_tokens, account.cached_tokens, account.generated_tokens) == counts
    told = [record.getMessage() for record in caplog.records]
    assert len(set(told)) == len(told)
    assert any(noted in line for line in told) if noted else told == []


STREAMS = [
    pytest.param(as_json(text()), "does not stream", id="no stream"),
    pytest.param(Reply(200, STREAM, (b"data: {\n\n",)), "no JSON", id="not JSON"),
    pytest.param(as_events({"choices": [{"index": 0, "delta": {"content": "a"}}]}), "in the middle", id="no end"),
    pytest.param(as_events(), "in the middle", id="nothing"),
    pytest.param(as_events({"choices": [{"index": 3, "delta": {}}]}), "numbers a text", id="another index"),
    pytest.param(as_events({"error": {"message": "cuda"}}), "cuda", id="an error"),
    pytest.param(as_events({"choices": [{"index": 0, "delta": {"content": "x" * 9_000}}]}), "too long", id="too long"),
    pytest.param(Reply(200, STREAM, (b"data: " + b"x" * (2 << 20), b"\n\n")), "in one event", id="an endless event"),
    pytest.param(Reply(200, STREAM, (b"data: {}\n\n",), 10_000, closes=True), "broke off", id="broken off"),
]


@pytest.mark.parametrize(("reply", "said"), STREAMS)
async def test_broken_streams(start: Start, reply: Reply, said: str) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: reply]
    with pytest.raises(ServerError, match=said):
        async for _ in engine.stream(ASK):
            pass


async def test_a_body_without_end_is_left(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_MAX", 100_000)
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: Reply(200, {}, (b" " * 60_000, b" " * 60_000, None), 1 << 40)]
    with pytest.raises(AnswerInvalid, match="more than 100000 bytes"):
        await engine.generate(ASK)


HANGING = [
    pytest.param(HANGS, id="before its answer"),
    pytest.param(Reply(200, {}, (b"{", None), 100), id="in the middle"),
    pytest.param(Reply(503, {"retry-after": "0"}, ()), id="busy for ever"),
]


@pytest.mark.parametrize("reply", HANGING)
async def test_a_hanging_server_costs_its_deadline(start: Start, reply: Reply) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest", request_timeout_ms=300)
    server.instead[CHAT] = [lambda _: reply] * 1_000
    with pytest.raises((ModelTimeout, ServerBusy)):
        await engine.generate(ASK)
    server.instead[CHAT] = [lambda _: Reply(200, STREAM, (b": \n", None), 100)]
    with pytest.raises(ModelTimeout, match="100 ms"):
        async for _ in engine.stream(GenerateRequest(prompt="a", deadline_ms=100)):
            pass


async def test_a_busy_server_is_asked_again_when_it_says(start: Start) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: refusal(429, "slow down", retry_after="0")] * 2
    assert (await engine.generate(ASK)).texts[0]
    server.instead[CHAT] = [lambda _: refusal(503, "loading", retry_after="3600")]
    with pytest.raises(ServerBusy, match="status 503"):
        await engine.generate(ASK)


async def test_a_kept_connection_that_was_closed_is_opened_again(start: Start) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: Reply(200, {}, (json.dumps(text()).encode(),), closes=True)]
    assert (await engine.generate(ASK)).texts == (" red",)
    assert (await engine.generate(ASK)).texts[0]


async def test_who_gives_up_closes_the_request(start: Start) -> None:
    """The server can then stop working for it."""
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.slow = asyncio.Event()
    request = asyncio.create_task(
        engine.generate(GenerateRequest(prompt="a", samples=3, sampling=Sampling(temperature=1)))
    )
    stream = engine.stream(ASK)
    streamed = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
    await until(lambda: server.under_way == 4)
    request.cancel()
    streamed.cancel()
    await asyncio.gather(request, streamed, return_exceptions=True)
    await until(lambda: server.broken_off == 4)
    server.slow = None
    assert (await engine.generate(ASK)).texts[0]


async def test_a_failed_sample_ends_the_others(start: Start) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: HANGS, lambda _: refusal(500, "boom"), lambda _: HANGS]
    with pytest.raises(ServerRefused, match="boom"):
        await engine.generate(GenerateRequest(prompt="a", samples=3, sampling=Sampling(temperature=1)))
    await until(lambda: server.broken_off == 2)


async def test_only_so_many_at_once(start: Start) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest", parallel=3, queue_max=2)
    server.slow = asyncio.Event()
    server.under_way_max = 0
    many = GenerateRequest(prompt="a", samples=10, sampling=Sampling(temperature=1))
    requests = [asyncio.create_task(engine.generate(many)) for _ in range(2)]
    await until(lambda: server.under_way == 3)
    with pytest.raises(ModelBusy, match="2 requests"):
        await engine.generate(ASK)
    server.slow.set()
    results = await asyncio.gather(*requests)
    assert [len(result.texts) for result in results] == [10, 10]
    assert server.under_way_max == 3
    assert max(result.account.waited_us for result in results) > 0


async def test_closing_fails_what_is_under_way(start: Start) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.slow = asyncio.Event()
    request = asyncio.create_task(engine.generate(ASK))
    await until(lambda: server.under_way == 1)
    await engine.close()
    with pytest.raises(ServerUnreachable, match="closed"):
        await request
    with pytest.raises(ServerUnreachable, match="closed"):
        await engine.generate(ASK)
    await engine.close()


async def test_whether_it_is_up_is_told(start: Start) -> None:
    told: list[tuple[bool, str]] = []
    server = Ollama()
    async with server.running():
        address = ServerAddress.read(f"{server.url}#toy:latest")
        engine = RemoteEngine(address, environment={}, on_state=lambda up, reason: told.append((up, reason)))
        await engine.start()
        assert all("authorization" not in asked.headers for asked in server.asked)
    with pytest.raises(ServerUnreachable, match="check that it runs"):
        await engine.generate(ASK)
    await engine.close()
    assert [up for up, _ in told] == [True, False]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"/v1/models": refusal(404, "what?")}, "mostly ends with /v1", id="another address"),
        pytest.param({"/v1/models": refusal(401, "no key")}, "MOOT_MODEL_API_KEY", id="a key is wanted"),
        pytest.param({"/v1/models": as_json({"data": 7})}, "no model 'toy'", id="no list"),
        pytest.param(
            {"/v1/models": as_json({"data": [{"id": "b"}, 7, {}]})}, "these after the #: None, b", id="others"
        ),
        pytest.param({CHAT: refusal(500, "boom"), "/v1/completions": refusal(500, "bang")}, "boom", id="cannot run"),
        pytest.param({CHAT: as_json({}), "/v1/completions": as_json({})}, "choices", id="does not answer as one"),
    ],
)
async def test_starting_says_what_is_wrong(start: Start, change: dict[str, Reply], said: str) -> None:
    class Changed(ToyServer):
        def reply(self, path: str, body: Body) -> Reply:
            return change[path] if path in change else super().reply(path, body)

    with pytest.raises(ServerError, match=said):
        await start(Changed())


@pytest.mark.parametrize("path", ["/v1/models", CHAT])
async def test_starting_has_an_end(start: Start, path: str) -> None:
    server = ToyServer()
    server.instead[path] = [lambda _: HANGS]
    with pytest.raises(ModelTimeout, match="300 ms"):
        await start(server, start_timeout_ms=300)


async def test_nobody_listens() -> None:
    engine = RemoteEngine(ServerAddress.read("http://127.0.0.1:9/v1#toy"), RemoteSettings(), environment={})
    with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:9 cannot be reached.*check that it runs"):
        await engine.start()


async def test_a_key_that_cannot_be_one_is_not_sent() -> None:
    environment = {"MOOT_MODEL_API_KEY": "sk-a\nsk-b"}
    engine = RemoteEngine(ServerAddress.read("http://127.0.0.1:9/v1#toy"), environment=environment)
    with pytest.raises(ServerError, match="characters that no key has") as caught:
        await engine.start()
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize(
    "vectors",
    [
        [],
        [{"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}],
        [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}],
        [{"index": 0, "embedding": [0.0]}, {"index": 1, "embedding": [1.0]}],
        [{"index": 0, "embedding": [[1.0]]}, {"index": 1, "embedding": [1.0]}],
        [{"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": [1.0]}],
        [{"index": 0, "embedding": [10**400]}, {"index": 1, "embedding": [1.0]}],
        "no list",
    ],
)
async def test_vectors_that_cannot_be(start: Start, vectors: Any) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead["/v1/embeddings"] = [lambda _: as_json({"data": vectors})]
    with pytest.raises(AnswerInvalid):
        await engine.embed(EmbedRequest(texts=("a", "b")))


@pytest.mark.parametrize(
    "answer",
    [
        text(),
        {"choices": [{"index": 0, "text": "something else", "logprobs": None}]},
        {
            "choices": [
                {"index": 0, "text": "<user> a<assistant> red", "logprobs": {"tokens": [], "token_logprobs": []}}
            ]
        },
        {"choices": [{"index": 0, "text": "<user> a<assistant> red", "logprobs": tokens(-1.0)}]},
    ],
)
async def test_scores_that_cannot_be(start: Start, answer: Body) -> None:
    server = Vllm()
    engine = await start(server)
    server.instead["/v1/completions"] = [lambda _: as_json(answer)]
    with pytest.raises(AnswerInvalid):
        await engine.score(ScoreRequest(prompt="a", continuations=(" red",)))


@pytest.mark.parametrize("answer", [text(), text(logprobs=tokens(-1.0)), text(logprobs={"content": []})])
async def test_next_tokens_that_are_not_said(start: Start, answer: Body) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: as_json(answer)]
    with pytest.raises(AnswerInvalid):
        await engine.next_tokens(NextRequest(prompt="a"))


async def test_halves_of_characters_do_not_come_through(start: Start) -> None:
    """They could be written into no file and sent to no peer."""
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: Reply(200, {}, (json.dumps(text(content="a\ud800b\U0001f600")).encode(),))]
    assert (await engine.generate(ASK)).texts == ("a\ufffdb\U0001f600",)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.005)
