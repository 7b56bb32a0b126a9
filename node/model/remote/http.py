"""JSON over HTTP with a server that may hang, stop in the middle, send too much, or send something else."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from node.model.remote.address import ServerAddress
from node.model.remote.errors import AnswerInvalid, ServerBusy, ServerRefused, ServerUnreachable
from node.model.web import retry_after_s

logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every request is no event of a node

BODY_MAX = 32 << 20
"""Bytes of one answer; 64 vectors of 8192 numbers are less."""
EVENT_MAX = 1 << 20
_ERROR_MAX = 64 << 10
_WORDS_MAX = 200
_CONNECT_S = 5.0
_WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Before each further try at a busy server, where it does not say how long."""
_BUSY = (429, 503)


@dataclass(slots=True)
class Call:
    """What several questions to the server are asked for.

    Args:
        until: when the caller gives up, by the event loop's clock; what would have to wait longer is not waited for.
        began: when the first of the questions was sent.
    """

    until: float
    began: float | None = None


class Http:
    """One server. Cancelling a call closes its connection, so that the server can stop working for it.

    Args:
        parallel: questions that are under way at once; further ones wait.
    """

    def __init__(self, address: ServerAddress, key: str | None, parallel: int) -> None:
        self._address, self._key = address, key
        self._turns = asyncio.Semaphore(parallel)
        headers = {"accept-encoding": "identity", "user-agent": "moot"}  # what is packed may be endless
        headers["content-type"] = "application/json"
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(None, connect=_CONNECT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
            trust_env=not address.is_local,  # no proxy on the way to this machine itself
            follow_redirects=False,  # the key and the question are for this server alone
        )

    @property
    def place(self) -> str:
        return self._address.place

    def limit(self, parallel: int) -> None:
        """Ask fewer questions at once from now on."""
        self._turns = asyncio.Semaphore(parallel)

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, path: str, call: Call, *, root: bool = False) -> dict[str, Any]:
        async with self._answer("GET", path, None, call, root) as answer:
            return self._object(await self._read(answer, BODY_MAX))

    async def post(self, path: str, body: Mapping[str, Any], call: Call, *, root: bool = False) -> dict[str, Any]:
        """Raises ServerError: see there."""
        async with self._answer("POST", path, body, call, root) as answer:
            return self._object(await self._read(answer, BODY_MAX))

    async def stream(self, path: str, body: Mapping[str, Any], call: Call) -> AsyncGenerator[dict[str, Any], None]:
        """The events of a streamed answer, up to its end mark. Whoever leaves it early closes it.

        Source: WHATWG HTML, server-sent events: lines of `data:`, an event ends with an empty line.
        """
        async with self._answer("POST", path, body, call, False) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                raise AnswerInvalid(self.place, "does not stream when asked to")
            async with aclosing(self._events(answer)) as events:
                async for data in events:
                    if data == b"[DONE]":
                        return
                    yield self._object(data)

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, body: Mapping[str, Any] | None, call: Call, root: bool
    ) -> AsyncIterator[httpx.Response]:
        url = f"{self._address.root if root else self._address.url}{path}"
        waits = iter(_WAITS_S)
        clock = asyncio.get_running_loop().time
        while True:
            async with self._turns:
                call.began = call.began or clock()
                answer = await self._send(method, url, body)
                try:
                    if answer.status_code not in _BUSY:
                        await self._check(answer)
                        yield answer
                        return
                except httpx.HTTPError as error:
                    raise ServerUnreachable(self.place, f"broke off in the middle: {_reason(error)}") from None
                finally:
                    await answer.aclose()
            asked, usual = retry_after_s(answer.headers), next(waits, None)
            wait = usual if asked is None or usual is None else asked
            if wait is None or clock() + wait >= call.until:
                raise ServerBusy(self.place, f"has too much to do (status {answer.status_code}); ask again later")
            await asyncio.sleep(wait)

    async def _send(self, method: str, url: str, body: Mapping[str, Any] | None) -> httpx.Response:
        """Ask; once more if a kept connection had been closed meanwhile, or the server is just being started again."""
        content = None if body is None else json.dumps(body)  # in ASCII, which can hold halves of characters too
        for again in (True, False):
            request = self._client.build_request(method, url, content=content)
            try:
                return await self._client.send(request, stream=True)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.ConnectError) as error:
                if not again:
                    raise ServerUnreachable(
                        self.place, f"cannot be reached: {_reason(error)}; check that it runs, and its address"
                    ) from None
            except httpx.HTTPError as error:
                raise ServerUnreachable(
                    self.place, f"cannot be reached: {_reason(error)}; check that it runs, and its address"
                ) from None
        raise AssertionError("the second try returns or raises")

    async def _check(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if 300 <= status < 400:
            raise ServerRefused(self.place, status, "it sends us elsewhere; write the address where it really is")
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise AnswerInvalid(self.place, "packs its answer, which was not asked for")
        if status >= 400:
            words, code = _error_of(await self._read(answer, _ERROR_MAX, cut=True))
            raise ServerRefused(self.place, status, self._clean(words), code[:64])

    async def _read(self, answer: httpx.Response, most: int, *, cut: bool = False) -> bytes:
        read = bytearray()
        async for chunk in answer.aiter_raw():
            read += chunk
            if len(read) > most and not cut:
                raise AnswerInvalid(self.place, f"sends more than {most} bytes")
            if len(read) > most:
                break
        return bytes(read[:most])

    async def _events(self, answer: httpx.Response) -> AsyncGenerator[bytes, None]:
        rest, data, total = b"", list[bytes](), 0
        async for chunk in answer.aiter_raw():
            total += len(chunk)
            if total > BODY_MAX or len(rest) + sum(map(len, data)) > EVENT_MAX:
                raise AnswerInvalid(self.place, f"sends more than {BODY_MAX} bytes, or {EVENT_MAX} in one event")
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                line = line.removesuffix(b"\r")
                if line.startswith(b"data:"):
                    data.append(line.removeprefix(b"data:").removeprefix(b" "))
                elif not line and data:
                    yield b"\n".join(data)
                    data.clear()
        if data or rest.startswith(b"data:"):
            yield b"\n".join([*data, *([rest[5:].strip()] if rest.startswith(b"data:") else [])])

    def _object(self, data: bytes) -> dict[str, Any]:
        try:
            value = json.loads(data, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise AnswerInvalid(self.place, f"sends no JSON: {data[:40]!r}") from None
        if not isinstance(value, dict):
            raise AnswerInvalid(self.place, f"sends JSON of another form: {data[:40]!r}")
        if "error" in value and "choices" not in value:
            words, code = _error_of(data)
            raise ServerRefused(self.place, 0, self._clean(words), code[:64])
        return value

    def _clean(self, words: str) -> str:
        """For people and logs: bounded, and without the key, which a server might repeat."""
        hidden = words if self._key is None else words.replace(self._key, "***")
        return hidden[:_WORDS_MAX]


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _error_of(body: bytes) -> tuple[str, str]:
    """Words and name of an error, in the forms that servers have for it."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace").strip(), ""
    error = value.get("error", value) if isinstance(value, dict) else value
    if not isinstance(error, dict):
        return str(error), ""
    words = error.get("message", error.get("detail", ""))
    return str(words), str(error.get("code") or error.get("type") or "")


def _reason(error: httpx.HTTPError) -> str:
    """For people; some of httpx's errors have no text of their own."""
    return str(error)[:_WORDS_MAX] or type(error).__name__
