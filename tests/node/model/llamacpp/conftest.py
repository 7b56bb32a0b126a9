"""A model with one token per letter and no others, so that texts show which tokens were drawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.model.engine import LoadSettings
from node.model.llamacpp.context import Context
from node.model.llamacpp.model import Model
from tests.node.model.gguf_files import write_model


@pytest.fixture(scope="session")
def letters_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "letters.gguf", vocabulary="letters")


@pytest.fixture(scope="session")
def letters(letters_file: Path) -> Iterator[Model]:
    model = Model(letters_file, LoadSettings())
    yield model
    model.close()


@pytest.fixture
def context(letters: Model) -> Iterator[Context]:
    made = Context(letters, sequences=16, cells=1_024, batch_tokens=128, threads=1)
    yield made
    made.close()
