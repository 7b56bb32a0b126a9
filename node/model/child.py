"""One run of the model's process, seen from the node: started, asked, ended."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable
from pathlib import Path

from node.model import frames
from node.model.engine import Generated, GenerateRequest, LoadSettings, ModelInfo
from node.model.errors import ModelDied, ModelError, ModelTimeout, PromptTooLong

STDERR_BYTES_MAX = 4_096
"""How much of its last words is kept."""
CLOSE_S_MAX = 2.0
"""How long it may take to end by itself once its stdin is closed; it has nothing to save."""
_PACKAGES = Path(__file__).parents[2]


class Child:
    """A process with a loaded model. `start` makes one; `ended` says when and why it was the last of it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._replies: dict[int, asyncio.Future[Generated]] = {}
        self._tickets = 0
        self._last_words = bytearray()
        self._garbled = ""
        self._stderr = asyncio.create_task(self._listen())
        self._life: asyncio.Task[str] | None = None
        self.served = 0
        self.info: ModelInfo

    @classmethod
    async def start(cls, path: Path, load: LoadSettings, timeout_ms: int) -> "Child":
        """Start the process and wait until its model is loaded. On Linux it dies with the event loop's thread.

        Raises:
            ModelFileMissing, ModelFileInvalid, ModelLibraryMissing: as the process reports.
            ModelTimeout: it did not get ready; it was ended.
            ModelDied: it ended before it was ready.
        """
        # -P: nothing in the current directory may stand in for a module. A fresh interpreter, never a fork: gRPC's and
        # SQLite's state in this process would not survive one.
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "node.model.worker", path),
                *map(str, (load.context_length, load.threads, os.getpid())),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(),
            )
        except OSError as error:  # no memory, processes or files left
            raise ModelDied(f"cannot be started: {error}") from None
        child = cls(process)
        try:
            child.info = frames.read_ready(await asyncio.wait_for(child._read(), timeout_ms / 1000))
        except TimeoutError:
            await child.kill()
            raise ModelTimeout("loading the model", timeout_ms) from None
        except (EOFError, OSError, frames.FrameError) as error:
            child._note_garbage(error)
            await child.kill()
            raise ModelDied(f"{child._epitaph()} while loading the model") from None
        except BaseException:
            await child.kill()
            raise
        child._life = asyncio.create_task(child._live())
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> Awaitable[str]:
        """Wait for its end, however it comes; the result says why."""
        assert self._life is not None, "only a started child lives"
        return asyncio.shield(self._life)

    async def ask(self, request: GenerateRequest) -> Generated:
        """Raises ModelDied when the process ends first, and what the process reports."""
        assert self._life is not None, "only a started child can be asked"
        if self._life.done():
            raise ModelDied(self._life.result())
        self._tickets += 1
        ticket = self._tickets
        try:
            data = frames.pack(frames.request_message(ticket, request))
        except frames.FrameError:
            raise PromptTooLong(len(request.prompt), frames.FRAME_BYTES_MAX // 12, "characters") from None
        reply: asyncio.Future[Generated] = asyncio.get_running_loop().create_future()
        self._replies[ticket] = reply
        try:
            assert self._process.stdin is not None, "it was started with a pipe"
            self._process.stdin.write(data)  # never blocks; one request is under way at a time, so little is buffered
            generated = await reply
            self.served += 1
            return generated
        finally:
            del self._replies[ticket]

    async def kill(self) -> None:
        """End it at once and wait until it is gone."""
        if self._process.returncode is None:
            self._process.kill()
        await (self.ended() if self._life else self._gone())

    async def close(self) -> None:
        """Let it end by itself, or else end it."""
        assert self._process.stdin is not None, "it was started with a pipe"
        self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), CLOSE_S_MAX)
        await self.kill()

    async def _live(self) -> str:
        """Hand replies out until the process ends, then fail what waits."""
        try:
            while True:
                message = await self._read()
                reply = self._replies.get(frames.ticket(message))
                if reply is None or reply.done():
                    continue  # whoever asked has given up
                try:
                    reply.set_result(frames.read_generated(message))
                except ModelError as error:
                    reply.set_exception(error)
        except (EOFError, OSError, frames.FrameError) as error:
            self._note_garbage(error)
        if self._garbled and self._process.returncode is None:
            self._process.kill()
        await self._gone()
        epitaph = self._epitaph()
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(ModelDied(epitaph))
        return epitaph

    async def _read(self) -> frames.Message:
        assert self._process.stdout is not None, "it was started with a pipe"
        head = await self._process.stdout.readexactly(frames.HEAD_BYTES)
        return frames.unpack(await self._process.stdout.readexactly(frames.body_size(head)))

    async def _listen(self) -> None:
        assert self._process.stderr is not None, "it was started with a pipe"
        while data := await self._process.stderr.read(STDERR_BYTES_MAX):
            self._last_words += data
            del self._last_words[:-STDERR_BYTES_MAX]

    def _note_garbage(self, error: Exception) -> None:
        if isinstance(error, frames.FrameError):
            self._garbled = f"sent what is no message of ours ({error}); it "

    async def _gone(self) -> None:
        await self._process.wait()
        await asyncio.wait({self._stderr}, timeout=CLOSE_S_MAX)  # a debugger that it started may still hold the pipe
        self._stderr.cancel()

    def _epitaph(self) -> str:
        code = self._process.returncode
        if code is None:
            how = "is ending"
        elif code >= 0:
            how = f"ended with exit code {code}"
        else:
            how = f"was ended by {signal.Signals(-code).name}"
            if -code == signal.SIGKILL:
                how += " (the system does that when memory runs out)"
        lines = bytes(self._last_words).decode("utf-8", "replace").strip().splitlines()[-5:]
        return self._garbled + how + (f"; it last said: {' | '.join(lines)!r}" if lines else "")


def _environment() -> dict[str, str]:
    """Ours, with this code importable whatever the current directory, and without surprises in the process."""
    paths = [str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    quiet = {
        "GGML_NO_BACKTRACE": "1",  # an abort would first start a debugger
        "OMP_WAIT_POLICY": "PASSIVE",  # several threads on busy processors: 13 ms a request instead of 326
    }
    return quiet | os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
