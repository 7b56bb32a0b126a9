"""What people call a model, and what is opened then."""

from pathlib import Path

import pytest

from node.errors import Exit
from node.model import reference
from node.model.engine import LoadSettings
from node.model.errors import ModelFileMissing
from node.model.hub.errors import HubNameInvalid
from node.model.local.process import ModelProcess
from node.model.local.settings import ModelState, ProcessSettings
from node.model.opening import ModelFile, ModelUnknown, find, open_engine
from node.model.remote.address import ServerAddress
from node.model.remote.engine import RemoteEngine
from node.model.remote.errors import ServerUnreachable
from tests.node.model.gguf_files import write_model
from tests.node.model.remote.servers import ToyServer


def test_what_a_model_may_be_called() -> None:
    assert find("reference:sage") == ModelFile(reference.path("sage"), "sage")
    assert find("~/m.gguf") == ModelFile(Path.home() / "m.gguf")
    assert find("m.gguf") == ModelFile(Path.cwd() / "m.gguf")
    assert find("http://127.0.0.1:8080/v1#m") == ServerAddress("http://127.0.0.1:8080/v1", "m")


def test_a_model_of_a_hub_is_where_it_was_downloaded_to() -> None:
    asked = []

    def fetch(name: str) -> Path:
        asked.append(name)
        return Path("/cache/m.gguf")

    assert find("hf:ada/tiny/m.gguf", fetch) == ModelFile(Path("/cache/m.gguf"))
    assert asked == ["hf:ada/tiny/m.gguf"]
    with pytest.raises(HubNameInvalid):
        find("hf:ada")


@pytest.mark.parametrize("model", ["reference:", "reference:nobody", "http://", "http://example.com/v1"])
def test_what_names_no_model(model: str) -> None:
    with pytest.raises(ModelUnknown) as raised:
        find(model)
    assert raised.value.exit_code == Exit.MODEL_MISSING


async def test_a_file_is_run_here(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.gguf")
    states: list[ModelState] = []
    engine = await open_engine(str(model), LoadSettings(context_length=64), on_state=states.append)
    try:
        assert isinstance(engine, ModelProcess)
        assert (await engine.describe()).context_length == 64
        assert [state.up for state in states] == [True]
    finally:
        await engine.close()


async def test_a_server_is_asked() -> None:
    states: list[ModelState] = []
    async with ToyServer().running() as server:
        engine = await open_engine(f"{server.url}#toy", on_state=states.append)
        assert isinstance(engine, RemoteEngine)
        assert [state.up for state in states] == [True]
        await engine.close()


async def test_what_cannot_be_opened_leaves_nothing_running(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing):
        await open_engine(str(tmp_path / "none.gguf"))
    with pytest.raises(ServerUnreachable):
        await open_engine("http://127.0.0.1:9/v1#m", settings=ProcessSettings(start_timeout_ms=5_000))
