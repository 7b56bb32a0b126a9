"""An engine whose model another server runs: what it can do was tried out, and no answer is believed unchecked."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from node.model.abilities import needs
from node.model.engine import Ability, AdapterInfo, ModelInfo
from node.model.errors import AbilityMissing, ModelBusy, ModelTimeout
from node.model.remote import judging
from node.model.remote.address import KEY_VARIABLE, ServerAddress, key_of
from node.model.remote.dialect import Dialect
from node.model.remote.errors import ServerError, ServerRefused, ServerUnreachable
from node.model.remote.generating import Server, generate
from node.model.remote.http import Call, Http
from node.model.remote.probes import find_dialect
from node.model.remote.replies import Notes, Usage
from node.model.requests import Common, EmbedRequest, GenerateRequest, NextRequest, ScoreRequest
from node.model.results import Account, Embedded, Generated, NextTokens, Piece, Scored

log = logging.getLogger(__name__)
T = TypeVar("T")

LACKS = {
    Ability.STREAM: "its server does not stream",
    Ability.LIKELIHOOD: "its server does not say how likely what it wrote is",
    Ability.SCORE: "its server does not say how likely given texts are",
    Ability.NEXT: "its server does not say which tokens could come next",
    Ability.GRAMMAR: "its server takes no grammars",
    Ability.ADAPTERS: "its server holds the model; start the server itself with the adapter",
    Ability.EMBED: "its server makes no embeddings; some do when started for it",
    Ability.STEER: "its server cannot be given likelihoods of tokens",
}
"""Why one cannot do what it cannot do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """How a server is asked."""

    parallel: int = 16
    """Questions to the server at once, of all requests; a request may need several."""
    queue_max: int = 64
    """Requests that may wait or be under way; one more is refused: its answer would come too late."""
    request_timeout_ms: int = 60_000
    """For a request without a deadline of its own, from the moment it came."""
    start_timeout_ms: int = 120_000
    """For finding out what the server can do; it may have to load the model first."""


def _ignore(up: bool, reason: str) -> None:
    pass


class RemoteEngine:
    """An Engine.

    Args:
        environment: where the key is looked for.
        on_state: told whether the server could be reached, whenever that changes, and how it is or why not.
    """

    def __init__(
        self,
        address: ServerAddress,
        settings: RemoteSettings | None = None,
        *,
        environment: Mapping[str, str] = os.environ,
        on_state: Callable[[bool, str], None] = _ignore,
    ) -> None:
        self._address, self._settings, self._on_state = address, settings or RemoteSettings(), on_state
        self._environment = environment
        self._server: Server | None = None
        self._info: ModelInfo | None = None
        self._up: bool | None = None
        self._requests: set[asyncio.Future[Any]] = set()
        self._notes = Notes(lambda why: log.warning("model.account server=%s %s", address.place, why))

    async def start(self) -> ModelInfo:
        """Find the server and what it can do. Raises ModelError; then start may be called again."""
        try:
            key = key_of(self._environment)
        except ValueError as error:
            raise ServerError(self._address.place, f"is not asked: {error}") from None
        http = Http(self._address, key, self._settings.parallel)
        timeout_ms = self._settings.start_timeout_ms
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                call = Call(asyncio.get_running_loop().time() + timeout_ms / 1000)
                dialect = await find_dialect(http, self._address, call)
        except TimeoutError:
            await http.close()
            raise ModelTimeout(f"finding out what the server {self._address.place} can do", timeout_ms) from None
        except BaseException as error:
            await http.close()
            if isinstance(error, ServerRefused) and error.status in (401, 403):
                raise ServerError(self._address.place, f"wants a key: set {KEY_VARIABLE}, and check it") from None
            raise
        self._server = Server(http, dialect, self._notes)
        self._info = _info(self._address, dialect, self._settings.parallel)
        self._tell(True, f"{self._info.name}: {', '.join(sorted(found.value for found in dialect.abilities))}")
        return self._info

    async def describe(self) -> ModelInfo:
        if self._info is None:
            raise ServerUnreachable(self._address.place, "was not asked yet what it can do")
        return self._info

    async def generate(self, request: GenerateRequest) -> Generated:
        async def work(server: Server, call: Call) -> Generated:
            texts, usage = await generate(server, request, call, None)
            return texts.generated(_account(usage, call, came))

        came = _now()
        return await self._run(request, needs(request), work)

    async def stream(self, request: GenerateRequest) -> AsyncIterator[Piece | Generated]:
        async def work(server: Server, call: Call) -> Generated:
            texts, usage = await generate(server, request, call, pieces.put_nowait)
            return texts.generated(_account(usage, call, came))

        came, pieces = _now(), asyncio.Queue[Piece | None]()
        task = asyncio.create_task(self._run(request, needs(request, streams=True), work))
        task.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            yield await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def score(self, request: ScoreRequest) -> Scored:
        async def work(server: Server, call: Call) -> Scored:
            scores, usage = await judging.score(server, request, call)
            counted = Usage(usage.prompt, usage.cached, sum(score.tokens for score in scores))
            return Scored(scores, _account(counted, call, came))

        came = _now()
        return await self._run(request, needs(request), work)

    async def next_tokens(self, request: NextRequest) -> NextTokens:
        async def work(server: Server, call: Call) -> NextTokens:
            tokens, usage = await judging.next_tokens(server, request, call)
            return NextTokens(tokens, _account(usage, call, came))

        came = _now()
        return await self._run(request, needs(request), work)

    async def embed(self, request: EmbedRequest) -> Embedded:
        async def work(server: Server, call: Call) -> Embedded:
            vectors, usage = await judging.embed(server, request, call)
            return Embedded(vectors, _account(usage, call, came))

        came = _now()
        return await self._run(request, needs(request), work)

    async def add_adapter(self, path: Path) -> AdapterInfo:
        self._lacks(Ability.ADAPTERS)

    async def drop_adapter(self, digest: bytes) -> None:
        self._lacks(Ability.ADAPTERS)

    async def close(self) -> None:
        """Close all connections. What was under way fails with ServerUnreachable. May be called again."""
        server, self._server = self._server, None
        for request in self._requests:
            request.cancel()
        if self._requests:
            await asyncio.wait(self._requests)
        if server is not None:
            await server.http.close()

    def _lacks(self, ability: Ability) -> NoReturn:
        raise AbilityMissing(ability.value, LACKS[ability])

    async def _run(self, request: Common, needed: Iterable[Ability], work: Callable[[Server, Call], Awaitable[T]]) -> T:
        """Do the work of a request in the time that it has, unless too many are waiting or the server cannot do it."""
        server = self._server
        if server is None:
            raise ServerUnreachable(self._address.place, "is not being asked: the engine is closed, or was not started")
        for ability in needed:
            if ability not in server.dialect.abilities:
                self._lacks(ability)
        if len(self._requests) >= self._settings.queue_max:
            raise ModelBusy(len(self._requests))
        timeout_ms = self._settings.request_timeout_ms if request.deadline_ms is None else request.deadline_ms
        task = asyncio.ensure_future(self._timed(server, work, timeout_ms))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)
        try:
            result = await task
        except ServerUnreachable as error:
            self._tell(False, str(error))
            raise
        except asyncio.CancelledError:
            if self._server is None and not _is_cancelled():
                raise ServerUnreachable(self._address.place, "is asked no more: the engine was closed") from None
            raise
        self._tell(True, "answers")
        return result

    async def _timed(self, server: Server, work: Callable[[Server, Call], Awaitable[T]], timeout_ms: int) -> T:
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                return await work(server, Call(_now() + timeout_ms / 1000))
        except TimeoutError:
            raise ModelTimeout("a request", timeout_ms) from None

    def _tell(self, up: bool, reason: str) -> None:
        if up is not self._up:
            self._up = up
            self._on_state(up, reason)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _is_cancelled() -> bool:
    """Whether it is the caller who gave up."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _account(usage: Usage, call: Call, came: float) -> Account:
    """Only what the server says; it says nothing of its forward passes."""
    began = call.began or came
    return Account(
        prompt_tokens=usage.prompt - usage.cached,
        cached_tokens=usage.cached,
        generated_tokens=usage.generated,
        waited_us=max(0, int((began - came) * 1_000_000)),
        model_us=max(0, int((_now() - began) * 1_000_000)),
    )


def _info(address: ServerAddress, dialect: Dialect, parallel: int) -> ModelInfo:
    """The digest is of what the server says of the model: nobody can see the file itself."""
    named = "\0".join((address.url, dialect.model, dialect.fingerprint))
    return ModelInfo(
        name=f"{dialect.model[:80]} (remote, {address.place})",
        architecture="remote",
        parameters=dialect.parameters,
        context_length=dialect.context_length,
        digest=sha256(named.encode("utf-8", "replace")).digest(),
        size_bytes=dialect.size_bytes,
        abilities=dialect.abilities,
        parallel=min(parallel, dialect.parallel_max or parallel),
    )
