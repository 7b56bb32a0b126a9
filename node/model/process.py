"""The local model as the node uses it: llama.cpp in a process of its own, which is started again whenever it ends.

llama.cpp can end its process (a failed assertion, a C++ exception, memory that runs out). Here that costs the requests
that were under way, and the node abstains; it never costs the node.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from node.model.child import Child
from node.model.engine import Generated, GenerateRequest, LoadSettings, ModelInfo
from node.model.errors import ModelBusy, ModelDied, ModelError, ModelTimeout

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """How the model's process is run."""

    queue_max: int = 16
    """Requests that may wait or be under way; one more is refused: its answer would come too late."""
    request_timeout_ms: int = 60_000
    """From the moment a request's turn comes. Then the process is taken to hang, and ended."""
    start_timeout_ms: int = 120_000
    """For loading the model; a large file is read and hashed first."""
    restart_ms_min: int = 100
    restart_ms_max: int = 10_000
    """The wait before a restart doubles between these, and starts over once the process has served a request."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """Whether the model can be asked."""

    up: bool
    reason: str
    """For people: what is loaded, or why the process is down."""
    starts: int
    """How often the process was started so far."""


def _ignore(_: ModelState) -> None:
    pass


@dataclass(slots=True, eq=False)
class ModelProcess:
    """An Engine. Requests are served one after another, in the order they came.

    Args:
        path: a GGUF file.
        on_state: called on the event loop whenever the process came up or went down.
    """

    path: Path
    load: LoadSettings = field(default_factory=LoadSettings)
    settings: ProcessSettings = field(default_factory=ProcessSettings)
    on_state: Callable[[ModelState], None] = _ignore
    _child: Child | None = field(default=None, init=False)
    _info: ModelInfo | None = field(default=None, init=False)
    _down: str = field(default="was not started", init=False)
    _starts: int = field(default=0, init=False)
    _failures: int = field(default=0, init=False)
    """Starts since a request was served last."""
    _keeper: asyncio.Task[None] | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _serving: set[asyncio.Task[Generated]] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.path = self.path.absolute()  # the same file at every start, whatever the current directory then

    async def start(self) -> ModelInfo:
        """Start the process and load the model. Raises ModelError; then nothing runs and start may be called again."""
        assert self._keeper is None, "started twice"
        child = await self._start_child()
        self._keeper = asyncio.create_task(self._keep(child))
        return child.info

    @property
    def pid(self) -> int | None:
        """Of the process, while it is up."""
        return self._child.pid if self._child else None

    async def describe(self) -> ModelInfo:
        """The model that was loaded last, even while the process is down. Raises ModelDied before the first start."""
        if self._info is None:
            raise ModelDied(self._down)
        return self._info

    async def generate(self, request: GenerateRequest) -> Generated:
        """Draw the samples. A caller may give up at any time.

        Raises:
            PromptTooLong: the request does not fit the model.
            ModelDied: the process ended, or is down: at once, rather than after a restart that may never succeed.
            ModelBusy, ModelTimeout, ModelFailed: see there.
        """
        if self._child is None:
            raise ModelDied(self._down)
        if len(self._serving) >= self.settings.queue_max:
            raise ModelBusy(len(self._serving))
        started = asyncio.Event()
        task = asyncio.create_task(self._serve(request, started))
        self._serving.add(task)
        task.add_done_callback(self._served)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not started.is_set():
                task.cancel()
            raise  # What is under way ends in its own time; until then the next request could not be served anyway.

    def _served(self, task: asyncio.Task[Generated]) -> None:
        self._serving.discard(task)
        if not task.cancelled():
            task.exception()  # Seen, even if its caller has given up.

    async def _serve(self, request: GenerateRequest, started: asyncio.Event) -> Generated:
        async with self._turn:
            started.set()
            child = self._child
            if child is None:
                raise ModelDied(self._down)
            timeout_ms = self.settings.request_timeout_ms
            try:
                return await asyncio.wait_for(child.ask(request), timeout_ms / 1000)
            except TimeoutError:
                self._set_down(child, f"was ended: a request took longer than {timeout_ms} ms")
                await child.kill()
                raise ModelTimeout("a request", timeout_ms) from None
            except ModelDied as error:
                self._set_down(child, error.fields[0])
                raise

    async def close(self) -> None:
        """End the process. Requests that wait fail with ModelDied. May be called again."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        child, self._child, self._down = self._child, None, "was closed"
        if child is not None:
            await child.close()
        if self._serving:
            await asyncio.wait(self._serving)

    async def _start_child(self) -> Child:
        self._starts += 1
        child = await Child.start(self.path, self.load, self.settings.start_timeout_ms)
        self._child, self._info = child, child.info
        self._tell(True, f"{child.info.name} of {child.info.parameters} parameters, process {child.pid}")
        return child

    async def _keep(self, child: Child) -> None:
        """Start the process again whenever it ended, more and more slowly until it serves a request."""
        while True:
            self._set_down(child, await child.ended())
            while self._child is None:
                await asyncio.sleep(self._restart_ms() / 1000)
                try:
                    child = await self._start_child()
                except ModelError as error:
                    self._failures += 1
                    self._tell_down(f"cannot be started again: {error}")

    def _restart_ms(self) -> int:
        doublings = min(self._failures, 20)  # beyond the maximum anyway
        return min(self.settings.restart_ms_min << doublings, self.settings.restart_ms_max)

    def _set_down(self, child: Child, reason: object) -> None:
        if self._child is child:
            self._child = None
            self._failures = 0 if child.served else self._failures + 1
            self._tell_down(str(reason))

    def _tell_down(self, reason: str) -> None:
        self._down = f"{reason}; next start in {self._restart_ms()} ms"
        self._tell(False, self._down)

    def _tell(self, up: bool, reason: str) -> None:
        try:
            self.on_state(ModelState(up, reason, self._starts))
        except Exception:  # A listener's bug must not end the keeper: nobody would start the process again.
            log.exception("model.on_state_failed up=%s", up)
