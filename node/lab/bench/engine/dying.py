"""What it costs when the model's process is killed in the middle of its work."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from node.lab.bench.engine.contenders import TOKENS, Ours, fresh_prompts
from node.lab.bench.engine.subjects import Subject
from node.model.errors import ModelDied
from node.model.local.process import ModelProcess
from node.model.requests import GenerateRequest

IN_FLIGHT = 32
DEATHS = 3
TRY_AGAIN_S = 0.005


@dataclass(frozen=True, slots=True)
class Death:
    """One kill under load.

    Args:
        lost: requests under way that failed with it; whoever asked knows at once and may ask again.
        noticed_ms: from the kill until the last of them was told.
        answer_ms: from the kill until a new request was answered.
    """

    in_flight: int
    lost: int
    noticed_ms: float
    answer_ms: float


async def die(subject: Subject, tick: Callable[[str], None]) -> tuple[Death, ...]:
    """Kill the process several times, each time with IN_FLIGHT requests under way."""
    ours = await Ours.open(subject)
    try:
        assert isinstance(ours.engine, ModelProcess), "a file was opened"
        deaths = []
        for number in range(DEATHS):
            tick(f"{subject.name}: kill {number + 1} of {DEATHS}")
            deaths.append(await _die_once(ours.engine, random.Random(number)))
        return tuple(deaths)
    finally:
        await ours.close()


async def _die_once(model: ModelProcess, rng: random.Random) -> Death:
    prompts = fresh_prompts(IN_FLIGHT, rng)
    tasks = [
        asyncio.create_task(model.generate(GenerateRequest(prompt=prompt, tokens_max=TOKENS))) for prompt in prompts
    ]
    while (await model.counts()).running == 0:  # the first of them are generating
        pass
    assert model.pid is not None, "it is up"
    killed = time.perf_counter()
    os.kill(model.pid, signal.SIGKILL)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    noticed = time.perf_counter()
    lost = 0
    for result in results:
        if isinstance(result, ModelDied):
            lost += 1
        elif isinstance(result, BaseException):
            raise result
    while True:
        try:
            await model.generate(GenerateRequest(prompt=prompts[0], tokens_max=TOKENS))
            break
        except ModelDied:
            await asyncio.sleep(TRY_AGAIN_S)
    answered = time.perf_counter()
    return Death(IN_FLIGHT, lost, (noticed - killed) * 1_000, (answered - killed) * 1_000)
