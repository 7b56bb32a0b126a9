"""One run of the model's process, seen from the node: started, asked many things at once, ended."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from node.model.engine import LoadSettings, ModelInfo
from node.model.errors import ModelBusy, ModelDied, ModelTimeout, PromptTooLong
from node.model.local.epitaph import CLOSE_S_MAX, LastWords, kill
from node.model.local.flights import Flight, Flights
from node.model.local.settings import ProcessSettings
from node.model.local.watchdog import Watchdog
from node.model.pipe import answered, asked, frames
from node.model.pipe.asked import Request
from node.model.pipe.counts import Counts

READ_BYTES = 1 << 16
UNREAD_BYTES_MAX = 64 << 20
"""That the process has not taken from its pipe yet: a process that hangs must not fill the node's memory."""
_PACKAGES = Path(__file__).parents[3]
PROGRAM = "node.model.serving"


class Child:
    """A process with a loaded model. `start` makes one; `ended` says when and why it was the last of it.

    Args:
        on_end: called once, before what is under way fails, with the reason.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, settings: ProcessSettings, on_end: Callable[["Child", str], None]
    ) -> None:
        self._process = process
        self._on_end = on_end
        self._splitter = frames.Splitter()
        self._last_words = LastWords(process)
        self._watchdog = Watchdog(settings.hang_timeout_ms)
        self._hang_timeout_ms = settings.hang_timeout_ms
        self._life: asyncio.Task[str] | None = None
        self._watch: asyncio.Task[None] | None = None
        self.flights = Flights()
        self.served = 0
        self.counts = Counts()
        """As the process said last."""
        self.info: ModelInfo

    @classmethod
    async def start(
        cls, path: Path, load: LoadSettings, settings: ProcessSettings, on_end: Callable[["Child", str], None]
    ) -> "Child":
        """Start the process and wait until its model is loaded. On Linux it dies with the event loop's thread.

        Raises:
            ModelFileMissing, ModelFileInvalid, ModelLibraryMissing: as the process reports.
            ModelTimeout: it did not get ready; it was ended.
            ModelDied: it ended before it was ready.
        """
        child = cls(await _start_process(path, load), settings, on_end)
        try:
            child.info = await asyncio.wait_for(child._read_ready(), settings.start_timeout_ms / 1000)
        except TimeoutError:
            await child.kill()
            raise ModelTimeout("loading the model", settings.start_timeout_ms) from None
        except (EOFError, OSError, frames.FrameError) as error:
            child._blame_garbage(error)
            await child.kill()
            raise ModelDied(f"{child._last_words.epitaph()} while loading the model") from None
        except BaseException:
            await child.kill()
            raise
        child._life = asyncio.create_task(child._live())
        child._watch = asyncio.create_task(child._look_after())
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> Awaitable[str]:
        """Wait for its end, however it comes; the result says why."""
        assert self._life is not None, "only a started child lives"
        return asyncio.shield(self._life)

    def ask(self, request: Request, *, streams: bool = False) -> Flight:
        """Send a request on its way. Whoever asks waits for the flight's reply, and then calls `forget`.

        Raises:
            PromptTooLong: it fits into no message.
            ModelBusy: the process reads no more.
        """
        assert self._process.stdin is not None, "it was started with a pipe"
        if self._process.stdin.transport.get_write_buffer_size() > UNREAD_BYTES_MAX:
            raise ModelBusy(self.flights.requests, "which are more than the process takes in")

        def read(message: frames.Message) -> Any:
            return answered.read_result(message, request)

        flight = self.flights.add(read, request, streams=streams)
        try:
            self._send(asked.request_message(flight.number, request, streams=streams))
        except frames.FrameTooLong as error:
            self.flights.remove(flight)
            raise PromptTooLong(error.size, frames.FRAME_BYTES_MAX, "bytes") from None
        return flight

    async def do(self, message_of: Callable[[int], frames.Message], read: Callable[[frames.Message], Any]) -> Any:
        """Something beside the queue of requests; its reply."""
        assert self._life is not None, "only a started child can be asked"
        if self._life.done():
            raise ModelDied(self._life.result())
        flight = self.flights.add(read)
        try:
            self._send(message_of(flight.number))
            return await flight.reply
        finally:
            self.forget(flight)

    def forget(self, flight: Flight) -> None:
        """Nobody waits for it any more: what it holds in the process is for others."""
        if self.flights.remove(flight):
            self._send(asked.cancel_message(flight.number))

    def _send(self, message: frames.Message) -> None:
        assert self._process.stdin is not None, "it was started with a pipe"
        if not self._process.stdin.is_closing():
            self._process.stdin.write(frames.pack(message))  # never blocks

    async def kill(self) -> None:
        """End it at once and wait until it is gone."""
        kill(self._process)
        await (self.ended() if self._life else self._last_words.wait())

    async def close(self) -> None:
        """Let it end by itself, or else end it."""
        assert self._process.stdin is not None, "it was started with a pipe"
        self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), CLOSE_S_MAX)
        await self.kill()

    async def _read_ready(self) -> ModelInfo:
        while not (messages := await self._read()):
            pass
        if len(messages) > 1:
            raise frames.FrameError("it speaks before it is asked")
        return answered.read_ready(messages[0])

    async def _read(self) -> list[frames.Message]:
        assert self._process.stdout is not None, "it was started with a pipe"
        data = await self._process.stdout.read(READ_BYTES)
        if not data:
            raise EOFError
        return self._splitter.feed(data)

    async def _live(self) -> str:
        """Hand replies out until the process ends, then fail what waits."""
        try:
            while True:
                messages = await self._read()
                self._watchdog.heard()
                for message in messages:
                    self._take(message)
        except (EOFError, OSError, frames.FrameError) as error:
            self._blame_garbage(error)
        await self._last_words.wait()
        epitaph = self._last_words.epitaph()
        self._on_end(self, epitaph)
        for flight in self.flights.clear():
            flight.fail(ModelDied(epitaph))
        return epitaph

    def _take(self, message: frames.Message) -> None:
        if "tick" in message:
            self.counts = answered.read_tick(message)
            return
        flight = self.flights.get(answered.ticket(message))
        if flight is None:
            return  # whoever asked has given up
        flight.take(message)
        if flight.answered:
            self.flights.remove(flight)
            self.served += flight.request is not None

    async def _look_after(self) -> None:
        """Until it hangs or has ended."""
        assert self._life is not None, "started together"
        while not self._life.done():
            await asyncio.wait({self._life}, timeout=self._watchdog.step_ms / 1000)
            if self._watchdog.check(busy=len(self.flights) > 0):
                self._end(f"gave no sign of life for {self._hang_timeout_ms} ms")
                return

    def _blame_garbage(self, error: Exception) -> None:
        if isinstance(error, frames.FrameError):
            self._end(f"sent what is no message of ours ({error})")

    def _end(self, reason: str) -> None:
        self._last_words.blame = reason
        kill(self._process)


async def _start_process(path: Path, load: LoadSettings) -> asyncio.subprocess.Process:
    # -P: nothing in the current directory may stand in for a module. A fresh interpreter, never a fork: gRPC's and
    # SQLite's state in this process would not survive one.
    numbers = (load.context_length, load.threads, load.parallel, load.cache_mib, load.gpu_layers)
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", PROGRAM, str(path), *map(str, numbers), str(os.getpid())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )
    except OSError as error:  # no memory, processes or files left
        raise ModelDied(f"cannot be started: {error}") from None


def _environment() -> dict[str, str]:
    """Ours, with this code importable whatever the current directory, and without surprises in the process."""
    paths = [str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    quiet = {
        "GGML_NO_BACKTRACE": "1",  # an abort would first start a debugger
        "OMP_WAIT_POLICY": "PASSIVE",  # several threads on busy processors: 13 ms a request instead of 326
    }
    # NumPy's threads, which nothing here uses, would each set aside 40 MB, for every processor there is.
    return quiet | os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OPENBLAS_NUM_THREADS": "1"}
