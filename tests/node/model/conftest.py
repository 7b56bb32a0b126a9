"""Models with random weights, written once per run."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from node.model.engine import LoadSettings
from node.model.llama import Llama
from node.model.process import ModelProcess
from tests.node.model.gguf_files import write_model
from tests.node.model.processes import FAST


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "random.gguf")


@pytest.fixture(scope="session")
def llama(model_file: Path) -> Iterator[Llama]:
    model = Llama(model_file, LoadSettings())
    yield model
    model.close()


@pytest_asyncio.fixture
async def model(model_file: Path) -> AsyncIterator[ModelProcess]:
    process = ModelProcess(model_file, settings=FAST)
    await process.start()
    yield process
    await process.close()
