"""Models with random weights, written once per run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.model.engine import LoadSettings
from node.model.llama import Llama
from tests.node.model.gguf_files import write_model


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "random.gguf")


@pytest.fixture(scope="session")
def llama(model_file: Path) -> Iterator[Llama]:
    model = Llama(model_file, LoadSettings())
    yield model
    model.close()
