"""A hub for each test, and what downloads from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.model.gguf_files import write_model
from tests.node.model.hub.fetching import Fetch
from tests.node.model.hub.hub_server import FakeHub


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_model(tmp_path_factory.mktemp("hub") / "tiny.gguf").read_bytes()


@pytest.fixture
def hub(content: bytes) -> Iterator[FakeHub]:
    with FakeHub(content).running() as running:
        yield running


@pytest.fixture
def fetch(hub: FakeHub, tmp_path: Path) -> Fetch:
    return Fetch(hub, tmp_path)
