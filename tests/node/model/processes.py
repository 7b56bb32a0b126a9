# ruff: noqa: ASYNC110 - waits for real processes
"""What tests of the model's process share: waiting for the system."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from node.model.local.process import ModelProcess


async def wait_until(true: Callable[[], bool], timeout_s: float = 30) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.01)


def states(pid: int) -> set[str]:
    """The states of a process's threads, as ps prints them; empty once it is gone."""
    found = set()
    for thread in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found.add(thread.read_text().rsplit(")", 1)[1].split()[0])
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    return bool(states(pid) - {"Z", "X"})


def pid_of(model: ModelProcess) -> int:
    assert model.pid is not None
    return model.pid
