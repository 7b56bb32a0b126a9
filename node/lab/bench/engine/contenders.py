"""Who is measured: our engine, llama-cpp-python's server and its high-level call, and the bare loop as the limit."""

import asyncio
import json
import os
import random
import string
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from node.lab.bench.engine.load import memory_bytes, together
from node.lab.bench.engine.subjects import Subject
from node.model.engine import Engine, LoadSettings
from node.model.local.epitaph import kill
from node.model.local.process import ModelProcess
from node.model.local.settings import ProcessSettings
from node.model.opening import ModelFile, open_engine
from node.model.requests import GenerateRequest, Sampling

TOKENS = 24
PROMPT_CHARACTERS = 40
FULL_SHARE = 0.9
NICENESS = 5
"""As the process of our engine has: all alike."""
WAITING = {"OMP_WAIT_POLICY": "passive"}
"""In everybody's environment, as in our engine's: threads that wait for each other sleep. On a machine that has other
work too, llama.cpp with two threads is otherwise a hundred times as slow as with one."""
QUEUE_MAX, PATIENCE_MS = 1_024, 600_000
"""Nothing is refused or given up because this machine is slow."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one contender did.

    Args:
        tokens: of all answers; now and then one ends early by chance.
        waits_s: from question to answer, for each answer; empty where nobody waits for one alone.
    """

    tokens: int
    seconds: float
    waits_s: tuple[float, ...] = ()

    @property
    def per_s(self) -> float:
        """Answers of TOKENS tokens."""
        return self.tokens / TOKENS / self.seconds


class Contender(Protocol):
    """Something that answers prompts."""

    name: str
    at_once: bool
    """It answers several callers together; otherwise one after another."""

    async def run(self, callers: int, prompts: Sequence[str]) -> Run:
        """Answer all prompts, for so many callers, each with TOKENS tokens."""
        ...

    def memory(self) -> int | None:
        """Proportional set size of what runs the model, bytes."""
        ...

    async def close(self) -> None: ...


class PromptsDiffer(Exception):
    """Two contenders did not do the same work, so that there is nothing to compare."""


def full(name: str, tokens: int, answers: int) -> int:
    """The tokens, if hardly any of the answers ended early.

    Raises:
        PromptsDiffer: many did.
    """
    if tokens < FULL_SHARE * TOKENS * answers:
        raise PromptsDiffer(f"{name}: {answers} answers of {TOKENS} tokens have {tokens} together")
    return tokens


def fresh_prompts(count: int, rng: random.Random) -> list[str]:
    """Messages of equal length that begin differently: none may be spared work by another."""
    letters = string.ascii_lowercase
    return ["".join(rng.choice(letters) for _ in range(PROMPT_CHARACTERS)) for _ in range(count)]


class Ours:
    """The engine as a node uses it: a process of its own behind a pipe."""

    name, at_once = "moot", True

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._seeds = random.Random(7)

    @classmethod
    async def open(cls, subject: Subject) -> "Ours":
        load = LoadSettings(context_length=subject.context_length, threads=subject.threads)
        settings = ProcessSettings(
            queue_max=QUEUE_MAX,
            request_timeout_ms=PATIENCE_MS,
            hang_timeout_ms=PATIENCE_MS,
            start_timeout_ms=PATIENCE_MS,
        )
        return cls(await open_engine(ModelFile(subject.path), load, settings))

    async def run(self, callers: int, prompts: Sequence[str]) -> Run:
        waits: list[float] = []
        left, tokens = list(reversed(prompts)), 0

        async def call(caller: str) -> None:
            nonlocal tokens
            while left:
                sampling = Sampling(temperature=1.0, seed=self._seeds.randrange(2**32))
                request = GenerateRequest(prompt=left.pop(), tokens_max=TOKENS, sampling=sampling, caller=caller)
                asked = time.perf_counter()
                answer = await self.engine.generate(request)
                waits.append(time.perf_counter() - asked)
                tokens += answer.account.generated_tokens

        began = time.perf_counter()
        await together([call(str(number)) for number in range(callers)])
        seconds = time.perf_counter() - began
        return Run(full(self.name, tokens, len(prompts)), seconds, tuple(waits))

    async def prompt_tokens(self, prompt: str) -> int:
        account = (await self.engine.generate(GenerateRequest(prompt=prompt, tokens_max=1))).account
        return account.prompt_tokens + account.cached_tokens

    def memory(self) -> int | None:
        return memory_bytes(self.engine.pid) if isinstance(self.engine, ModelProcess) else None

    async def close(self) -> None:
        await self.engine.close()


class Player:
    """A loop in a process of its own, told over its stdin what to play: "bare" or "call" (see player.py)."""

    def __init__(self, name: str, kind: str, subject: Subject, process: asyncio.subprocess.Process) -> None:
        self.name, self.at_once = name, kind == "bare"
        self._kind, self._subject, self._process = kind, subject, process

    @classmethod
    async def open(cls, name: str, kind: str, subject: Subject) -> "Player":
        process = await asyncio.create_subprocess_exec(
            *("nice", "-n", str(NICENESS), sys.executable, "-m", "node.lab.bench.engine.player"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
            env=os.environ | WAITING,
        )
        return cls(name, kind, subject, process)

    async def run(self, callers: int, prompts: Sequence[str]) -> Run:
        order = {
            "kind": self._kind,
            "path": str(self._subject.path),
            "context_length": self._subject.context_length,
            "threads": self._subject.threads,
            "callers": callers,
            "prompts": list(prompts) if self.at_once else [self._subject.rendered(prompt) for prompt in prompts],
        }
        assert self._process.stdin is not None and self._process.stdout is not None, "it was started with pipes"
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: its process ended; what it said stands above")
        played = json.loads(line)
        return Run(full(self.name, played["tokens"], len(prompts)), played["seconds"], tuple(played["waits_s"]))

    def memory(self) -> int | None:
        return memory_bytes(self._process.pid)

    async def close(self) -> None:
        kill(self._process)
        await self._process.wait()
