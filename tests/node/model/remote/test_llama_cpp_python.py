"""A real server: llama-cpp-python's, with a model of the package."""

import asyncio
import math
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from node.lab.demo_federation import kept_ports
from node.model import reference
from node.model.engine import Ability
from node.model.errors import AbilityMissing
from node.model.remote.address import ServerAddress
from node.model.remote.engine import RemoteEngine
from node.model.remote.errors import ServerError, ServerRefused
from node.model.requests import GenerateRequest, Grammar, NextRequest, Sampling, ScoreRequest
from node.model.results import End, Generated

PROMPT = "What is 17 plus 25?"
START_S = 100.0
ENDLESS = Grammar("gbnf", "root ::= [0-9]*")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the model's server."""
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(reference.path("sage"))]
    command += ["--host", "127.0.0.1", "--logits_all", "true", "--n_threads", "1", "--n_ctx", "256"]
    log = Path(tmp_path_factory.mktemp("server") / "log")
    with (
        log.open("wb") as out,
        kept_ports(1) as [port],
        subprocess.Popen([*command, "--port", str(port), "--model_alias", "sage"], stdout=out, stderr=out) as running,
    ):
        try:
            yield f"http://127.0.0.1:{port}/v1#sage"
        finally:
            running.kill()


@pytest_asyncio.fixture
async def engine(served: str) -> AsyncIterator[RemoteEngine]:
    await listens(served.partition("#")[0])
    made = RemoteEngine(ServerAddress.read(served), environment={})
    await made.start()
    yield made
    await made.close()


async def listens(url: str) -> None:
    async with asyncio.timeout(START_S), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                (await client.get(f"{url}/models")).raise_for_status()
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
            else:
                return


async def test_its_abilities_are_found_out(engine: RemoteEngine) -> None:
    info = await engine.describe()
    assert info.abilities == {
        Ability.SAMPLE,
        Ability.STREAM,
        Ability.LIKELIHOOD,
        Ability.NEXT,
        Ability.GRAMMAR,
    }
    assert info.name.startswith("sage (remote, 127.0.0.1:")
    assert info.parallel == 1


async def test_generate(engine: RemoteEngine) -> None:
    request = GenerateRequest(prompt=PROMPT, samples=3, tokens_max=12, likelihood=True)
    made = await engine.generate(request)
    assert made.texts[0]
    assert set(made.texts) == {made.texts[0]}, "greedy"
    assert made.account.generated_tokens == 12
    assert made.account.prompt_tokens > 10
    warm = await engine.generate(
        GenerateRequest(prompt=PROMPT, samples=4, tokens_max=12, sampling=Sampling(temperature=2))
    )
    assert len(set(warm.texts)) > 1
    assert warm.account.prompt_tokens == 4 * made.account.prompt_tokens, "this server shares nothing between samples"


async def test_likelihoods_are_the_models(engine: RemoteEngine) -> None:
    """The first token's likelihood is told twice: with the text, and among the likeliest next ones."""
    one = await engine.generate(GenerateRequest(prompt=PROMPT, tokens_max=1, likelihood=True))
    found = await engine.next_tokens(NextRequest(prompt=PROMPT, top=5))
    assert found.tokens[0].text.decode() == one.texts[0]
    assert found.tokens[0].logprob == pytest.approx(one.logprobs[0], abs=0.05)
    assert len(found.tokens) == 5
    assert 0.5 < sum(math.exp(token.logprob) for token in found.tokens) <= 1.0 + 1e-6


async def test_stream(engine: RemoteEngine) -> None:
    request = GenerateRequest(prompt=PROMPT, samples=2, tokens_max=12, likelihood=True)
    *pieces, last = [item async for item in engine.stream(request)]
    assert isinstance(last, Generated)
    told = [
        "".join(piece.text for piece in pieces if not isinstance(piece, Generated) and piece.sample == i)
        for i in (0, 1)
    ]
    assert told == list(last.texts)
    assert len(pieces) > 2
    whole = await engine.generate(request)
    assert (last.texts, last.ends) == (whole.texts, whole.ends)
    assert last.logprobs == pytest.approx(whole.logprobs, abs=0.1)


async def test_grammars(engine: RemoteEngine) -> None:
    made = await engine.generate(GenerateRequest(prompt=PROMPT, grammar=Grammar("gbnf", 'root ::= "forty" | "fifty"')))
    assert made.texts[0] in ("forty", "fifty")
    assert made.ends == (End.MODEL,)
    schema = '{"type": "object", "properties": {"a": {"enum": [42]}}, "required": ["a"]}'
    made = await engine.generate(GenerateRequest(prompt=PROMPT, grammar=Grammar("json_schema", schema)))
    assert made.texts[0].replace(" ", "") == '{"a":42}'


async def test_bare_text_and_what_it_cannot(engine: RemoteEngine) -> None:
    made = await engine.generate(GenerateRequest(prompt="one two three", raw=True, tokens_max=4))
    assert len(made.texts[0]) > 0
    with pytest.raises(AbilityMissing, match="given texts"):
        await engine.score(ScoreRequest(prompt=PROMPT, continuations=("42",)))
    with pytest.raises(ServerRefused, match="context"):
        await engine.generate(GenerateRequest(prompt="too long " * 500))


async def test_who_gives_up_leaves_a_server_that_goes_on(engine: RemoteEngine) -> None:
    async def listen() -> None:
        async for _ in engine.stream(GenerateRequest(prompt=PROMPT, tokens_max=200, grammar=ENDLESS)):
            heard.set()

    heard = asyncio.Event()
    listening = asyncio.create_task(listen())
    await asyncio.wait_for(heard.wait(), 30)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert listening.cancelled()
    assert (await engine.generate(GenerateRequest(prompt=PROMPT, tokens_max=2))).texts[0]


async def test_another_name_and_another_address(served: str, engine: RemoteEngine) -> None:
    for address, said in (("#sage", "#sages"), "after the #: sage"), (("/v1#", "#"), "no list of models"):
        wrong = RemoteEngine(ServerAddress.read(served.replace(*address)), environment={})
        with pytest.raises(ServerError, match=said):
            await wrong.start()
