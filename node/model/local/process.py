"""The local model as the node uses it: llama.cpp in a process of its own, which is started again whenever it ends.

llama.cpp can end its process (a failed assertion, a C++ exception, memory that runs out). Here that costs the requests
that were under way, and the node abstains; it never costs the node.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

from node.model import abilities
from node.model.engine import AdapterInfo, LoadSettings, ModelInfo
from node.model.errors import ModelBusy, ModelDied, ModelError, ModelTimeout
from node.model.local.child import Child
from node.model.local.flights import Flight
from node.model.local.keeper import Keeper
from node.model.local.quarantine import Quarantine
from node.model.local.settings import ModelState, ProcessSettings
from node.model.pipe import answered, asked
from node.model.pipe.answered import Result
from node.model.pipe.asked import Request
from node.model.pipe.counts import Counts
from node.model.requests import EmbedRequest, GenerateRequest, NextRequest, ScoreRequest
from node.model.results import Embedded, Generated, NextTokens, Piece, Scored

log = logging.getLogger(__name__)


def _ignore(_: ModelState) -> None:
    pass


def _absolute(path: Path) -> Path:
    """So that it is the same file at every start, whatever the current directory then."""
    return path.absolute()


class ModelProcess:
    """An Engine. Requests are under way together; which gets how much of the model's time is decided where it runs.

    All requests raise, beside what the model says of them:
        ModelDied: the process ended, or is down: at once, rather than after a restart that may never succeed.
        ModelBusy: `queue_max` requests are under way.
        ModelTimeout: the request's deadline passed.

    Args:
        path: a GGUF file.
        on_state: called on the event loop whenever the process came up or went down.
    """

    def __init__(
        self,
        path: Path,
        load: LoadSettings | None = None,
        settings: ProcessSettings | None = None,
        on_state: Callable[[ModelState], None] = _ignore,
    ) -> None:
        self.path = _absolute(path)
        self.load = load or LoadSettings()
        self.settings = settings or ProcessSettings()
        self.on_state = on_state
        self._info: ModelInfo | None = None
        self._adapters: dict[bytes, tuple[Path, AdapterInfo]] = {}
        self._quarantine = Quarantine()
        self._keeper = Keeper(self._start_child, self.settings, lambda state: self.on_state(state))

    async def start(self) -> ModelInfo:
        """Start the process and load the model. Raises ModelError; then nothing runs and start may be called again."""
        return (await self._keeper.start()).info

    @property
    def pid(self) -> int | None:
        """Of the process, while it is up."""
        return self._keeper.child.pid if self._keeper.child else None

    async def describe(self) -> ModelInfo:
        """The model that was loaded last, even while the process is down. Raises ModelDied before the first start."""
        if self._info is None:
            raise ModelDied(self._keeper.down)
        return replace(self._info, adapters=tuple(info for _, info in self._adapters.values()))

    async def counts(self) -> Counts:
        """What the process has done since it started, at this moment. Raises ModelDied."""
        counts: Counts = await self._child().do(asked.counts_message, answered.read_counts)
        return counts

    async def generate(self, request: GenerateRequest) -> Generated:
        """Draw the samples. Raises PromptTooLong, GrammarInvalid and AdapterUnknown too, as the others may."""
        result = await self._ask(request)
        assert isinstance(result, Generated), "the answer was read for this request"
        return result

    async def stream(self, request: GenerateRequest) -> AsyncIterator[Piece | Generated]:
        """As generate, with each sample's text as it grows; the last item is the whole result."""
        child, flight = self._enter(request, streams=True)
        assert flight.pieces is not None, "it streams"
        deadline_ms = self._deadline_ms(request)
        deadline_s = asyncio.get_running_loop().time() + deadline_ms / 1000
        try:
            while True:
                try:
                    async with asyncio.timeout_at(deadline_s):
                        piece = await flight.pieces.get()
                except TimeoutError:
                    raise ModelTimeout("a request", deadline_ms) from None
                if piece is None:
                    break
                yield piece
            result: Generated = await flight.reply
        finally:
            child.forget(flight)
        self._quarantine.served(request.grammar)
        yield result

    async def score(self, request: ScoreRequest) -> Scored:
        result = await self._ask(request)
        assert isinstance(result, Scored), "the answer was read for this request"
        return result

    async def next_tokens(self, request: NextRequest) -> NextTokens:
        result = await self._ask(request)
        assert isinstance(result, NextTokens), "the answer was read for this request"
        return result

    async def embed(self, request: EmbedRequest) -> Embedded:
        result = await self._ask(request)
        assert isinstance(result, Embedded), "the answer was read for this request"
        return result

    async def add_adapter(self, path: Path) -> AdapterInfo:
        """Load an adapter; after a restart of the process it is loaded again. Raises AdapterInvalid and ModelDied."""
        path = _absolute(path)
        info = await self._load_adapter(self._child(), path)
        self._adapters[info.digest] = (path, info)
        return info

    async def drop_adapter(self, digest: bytes) -> None:
        """Free an adapter once no request under way uses it. One that is not there is no error."""
        if self._adapters.pop(digest, None) is not None and self._keeper.child is not None:
            await self._keeper.child.do(lambda number: asked.drop_message(number, digest), answered.read_done)

    async def close(self) -> None:
        """End the process. What is under way fails with ModelDied. May be called again."""
        child = await self._keeper.close()
        if child is not None:
            await child.close()

    def _child(self) -> Child:
        if self._keeper.child is None:
            raise ModelDied(self._keeper.down)
        return self._keeper.child

    def _deadline_ms(self, request: Request) -> int:
        return request.deadline_ms or self.settings.request_timeout_ms

    async def _ask(self, request: Request) -> Result:
        child, flight = self._enter(request)
        deadline_ms = self._deadline_ms(request)
        try:
            async with asyncio.timeout(deadline_ms / 1000):
                result: Result = await flight.reply
        except TimeoutError:
            raise ModelTimeout("a request", deadline_ms) from None
        finally:
            child.forget(flight)
        self._quarantine.served(flight.grammar)
        return result

    def _enter(self, request: Request, *, streams: bool = False) -> tuple[Child, Flight]:
        child = self._child()
        abilities.check(child.info, request, streams=streams)
        if isinstance(request, GenerateRequest):
            self._quarantine.check(request.grammar, asyncio.get_running_loop().time())
        self._make_room(child, request.caller)
        return child, child.ask(request, streams=streams)

    def _make_room(self, child: Child, caller: str) -> None:
        waiting = child.flights.requests
        if waiting < self.settings.queue_max:
            return
        last = child.flights.newest_of_the_longest(caller)
        if last is None:
            raise ModelBusy(waiting, f"{child.flights.of(caller)} of them the same caller's")
        child.forget(last)
        last.fail(ModelBusy(waiting, f"{child.flights.of(last.caller)} of them the same caller's"))

    async def _start_child(self) -> Child:
        child = await Child.start(self.path, self.load, self.settings, self._ended)
        try:
            for digest, (path, _) in tuple(self._adapters.items()):
                await self._add_again(child, path, digest)
        except BaseException:
            await child.kill()
            raise
        self._info = child.info
        return child

    async def _add_again(self, child: Child, path: Path, digest: bytes) -> None:
        """What has become unusable is left out: its requests fail, the others are served."""
        try:
            info = await self._load_adapter(child, path)
        except ModelError as error:
            log.warning("model.adapter_lost path=%r reason=%r", str(path), str(error))
            self._adapters.pop(digest, None)
            if isinstance(error, ModelDied):
                raise
            return
        if info.digest != digest:
            log.warning("model.adapter_lost path=%r reason=%r", str(path), "the file has changed")
            self._adapters.pop(digest, None)
            await child.do(lambda number: asked.drop_message(number, info.digest), answered.read_done)

    async def _load_adapter(self, child: Child, path: Path) -> AdapterInfo:
        timeout_ms = self.settings.start_timeout_ms
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                added = await child.do(lambda number: asked.add_message(number, path), answered.read_adapter)
        except TimeoutError:
            raise ModelTimeout("loading an adapter", timeout_ms) from None
        assert isinstance(added, AdapterInfo), "the answer was read as one"
        return added

    def _ended(self, child: Child, reason: str) -> None:
        if self._keeper.child is child:
            grammars = [flight.grammar for flight in child.flights if flight.grammar is not None]
            self._quarantine.died(grammars, asyncio.get_running_loop().time())
        self._keeper.went_down(child, reason)
