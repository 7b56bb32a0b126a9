"""Servers that lie, break, hang, or send too much: a clear error or a true count, in time, and nothing else."""

import json
import logging
from typing import Any

import pytest

from node.model.errors import ModelTimeout
from node.model.remote import http
from node.model.remote.errors import AnswerInvalid, ServerBusy, ServerError
from node.model.requests import EmbedRequest, GenerateRequest, NextRequest, ScoreRequest
from tests.node.model.remote.answers import ASK, CHAT, HANGS, STREAM, text, tokens
from tests.node.model.remote.conftest import Start
from tests.node.model.remote.servers import Body, Ollama, Reply, Vllm, as_events, as_json, refusal

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
