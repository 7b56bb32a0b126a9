"""Real processes with random weights."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from node.model.engine import LoadSettings
from node.model.llamacpp.context import Context
from node.model.llamacpp.model import Model
from node.model.local.process import ModelProcess
from tests.node.model.gguf_files import Shape, write_model
from tests.node.model.local.asking import FAST

LONG = Shape(context_length=1_024)


@pytest.fixture(scope="session")
def letters_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One token per letter and no others, so that texts show which tokens were drawn."""
    path = tmp_path_factory.mktemp("models") / "letters.gguf"
    return write_model(path, vocabulary="letters", shape=LONG)


@pytest_asyncio.fixture
async def engine(letters_file: Path) -> AsyncIterator[ModelProcess]:
    process = ModelProcess(letters_file, settings=FAST)
    await process.start()
    yield process
    await process.close()


@pytest.fixture
def bare(letters_file: Path) -> Iterator[Context]:
    """The same model in this process, without an engine around it."""
    model = Model(letters_file, LoadSettings())
    context = Context(model, 4, 1_024, 512, 1)
    yield context
    context.close()
    model.close()
