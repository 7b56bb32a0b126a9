"""From the settings of a model to one that answers: with its adapters, its limits, and an exit code when it cannot."""

import hashlib
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from node.errors import Exit
from node.founding import ModelUnusable
from node.model.requests import AdapterUse
from node.parts import open_model
from node.settings import ModelSection, load
from tests.node.model.gguf_files import write_model
from tests.node.model.gguf_others import write_adapter
from tests.node.model.local.asking import ask


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "m.gguf")


async def test_adapters_are_part_of_the_model(model_file: Path, tmp_path: Path) -> None:
    """Its digest is then another one: who looks a decision up sees that these weights did not answer alone."""
    adapter = write_adapter(tmp_path / "a.gguf")
    async with AsyncExitStack() as stack:
        engine, report = await open_model(ModelSection(file=str(model_file), adapters=(str(adapter),)), stack)
        info = await engine.describe()
        assert [each.digest for each in info.adapters] == [hashlib.sha256(adapter.read_bytes()).digest()]
        assert report()["state"] == "up"
        assert report()["digest"] == info.weights.hex() != info.digest.hex()
        plain = await engine.generate(ask("x", tokens_max=9))
        changed = await engine.generate(ask("x", tokens_max=9, adapters=(AdapterUse(info.adapters[0].digest),)))
        assert plain.texts != changed.texts


async def test_the_limits_are_those_of_the_settings(model_file: Path) -> None:
    async with AsyncExitStack() as stack:
        section = ModelSection(file=str(model_file), parallel=3, context_length=100, cache_mib=1)
        engine, report = await open_model(section, stack)
        info = await engine.describe()
        assert (info.parallel, info.context_length) == (3, 100)
        assert report()["digest"] == info.weights.hex() == info.digest.hex()


@pytest.mark.parametrize("wrong", ["missing.gguf", "model"])
async def test_an_adapter_that_is_none_stops_the_node(model_file: Path, tmp_path: Path, wrong: str) -> None:
    path = model_file if wrong == "model" else tmp_path / wrong
    async with AsyncExitStack() as stack:
        with pytest.raises(ModelUnusable) as raised:
            await open_model(ModelSection(file=str(model_file), adapters=(str(path),)), stack)
    assert raised.value.exit_code is Exit.MODEL_INVALID
    assert str(path) in str(raised.value)


def test_a_relative_path_starts_where_the_settings_are(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('version = 1\n[model]\nadapters = ["a.gguf", "/b.gguf"]\n')
    assert load(file).model.adapters == (str(tmp_path / "a.gguf"), "/b.gguf")
