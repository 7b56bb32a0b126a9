"""What it is worth that work is shared: candidates scored together, and beginnings of prompts kept for later."""

import random
import string
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from node.lab.bench.engine.contenders import TOKENS, Ours, fresh_prompts
from node.lab.bench.engine.load import together
from node.lab.bench.engine.subjects import Subject
from node.lab.bench.measures import quantile
from node.model.engine import Engine
from node.model.requests import GenerateRequest, Sampling, ScoreRequest
from node.model.results import Account

CANDIDATES = 8
CANDIDATE_CHARACTERS = 8
PROMPT_TOKENS = 100
PREFIX_TOKENS = 500
CALLERS = 16
SCORINGS, WAVES = 5, 2
SEED = 30


@dataclass(frozen=True, slots=True)
class Scoring:
    """Median milliseconds, and forward passes, of scoring CANDIDATES answers to one prompt.

    Args:
        together_ms, together_passes: in one request.
        apart_ms, apart_passes: in as many requests, one after another.
    """

    prompt_seen: bool
    together_ms: float
    together_passes: int
    apart_ms: float
    apart_passes: int


@dataclass(frozen=True, slots=True)
class Prefix:
    """Answers a second to prompts of PREFIX_TOKENS and more, of CALLERS callers, and the share of tokens found."""

    fresh_per_s: float
    shared_per_s: float
    shared_cached: float


@dataclass(frozen=True, slots=True)
class Crowding:
    """Answers a second to short prompts of CALLERS callers, with little kept and with as much as is kept at most.

    llama.cpp looks at all cells up to the last one in use, whoever's they are.
    """

    empty_per_s: float
    full_per_s: float
    kept_tokens: int


def _text(rng: random.Random, characters: int) -> str:
    return "".join(rng.choice(string.ascii_lowercase) for _ in range(characters))


async def characters_per_token(ours: Ours) -> float:
    """Of texts of random letters."""
    text = _text(random.Random(SEED), 100)
    return len(text) / await ours.prompt_tokens(text)


async def scoring(engine: Engine, characters: int, *, prompt_seen: bool) -> Scoring:
    """Args: prompt_seen: each prompt was asked about before, so that it may be found evaluated."""
    rng = random.Random(SEED + prompt_seen)
    together_ms, apart_ms, passes = [], [], [0, 0]
    for _ in range(SCORINGS):
        candidates = tuple(_text(rng, CANDIDATE_CHARACTERS) for _ in range(CANDIDATES))
        seen = _text(rng, characters)
        # Without a prompt seen before each request gets a new one, of the same length.
        prompts = [seen if prompt_seen else _text(rng, characters) for _ in range(CANDIDATES + 1)]
        if prompt_seen:
            await _score(engine, seen, candidates)
        took, account = await _timed(_score(engine, prompts[0], candidates))
        together_ms.append(took)
        passes[0] = account.forward_passes
        accounts = []
        began = time.perf_counter()
        for prompt, candidate in zip(prompts[1:], candidates, strict=True):
            accounts.append(await _score(engine, prompt, (candidate,)))
        apart_ms.append((time.perf_counter() - began) * 1_000)
        passes[1] = sum(account.forward_passes for account in accounts)
    return Scoring(prompt_seen, quantile(together_ms, 0.5), passes[0], quantile(apart_ms, 0.5), passes[1])


async def _score(engine: Engine, prompt: str, candidates: tuple[str, ...]) -> Account:
    return (await engine.score(ScoreRequest(prompt=prompt, continuations=candidates))).account


async def _timed(work: Awaitable[Account]) -> tuple[float, Account]:
    began = time.perf_counter()
    account = await work
    return (time.perf_counter() - began) * 1_000, account


async def prefix(engine: Engine, characters: int) -> Prefix:
    """Args: characters: of the beginning that prompts share, or do not."""
    rng = random.Random(SEED)
    count = CALLERS
    fresh = [_text(rng, characters) + prompt for prompt in fresh_prompts(count, rng)]
    common = _text(rng, characters)
    shared = [common + prompt for prompt in fresh_prompts(count, rng)]
    fresh_per_s, _ = await _answers(engine, fresh)
    await _answers(engine, shared[:1])
    shared_per_s, accounts = await _answers(engine, shared)
    found = sum(account.cached_tokens for account in accounts)
    return Prefix(fresh_per_s, shared_per_s, found / (found + sum(account.prompt_tokens for account in accounts)))


async def _answers(engine: Engine, prompts: Sequence[str]) -> tuple[float, list[Account]]:
    """Answers a second of CALLERS callers, and what each answer took."""
    left, accounts = list(reversed(prompts)), []

    async def call() -> None:
        while left:
            request = GenerateRequest(prompt=left.pop(), tokens_max=TOKENS, sampling=Sampling(temperature=1.0))
            accounts.append((await engine.generate(request)).account)

    began = time.perf_counter()
    await together([call() for _ in range(CALLERS)])
    return len(prompts) / (time.perf_counter() - began), accounts


async def crowding(engine: Engine, characters: int, kept_max: int) -> Crowding:
    """Args: characters: of each of the long prompts that are left behind; kept_max: stop after so many tokens."""
    rng = random.Random(SEED)
    short = fresh_prompts(CALLERS * WAVES * 2, rng)
    empty_per_s, _ = await _answers(engine, short[: len(short) // 2])
    kept = 0
    while kept < kept_max:
        request = GenerateRequest(prompt=_text(rng, characters), tokens_max=1)
        kept += (await engine.generate(request)).account.prompt_tokens
    full_per_s, _ = await _answers(engine, short[len(short) // 2 :])
    return Crowding(empty_per_s, full_per_s, kept)


@dataclass(frozen=True, slots=True)
class Shared:
    """All that was measured with one model; None where its context is too short."""

    subject: str
    scorings: tuple[Scoring, ...]
    prefix: Prefix | None
    crowding: Crowding | None


KEPT_TOKENS = 4_000


async def share(subject: Subject, tick: Callable[[str], None]) -> Shared:
    """Measure what sharing is worth with one model. A fresh process for each part: nothing is kept from before."""
    scorings, found, crowded = [], None, None
    for seen in (False, True):
        tick(f"{subject.name}: scores, {'again' if seen else 'new'} prompts")
        ours = await Ours.open(subject)
        try:
            characters = int(PROMPT_TOKENS * await characters_per_token(ours))
            scorings.append(await scoring(ours.engine, characters, prompt_seen=seen))
        finally:
            await ours.close()
    if subject.context_length > PREFIX_TOKENS * 2:
        ours = await Ours.open(subject)
        try:
            characters = int(PREFIX_TOKENS * await characters_per_token(ours))
            tick(f"{subject.name}: shared beginnings")
            found = await prefix(ours.engine, characters)
        finally:
            await ours.close()
        ours = await Ours.open(subject)
        try:
            tick(f"{subject.name}: beside much that is kept")
            crowded = await crowding(ours.engine, characters, KEPT_TOKENS)
        finally:
            await ours.close()
    return Shared(subject.name, tuple(scorings), found, crowded)
