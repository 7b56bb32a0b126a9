"""Servers as they are documented, with a toy model behind them, and any of their answers replaced by a test's own."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.node.model.remote.toy_model import Drawn, draw, instance_of, likely, logprob, only_text_of, tokens_of

Body = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """An answer, perhaps one that no server should give.

    Args:
        chunks: sent one after another; None waits until the test is over.
        closes: without an end.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    chunks: tuple[bytes | None, ...] = ()
    length: int | None = None
    closes: bool = False


def as_json(value: Any, status: int = 200, **headers: str) -> Reply:
    headers = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, {"content-type": "application/json"} | headers, (json.dumps(value).encode(),))


def refusal(status: int, words: str, code: str = "invalid_request_error", **headers: str) -> Reply:
    return as_json({"error": {"message": words, "type": code, "code": code}}, status, **headers)


def as_events(*events: Any) -> Reply:
    lines = [f"data: {json.dumps(event)}\n\n".encode() for event in events]
    return Reply(200, {"content-type": "text/event-stream"}, (b": ping\r\n\r\n", *lines, b"data: [DONE]\n\n"))


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: Body


class ToyServer:
    """What all have in common. Its answers are OpenAI's."""

    owner = "openai"
    known: frozenset[str] | None = frozenset(
        "model messages prompt max_tokens temperature top_p seed stop n logprobs top_logprobs stream stream_options"
        " response_format echo input encoding_format".split()
    )
    """Fields; others are refused. None takes and ignores all."""
    many_max = 128
    build = "fp_1"

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.instead: dict[str, list[Callable[[Body], Reply]]] = {}
        """By path, what is answered instead of the truth, in order."""
        self.under_way = self.under_way_max = self.broken_off = 0
        self.url = ""
        self._serving: set[asyncio.Task[None]] = set()
        self.over = asyncio.Event()
        self.slow: asyncio.Event | None = None
        """Answers to POST wait for it."""

    def posts(self, path: str) -> list[Body]:
        return [asked.body for asked in self.asked if asked.path == path]

    def reply(self, path: str, body: Body) -> Reply:
        if self.instead.get(path):
            return self.instead[path].pop(0)(body)
        match path:
            case "/v1/models":
                return as_json({"object": "list", "data": self.models()})
            case "/v1/chat/completions" | "/v1/completions":
                if self.known is not None and (unknown := body.keys() - self.known):
                    return refusal(400, f"Unrecognized request argument supplied: {sorted(unknown)[0]}")
                return self.complete(body, chat="chat" in path)
            case "/v1/embeddings":
                return self.embeddings(body)
            case _:
                return self.other(path, body)

    def models(self) -> list[Body]:
        return [{"id": "toy", "object": "model", "created": 1, "owned_by": self.owner}]

    def other(self, path: str, body: Body) -> Reply:
        return refusal(404, f"no route {path}")

    def embeddings(self, body: Body) -> Reply:
        rows = [
            {"object": "embedding", "index": index, "embedding": [float(len(text)), 1.0, -2.0]}
            for index, text in enumerate(body["input"])
        ]
        tokens = sum(len(tokens_of(text)) for text in body["input"])
        return as_json({"data": rows[::-1], "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})

    def rendered(self, messages: list[Body]) -> str:
        return "".join(f"<{message['role']}> {message['content']}" for message in messages) + "<assistant>"

    def wanted(self, body: Body) -> str | None:
        match body.get("response_format"):
            case {"type": "json_schema", "json_schema": {"schema": schema}}:
                return instance_of(schema)
            case _:
                return None

    def complete(self, body: Body, *, chat: bool) -> Reply:
        prompt = self.rendered(body["messages"]) if chat else body["prompt"]
        if body.get("n", 1) > self.many_max:
            return refusal(400, f"n must be at most {self.many_max}")
        drawn = [draw(prompt, body, sample, self.wanted(body)) for sample in range(self.count(body))]
        choices = [self.choice(index, one, prompt, body, chat=chat) for index, one in enumerate(drawn)]
        usage = self.usage(len(tokens_of(prompt)), sum(len(one.tokens) for one in drawn))
        if body.get("stream"):
            return as_events(*self.events(choices, usage, body, chat=chat))
        return as_json({"object": "completion", "choices": choices, "usage": usage, "system_fingerprint": self.build})

    def count(self, body: Body) -> int:
        return int(body.get("n", 1))

    def usage(self, prompt: int, generated: int) -> Body:
        return {"prompt_tokens": prompt, "completion_tokens": generated, "total_tokens": prompt + generated}

    def choice(self, index: int, drawn: Drawn, prompt: str, body: Body, *, chat: bool) -> Body:
        choice = {"index": index, "finish_reason": drawn.reason, "logprobs": None}
        choice |= {"message": {"role": "assistant", "content": drawn.text}} if chat else {"text": drawn.text}
        if body.get("logprobs"):
            choice["logprobs"] = self.chat_logprobs(drawn, body) if chat else self.text_logprobs(drawn, prompt, body)
        if not chat and self.echoes(body):
            choice["text"] = prompt + drawn.text
        return choice

    def echoes(self, body: Body) -> bool:
        return False

    def chat_logprobs(self, drawn: Drawn, body: Body) -> Body:
        most = body.get("top_logprobs", body["logprobs"])

        def one(token: str, value: float) -> Body:
            return {"token": token, "bytes": list(token.encode()), "logprob": value}

        rows = [
            one(token, top[token]) | {"top_logprobs": [one(*item) for item in list(top.items())[:most]]}
            for token, top in zip(drawn.tokens, drawn.tops, strict=True)
        ]
        return {"content": rows}

    def text_logprobs(self, drawn: Drawn, prompt: str, body: Body) -> Body:
        tokens, given = drawn.tokens, tokens_of(prompt) if self.echoes(body) else []
        every, values, offsets = given + tokens, list[float | None](), list[int]()
        before = "" if given else prompt
        for token in every:
            values.append(logprob(before, token) if before else None)
            offsets.append(len(before))
            before += token
        tops: list[Body | None] = [None, *({} for _ in given[1:])] if given else []
        tops += [dict(list(top.items())[: body["logprobs"]]) for top in drawn.tops]
        return {"tokens": every, "token_logprobs": values, "text_offset": offsets, "top_logprobs": tops}

    def events(self, choices: list[Body], usage: Body, body: Body, *, chat: bool) -> list[Body]:
        events: list[Body] = []
        for choice in choices:
            text = choice["message"]["content"] if chat else choice["text"]
            for at, token in enumerate(tokens_of(text)):
                piece: Body = {"index": choice["index"], "finish_reason": None, "logprobs": None}
                piece |= {"delta": {"content": token}} if chat else {"text": token}
                if choice["logprobs"]:
                    piece["logprobs"] = {name: rows[at : at + 1] for name, rows in choice["logprobs"].items()}
                events.append({"choices": [piece]})
            last: Body = {"index": choice["index"], "finish_reason": choice["finish_reason"]}
            last["delta" if chat else "text"] = {} if chat else ""
            events.append({"choices": [last]})
        if body.get("stream_options", {}).get("include_usage"):
            events.append({"choices": [], "usage": usage})
        return events

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ToyServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        try:
            yield self
        finally:
            self.over.set()
            server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while not self.over.is_set() and await self._serve_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        path = head[0].split()[1]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
        sent = await reader.readexactly(int(headers.get("content-length", 0)))
        body = json.loads(sent) if sent else {}
        self.asked.append(Asked(path, headers, body))
        self.under_way += 1
        self.under_way_max = max(self.under_way_max, self.under_way)
        try:
            if sent and self.slow is not None:
                await self._until(self.slow, reader)
            reply = self.reply(path, body)
            length = sum(map(len, filter(None, reply.chunks))) if reply.length is None else reply.length
            lines = {"content-length": str(length)} | reply.headers
            writer.write(f"HTTP/1.1 {reply.status} X\r\n".encode())
            writer.write("".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + b"\r\n")
            for chunk in reply.chunks:
                if chunk is None:
                    await self._until(self.over, reader)
                else:
                    writer.write(chunk)
                    await writer.drain()
            return not reply.closes
        finally:
            self.under_way -= 1

    async def _until(self, event: asyncio.Event, reader: asyncio.StreamReader) -> None:
        """Wait, and notice if whoever asked goes away."""
        waits, gone = asyncio.create_task(event.wait()), asyncio.create_task(reader.read(1))
        done, pending = await asyncio.wait({waits, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if gone in done:
            self.broken_off += 1
            raise ConnectionError


class Vllm(ToyServer):
    """Source: vLLM's OpenAI-compatible server: structured_outputs, echo, /tokenize, /detokenize."""

    owner = "vllm"
    known = None

    def models(self) -> list[Body]:
        return [{**super().models()[0], "root": "/models/toy", "max_model_len": 4_096}]

    def echoes(self, body: Body) -> bool:
        return bool(body.get("echo"))

    def usage(self, prompt: int, generated: int) -> Body:
        return {**super().usage(prompt, generated), "prompt_tokens_details": {"cached_tokens": prompt // 2}}

    def wanted(self, body: Body) -> str | None:
        match body.get("structured_outputs"):
            case {"grammar": grammar}:
                return only_text_of(grammar)
            case {"json": schema}:
                return instance_of(schema)
            case _:
                return super().wanted(body)

    def complete(self, body: Body, *, chat: bool) -> Reply:
        if body["temperature"] == 0 and body.get("n", 1) > 1:
            return refusal(400, "n must be 1 when using greedy sampling")
        return super().complete(body, chat=chat)

    def choice(self, index: int, drawn: Drawn, prompt: str, body: Body, *, chat: bool) -> Body:
        return {**super().choice(index, drawn, prompt, body, chat=chat), "stop_reason": None}

    def other(self, path: str, body: Body) -> Reply:
        match path:
            case "/tokenize":
                return as_json({"tokens": list(self.rendered(body["messages"]).encode()), "max_model_len": 4_096})
            case "/detokenize":
                return as_json({"prompt": bytes(body["tokens"]).decode()})
            case _:
                return as_json({"detail": "Not Found"}, 404)

    def embeddings(self, body: Body) -> Reply:
        return refusal(400, "The model does not support Embeddings API", "BadRequestError")


class LlamaServer(ToyServer):
    """Source: llama.cpp's tools/server: logprobs as in chats everywhere, grammar, json_schema, /apply-template."""

    owner = "llamacpp"
    known = None
    many_max = 4

    def models(self) -> list[Body]:
        meta = {"vocab_type": 1, "n_vocab": 4, "n_ctx_train": 8_192, "n_ctx": 2_048, "n_params": 7_000, "size": 9_000}
        return [{**super().models()[0], "meta": meta}]

    def text_logprobs(self, drawn: Drawn, prompt: str, body: Body) -> Body:
        rows = self.chat_logprobs(drawn, body)
        for row in rows["content"]:
            row["id"] = 1 + list(likely("")).index(row["token"]) if row["token"] in likely("") else 0
        return rows

    def wanted(self, body: Body) -> str | None:
        if "grammar" in body:
            return only_text_of(body["grammar"])
        return instance_of(body["json_schema"]) if "json_schema" in body else super().wanted(body)

    def usage(self, prompt: int, generated: int) -> Body:
        return {**super().usage(prompt, generated), "prompt_tokens_details": {"cached_tokens": 0}}

    def other(self, path: str, body: Body) -> Reply:
        if path == "/apply-template":
            return as_json({"prompt": self.rendered(body["messages"])})
        return super().other(path, body)

    def embeddings(self, body: Body) -> Reply:
        return refusal(
            501, "This server does not support embeddings. Start it with `--embeddings`", "not_supported_error"
        )


class Ollama(ToyServer):
    """Source: Ollama's OpenAI compatibility: no n, no grammars but JSON schemas, bare text rendered as well."""

    owner = "somebody"  # whoever a model is from
    build = "fp_ollama"
    known = None

    def models(self) -> list[Body]:
        (one,) = super().models()
        return [{**one, "id": name} for name in ("toy:latest", "other:7b")]

    def count(self, body: Body) -> int:
        return 1
