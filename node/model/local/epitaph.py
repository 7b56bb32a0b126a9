"""What is said of a model's process that ended: how, and its last words."""

import asyncio
import contextlib
import os
import signal

STDERR_BYTES_MAX = 4_096
"""How much of its last words is kept."""
LINES_SHOWN = 5
OUT_OF_MEMORY = ("std::bad_alloc", "MemoryError", "emory allocation", "annot allocate memory", "failed to allocate")
"""What C++, Python, libraries and llama.cpp say when the system gives them no more."""
CLOSE_S_MAX = 2.0
"""How long it may take to end by itself once its stdin is closed; it has nothing to save."""
_NAMES = {int(number): number.name for number in signal.Signals}


def kill(process: asyncio.subprocess.Process) -> None:
    """End it at once, if it has not ended by itself.

    Not by its own `kill`: in Python 3.11 that first looks whether it has ended, and so takes the exit code away
    from asyncio, which waits for it in a thread and then reports 255. Source: CPython issue 87744.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


class LastWords:
    """Listens to a process's stderr until the process is gone."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._heard = bytearray()
        self._listening = asyncio.create_task(self._listen())
        self.blame = ""
        """What we ended it for, if we did."""

    async def _listen(self) -> None:
        assert self._process.stderr is not None, "it was started with a pipe"
        while data := await self._process.stderr.read(STDERR_BYTES_MAX):
            self._heard += data
            del self._heard[:-STDERR_BYTES_MAX]

    async def wait(self) -> None:
        """Until the process is gone and has said all."""
        await self._process.wait()
        # A debugger that it started may still hold the pipe.
        await asyncio.wait({self._listening}, timeout=CLOSE_S_MAX)
        self._listening.cancel()

    def epitaph(self) -> str:
        code = self._process.returncode
        if code is None:
            how = "is ending"
        elif code >= 0:
            how = f"ended with exit code {code}"
        else:
            how = f"was ended by {_NAMES.get(-code, f'signal {-code}')}"
            if -code == signal.SIGKILL and not self.blame:
                how += " (the system does that when memory runs out)"
        lines = bytes(self._heard).decode("utf-8", "replace").strip().splitlines()[-LINES_SHOWN:]
        if any(words in line for line in lines for words in OUT_OF_MEMORY):
            how = f"ran out of memory: it {how}"
        said = f"; it last said: {' | '.join(lines)!r}" if lines else ""
        return (f"{self.blame}; it " if self.blame else "") + how + said
