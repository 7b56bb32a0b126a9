"""Models with random weights, written once per run."""

from pathlib import Path

import pytest

from tests.node.model.gguf_files import write_model


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "random.gguf")
