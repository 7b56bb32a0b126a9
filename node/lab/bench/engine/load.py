"""Many callers of one engine, each asking again as soon as it is answered: how much comes out, and how soon."""

import asyncio
import random
import time
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from node.lab.bench.measures import quantile
from node.model.engine import Engine
from node.model.requests import AdapterUse, GenerateRequest, NextRequest, Sampling
from node.model.results import Account

MEDIAN, HIGH = 0.5, 0.95
TEMPERATURE = 0.7
WORDS = "apple river stone cloud green seven music paper light table horse north bread glass".split()


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one time of measurement.

    Args:
        seconds: from the first request to the last answer.
        waits_s: from request to answer, one per answer.
        account: all requests' together.
    """

    callers: int
    seconds: float
    waits_s: tuple[float, ...]
    account: Account

    @property
    def answers_per_s(self) -> float:
        return len(self.waits_s) / self.seconds

    @property
    def tokens_per_s(self) -> float:
        return self.account.generated_tokens / self.seconds

    @property
    def cached_share(self) -> float:
        """Of the prompts' tokens, how many were found evaluated already."""
        read = self.account.prompt_tokens + self.account.cached_tokens
        return self.account.cached_tokens / read if read else 0.0

    def wait_ms(self, share: float) -> float:
        return quantile(self.waits_s, share) * 1_000


def question(rng: random.Random) -> str:
    """Short, and hardly ever the same twice."""
    return f"What is {rng.randrange(1_000)} plus {rng.randrange(1_000)}?"


def words(rng: random.Random, characters: int) -> str:
    """A text of about this length that begins like no other."""
    found: list[str] = []
    while sum(map(len, found)) + len(found) < characters:
        found.append(rng.choice(WORDS))
    return " ".join(found)


def short_answers(tokens: int, seed: int, adapters: tuple[AdapterUse, ...] = ()) -> Iterator[GenerateRequest]:
    """Requests for one short answer each, without end."""
    rng = random.Random(seed)
    while True:
        sampling = Sampling(temperature=TEMPERATURE, seed=rng.randrange(2**32))
        yield GenerateRequest(prompt=question(rng), tokens_max=tokens, sampling=sampling, adapters=adapters)


async def measure(engine: Engine, requests: Iterator[GenerateRequest], callers: int, seconds: float) -> Load:
    """Let every caller ask for so long; answers that are under way then are waited for and counted.

    Raises:
        ModelError: a request failed; the others are given up.
    """
    waits: list[float] = []
    accounts: list[Account] = []
    began = time.perf_counter()

    async def call() -> None:
        while time.perf_counter() - began < seconds:
            asked = time.perf_counter()
            answer = await engine.generate(next(requests))
            waits.append(time.perf_counter() - asked)
            accounts.append(answer.account)

    await together([call() for _ in range(callers)])
    return Load(callers, time.perf_counter() - began, tuple(waits), total(accounts))


async def together(calls: list[Coroutine[None, None, None]]) -> None:
    """Await all; if one fails, so does this, and the others are cancelled."""
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def prompt_tokens_per_s(engine: Engine, tokens: int, seconds: float, seed: int) -> float:
    """How fast one caller's long prompts are read, of about so many tokens each; 0 where nothing is counted."""
    rng = random.Random(seed)
    sample = words(rng, 64)
    account = (await engine.next_tokens(NextRequest(prompt=sample, top=1))).account
    per_token = len(sample) / max(1, account.prompt_tokens + account.cached_tokens)
    read, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        request = NextRequest(prompt=words(rng, int(tokens * per_token)), top=1)
        read += (await engine.next_tokens(request)).account.prompt_tokens
    return read / (time.perf_counter() - began)


def total(accounts: list[Account]) -> Account:
    names = Account.__dataclass_fields__
    return Account(**{name: sum(getattr(account, name) for account in accounts) for name in names})


def memory_bytes(pid: int | None) -> int | None:
    """Proportional set size of a process: what it shares counts in equal parts. None where the system does not say."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return None
