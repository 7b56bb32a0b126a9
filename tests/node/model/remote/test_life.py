"""An engine over a server from its start to its end: what it waits for, how much at once, and who may give up."""

import asyncio
import contextlib
import json
from collections.abc import Callable

import pytest

from node.model.engine import Ability
from node.model.errors import ModelBusy, ModelTimeout
from node.model.remote.address import ServerAddress
from node.model.remote.engine import RemoteEngine, RemoteSettings
from node.model.remote.errors import ServerBusy, ServerError, ServerRefused, ServerUnreachable
from node.model.requests import GenerateRequest, Sampling
from tests.node.model.remote.answers import ASK, CHAT, HANGS, text
from tests.node.model.remote.conftest import Start
from tests.node.model.remote.servers import Body, Ollama, Reply, ToyServer, as_json, refusal


async def test_a_busy_server_is_asked_again_when_it_says(start: Start) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: refusal(429, "slow down", retry_after="0")] * 2
    assert (await engine.generate(ASK)).texts[0]
    server.instead[CHAT] = [lambda _: refusal(503, "loading", retry_after="3600")]
    with pytest.raises(ServerBusy, match="status 503"):
        await engine.generate(ASK)


async def test_a_kept_connection_that_was_closed_is_opened_again(start: Start) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: Reply(200, {}, (json.dumps(text()).encode(),), closes=True)]
    assert (await engine.generate(ASK)).texts == (" red",)
    assert (await engine.generate(ASK)).texts[0]


async def test_who_gives_up_closes_the_request(start: Start) -> None:
    """The server can then stop working for it."""
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.slow = asyncio.Event()
    request = asyncio.create_task(
        engine.generate(GenerateRequest(prompt="a", samples=3, sampling=Sampling(temperature=1)))
    )
    stream = engine.stream(ASK)
    streamed = asyncio.ensure_future(anext(stream))
    await until(lambda: server.under_way == 4)
    request.cancel()
    streamed.cancel()
    await asyncio.gather(request, streamed, return_exceptions=True)
    await until(lambda: server.broken_off == 4)
    server.slow = None
    assert (await engine.generate(ASK)).texts[0]


async def test_a_failed_sample_ends_the_others(start: Start) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.instead[CHAT] = [lambda _: HANGS, lambda _: refusal(500, "boom"), lambda _: HANGS]
    with pytest.raises(ServerRefused, match="boom"):
        await engine.generate(GenerateRequest(prompt="a", samples=3, sampling=Sampling(temperature=1)))
    await until(lambda: server.broken_off == 2)


async def test_only_so_many_at_once(start: Start) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest", parallel=3, queue_max=2)
    server.slow = asyncio.Event()
    server.under_way_max = 0
    many = GenerateRequest(prompt="a", samples=10, sampling=Sampling(temperature=1))
    requests = [asyncio.create_task(engine.generate(many)) for _ in range(2)]
    await until(lambda: server.under_way == 3)
    with pytest.raises(ModelBusy, match="2 requests"):
        await engine.generate(ASK)
    server.slow.set()
    results = await asyncio.gather(*requests)
    assert [len(result.texts) for result in results] == [10, 10]
    assert server.under_way_max == 3
    assert max(result.account.waited_us for result in results) > 0


async def test_closing_fails_what_is_under_way(start: Start) -> None:
    server = Ollama()
    engine = await start(server, "toy:latest")
    server.slow = asyncio.Event()
    request = asyncio.create_task(engine.generate(ASK))
    await until(lambda: server.under_way == 1)
    await engine.close()
    with pytest.raises(ServerUnreachable, match="closed"):
        await request
    with pytest.raises(ServerUnreachable, match="closed"):
        await engine.generate(ASK)
    await engine.close()


async def test_whether_it_is_up_is_told(start: Start) -> None:
    told: list[tuple[bool, str]] = []
    server = Ollama()
    async with server.running():
        address = ServerAddress.read(f"{server.url}#toy:latest")
        engine = RemoteEngine(address, environment={}, on_state=lambda up, reason: told.append((up, reason)))
        await engine.start()
        assert all("authorization" not in asked.headers for asked in server.asked)
    with pytest.raises(ServerUnreachable, match="check that it runs"):
        await engine.generate(ASK)
    await engine.close()
    assert [up for up, _ in told] == [True, False]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"/v1/models": refusal(404, "what?")}, "mostly ends with /v1", id="another address"),
        pytest.param({"/v1/models": refusal(401, "no key")}, "MOOT_MODEL_API_KEY", id="a key is wanted"),
        pytest.param({"/v1/models": as_json({"data": 7})}, "no model 'toy'", id="no list"),
        pytest.param(
            {"/v1/models": as_json({"data": [{"id": "b"}, 7, {}, {"id": "a\x1b"}]})}, "after the #: b", id="others"
        ),
        pytest.param({CHAT: refusal(500, "boom"), "/v1/completions": refusal(500, "bang")}, "boom", id="cannot run"),
        pytest.param({CHAT: as_json({}), "/v1/completions": as_json({})}, "choices", id="does not answer as one"),
    ],
)
async def test_starting_says_what_is_wrong(start: Start, change: dict[str, Reply], said: str) -> None:
    class Changed(ToyServer):
        def reply(self, path: str, body: Body) -> Reply:
            return change[path] if path in change else super().reply(path, body)

    with pytest.raises(ServerError, match=said):
        await start(Changed())


async def test_a_server_that_goes_away_while_it_is_tried_out(start: Start) -> None:
    """Otherwise it would be taken for one that can do little, for as long as the node runs."""

    class Leaves(Ollama):
        def reply(self, path: str, body: Body) -> Reply:
            if "n" in body:
                self.over.set()
            return Reply(200, {}, (b"{",), 100, closes=True) if self.over.is_set() else super().reply(path, body)

    with pytest.raises(ServerUnreachable):
        await start(Leaves(), "toy:latest")


async def test_a_server_that_hangs_up_over_what_it_does_not_know(start: Start) -> None:
    class Rude(Ollama):
        def reply(self, path: str, body: Body) -> Reply:
            gone = Reply(200, {}, (b"{",), 100, closes=True)
            return gone if "logprobs" in body or "input" in body else super().reply(path, body)

    info = await (await start(Rude(), "toy:latest")).describe()
    assert info.abilities == {Ability.SAMPLE, Ability.STREAM, Ability.GRAMMAR}


@pytest.mark.parametrize("path", ["/v1/models", CHAT])
async def test_starting_has_an_end(start: Start, path: str) -> None:
    server = ToyServer()
    server.instead[path] = [lambda _: HANGS]
    with pytest.raises(ModelTimeout, match="300 ms"):
        await start(server, start_timeout_ms=300)


async def test_nobody_listens() -> None:
    engine = RemoteEngine(ServerAddress.read("http://127.0.0.1:9/v1#toy"), RemoteSettings(), environment={})
    with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:9 cannot be reached.*check that it runs"):
        await engine.start()


async def test_a_key_that_cannot_be_one_is_not_sent() -> None:
    environment = {"MOOT_MODEL_API_KEY": "sk-a\nsk-b"}
    engine = RemoteEngine(ServerAddress.read("http://127.0.0.1:9/v1#toy"), environment=environment)
    with pytest.raises(ServerError, match="characters that no key has") as caught:
        await engine.start()
    assert "sk-" not in str(caught.value)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.005)
