"""A model's process that does as it is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from node.model.local import child
from node.model.local.process import ModelProcess
from tests.node.model.local.asking import FAST


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process started from now on is the scripted one."""
    monkeypatch.setattr(child, "PROGRAM", "tests.node.model.local.fake_process")


@pytest_asyncio.fixture
async def model(scripted: None) -> AsyncIterator[ModelProcess]:
    process = ModelProcess(Path("any.gguf"), settings=FAST)
    await process.start()
    yield process
    await process.close()
