"""A node whose model another server runs: made out of its settings, and told of as any other."""

from contextlib import AsyncExitStack

import pytest

from node.errors import Exit
from node.founding import ModelUnusable
from node.model.requests import GenerateRequest
from node.parts import open_model
from node.settings import ModelSection
from tests.node.model.remote.servers import Ollama


async def test_a_node_asks_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOOT_MODEL_API_KEY", "sk-1")
    server = Ollama()
    async with server.running(), AsyncExitStack() as stack:
        section = ModelSection(file=f"{server.url}#toy:latest", parallel=3, timeout_ms=10_000)
        engine, report = await open_model(section, stack)
        assert (report()["state"], report()["restarts"], report()["bytes"]) == ("up", 0, 0)
        assert report()["name"].startswith("toy:latest (remote, 127.0.0.1:")
        assert (await engine.describe()).parallel == 3
        assert (await engine.generate(GenerateRequest(prompt="Which colour?"))).texts[0]
        assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer sk-1"}


async def test_a_server_that_is_not_there() -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(ModelUnusable, match="cannot be reached") as caught:
            await open_model(ModelSection(file="http://127.0.0.1:9/v1#toy"), stack)
    assert caught.value.exit_code is Exit.MODEL_SERVER
