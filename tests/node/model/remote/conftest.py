"""Engines over servers of this machine."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest_asyncio

from node.model.remote.address import ServerAddress
from node.model.remote.engine import RemoteEngine, RemoteSettings
from tests.node.model.remote.servers import ToyServer

Start = Callable[..., Awaitable[RemoteEngine]]


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Start]:
    """Start a server and an engine that asks it."""
    async with AsyncExitStack() as stack:

        async def run(server: ToyServer, model: str = "toy", **settings: int) -> RemoteEngine:
            await stack.enter_async_context(server.running())
            address = ServerAddress.read(f"{server.url}#{model}")
            engine = RemoteEngine(address, RemoteSettings(**settings), environment={"MOOT_MODEL_API_KEY": "sk-secret"})
            stack.push_async_callback(engine.close)
            await engine.start()
            return engine

        yield run
