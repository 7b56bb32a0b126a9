"""What a node asks its model for when it has to answer: whose question it is, and how its people want it answered."""

import asyncio
from pathlib import Path
from typing import Any

from coordinator.events import Asked, ModelFailed
from coordinator.events import Generated as Answered
from coordinator.records import AnswerKind, Question
from node.model.engine import AdapterInfo, ModelInfo
from node.model.errors import ModelBusy, ModelError
from node.model.requests import AdapterUse, GenerateRequest, Sampling
from node.model.results import Account, End, Generated
from node.shell import ModelSettings, wall_ms
from tests.node.shells import shell_on
from tests.node.test_revoked import ALICE, ground_of
from tests.node.transport import peers

ADAPTER = AdapterUse(b"a" * 32)
INFO = ModelInfo("m", "none", 0, 64, b"m" * 32, 0, adapters=(AdapterInfo(b"a" * 32, "a", 0),))
ACCOUNT = Account(forward_passes=2, prompt_tokens=3, generated_tokens=4, model_us=5, waited_us=6)


class Scripted:
    """An engine that answers 4, or fails."""

    def __init__(self, error: ModelError | None = None) -> None:
        self.requests: list[GenerateRequest] = []
        self._error = error

    async def generate(self, request: GenerateRequest) -> Generated:
        self.requests.append(request)
        if self._error is not None:
            raise self._error
        return Generated(("4",) * request.samples, (End.STOP,) * request.samples, ACCOUNT)

    async def describe(self) -> ModelInfo:
        return INFO


async def asked(tmp_path: Path, engine: Scripted) -> Any:
    """What the model's answer, or its failure, became as an event."""
    ground = ground_of(tmp_path)
    events: asyncio.Queue[Any] = asyncio.Queue()
    async with peers.sending(peers.Failures(), node=ALICE) as outbox:
        shell = shell_on(ground, outbox, engine, ModelSettings(700, 64, adapters=(ADAPTER,)))  # type: ignore[arg-type]
        shell.post = events.put_nowait  # type: ignore[method-assign, assignment]
        shell.do(Asked(Question("What is 2 plus 2?", AnswerKind.NUMBER, (), 5_000, "", wall_ms(), bytes(16))))
        while not isinstance(event := await events.get(), Answered | ModelFailed):
            pass
        await shell.stop_generating()
    ground.store.close()
    return event


async def test_a_question_is_its_askers(tmp_path: Path) -> None:
    """The model's time is shared out by askers, so each request says whose it is; and the bill is the model's own."""
    engine = Scripted()
    answered = await asked(tmp_path, engine)
    [request] = engine.requests
    assert request.caller == ALICE.node.hex()
    assert request.sampling == Sampling(temperature=0.7, seed=answered.seed)
    assert (request.tokens_max, request.stop, request.adapters) == (64, ("\n",), (ADAPTER,))
    assert answered.texts == ("4",) * request.samples
    assert answered.model == INFO.weights
    assert answered.cost == ACCOUNT.cost()


async def test_what_the_model_cannot_do_is_said(tmp_path: Path) -> None:
    failed = await asked(tmp_path, Scripted(ModelBusy(64, "5 of them the same caller's")))
    assert isinstance(failed, ModelFailed)
    assert failed.reason == str(ModelBusy(64, "5 of them the same caller's"))
