"""Has a model file checked in a process of its own, and tells each step as it is done."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import astuple
from pathlib import Path

from node.model.checking import steps
from node.model.checking.steps import Begun, Failed, Passed
from node.model.engine import LoadSettings
from node.model.errors import ModelDied
from node.model.local.epitaph import LastWords, kill

_PACKAGES = Path(__file__).parents[3]


async def check_file(
    path: Path, load: LoadSettings, adapters: Sequence[Path] = ()
) -> AsyncGenerator[Begun | Passed, None]:
    """Check a model file, and adapters for it. When the iteration ends, everything passed.

    Raises:
        ModelError: it cannot be used; the message says why. ModelDied if llama.cpp ended the process over it.
    """
    numbers = map(str, astuple(load))
    environment = {"GGML_NO_BACKTRACE": "1"} | os.environ  # an abort would first start a debugger
    environment["PYTHONPATH"] = os.pathsep.join([str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "node.model.checking", str(path), *numbers, *map(str, adapters)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    words = LastWords(process)
    step = "start"
    try:
        assert process.stdout is not None, "it was started with a pipe"
        async for line in process.stdout:
            match steps.read(line.decode("utf-8", "replace")):
                case Failed(error):
                    raise error
                case Begun() | Passed() as event:
                    step = event.step
                    yield event
        await words.wait()
        if process.returncode != 0:
            raise ModelDied(f"{words.epitaph()}, in the step {step!r} of the check")
    finally:
        kill(process)
        await words.wait()
