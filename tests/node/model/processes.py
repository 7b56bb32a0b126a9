# ruff: noqa: ASYNC110 - waits for real processes
"""What tests of the model's process share: requests, settings, and waiting for the system."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from node.model.engine import GenerateRequest
from node.model.process import ModelProcess, ProcessSettings

REQUEST = GenerateRequest("17+25=", 5, 1000, 1, 12, "\n")
FAST = ProcessSettings(restart_ms_min=10)


async def wait_until(true: Callable[[], bool], timeout_s: float = 30) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pid_of(model: ModelProcess) -> int:
    assert model.pid is not None
    return model.pid
