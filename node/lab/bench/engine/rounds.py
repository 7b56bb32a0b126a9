"""Contenders measured in turns, round after round, so that whatever slows the machine slows them all alike."""

import math
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from node.lab.bench.engine import server
from node.lab.bench.engine.contenders import Contender, Ours, Player, PromptsDiffer, Run, fresh_prompts
from node.lab.bench.engine.server import Server
from node.lab.bench.engine.subjects import Subject
from node.lab.bench.measures import quantile

SERVER, CALL, OURS, BARE = Server.name, "llama_cpp.Llama", Ours.name, "bare loop"
NAMES = (SERVER, CALL, OURS, BARE)
CALLERS = (1, 4, 16, 32)
WAVES_MIN = 2
"""Answers of each caller, where all are answered together."""
SEED = 20


@dataclass(slots=True)
class Ladder:
    """What all contenders did with one model.

    Args:
        threads: of each forward pass.
        runs: by contender's name and number of callers, one a round.
        memory: of the process with the model, by contender and callers, bytes, after the first round.
        left_out: who could not be measured, and why.
    """

    subject: str
    threads: int
    runs: dict[tuple[str, int], list[Run]] = field(default_factory=dict)
    memory: dict[tuple[str, int], int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def rates(self, name: str, callers: int) -> list[float]:
        """Answers a second, one a round; empty for who was not measured with so many callers."""
        return [run.per_s for run in self.runs.get((name, callers), [])]

    def has_waits(self, name: str, callers: int) -> bool:
        return any(run.waits_s for run in self.runs.get((name, callers), []))

    def waits_ms(self, name: str, callers: int, share: float) -> float:
        waits = [wait for run in self.runs.get((name, callers), []) for wait in run.waits_s]
        return quantile(waits, share) * 1_000 if waits else math.nan


@dataclass(frozen=True, slots=True)
class Ratio:
    """Of two rates, round by round: the middle one, the least and the largest."""

    middle: float
    least: float
    largest: float

    @staticmethod
    def of(ours: Sequence[float], theirs: Sequence[float]) -> "Ratio":
        """Of at least one round."""
        found = sorted(one / other for one, other in zip(ours, theirs, strict=True))
        return Ratio(quantile(found, 0.5), found[0], found[-1])


def wanted(rate: float, callers: int, seconds: float, at_once: bool) -> int:
    """How many answers take about so long, in whole waves where callers are answered together.

    Args:
        rate: answers a second, as far as known.
        callers: every one asks at least once.
        seconds: for each measurement.
        at_once: whether the contender answers callers together.
    """
    count = math.ceil(rate * seconds)
    if not at_once:
        return max(count, callers)
    return max(WAVES_MIN, math.ceil(count / callers)) * callers


async def climb(subject: Subject, rounds: int, seconds: float, tick: Callable[[str], None]) -> Ladder:
    """Measure every contender at every number of callers, once a round.

    Args:
        subject: the model.
        rounds: how often.
        seconds: about so long for each measurement, the slowest contenders longer.
        tick: told what is measured.
    Raises:
        PromptsDiffer: two contenders would not do the same work.
    """
    ladder = Ladder(subject.name, subject.threads)
    async with AsyncExitStack() as stack:
        contenders = await _open(subject, ladder, stack, tick)
        await _compare_prompts(contenders)
        rates: dict[tuple[str, int], float] = {}
        for number in range(rounds):
            for callers in CALLERS:
                for contender in contenders:
                    if contender.name == CALL and callers > 1:
                        continue  # its callers take turns: as many answers a second as one gets
                    where = f"{subject.name}: round {number + 1} of {rounds}, {callers} callers, {contender.name}"
                    tick(where)
                    key = (contender.name, callers)
                    run = await _measure(contender, callers, seconds, rates, number)
                    tick(f"{where}: {run.per_s:.1f} answers a second")
                    ladder.runs.setdefault(key, []).append(run)
                    if number == 0 and (size := contender.memory()) is not None:  # before it had more callers
                        ladder.memory[key] = size
    return ladder


async def _open(
    subject: Subject, ladder: Ladder, stack: AsyncExitStack, tick: Callable[[str], None]
) -> list[Contender]:
    tick(f"{subject.name}: starting")
    contenders: list[Contender] = []

    def take(contender: Contender) -> None:
        contenders.append(contender)
        stack.push_async_callback(contender.close)

    if (reason := server.missing()) is None:
        take(await Server.open(subject))
    else:
        ladder.left_out[SERVER] = reason
    take(await Ours.open(subject))
    take(await Player.open(BARE, "bare", subject))
    take(await Player.open(CALL, "call", subject))
    return contenders


async def _compare_prompts(contenders: Sequence[Contender]) -> None:
    """The server is handed rendered texts: they must become the very tokens that we make of messages."""
    (prompt,) = fresh_prompts(1, random.Random(SEED))
    lengths = {
        contender.name: await contender.prompt_tokens(prompt)
        for contender in contenders
        if isinstance(contender, Ours | Server)
    }
    if len(set(lengths.values())) > 1:
        raise PromptsDiffer(f"one prompt is of different lengths: {lengths}")


async def _measure(
    contender: Contender, callers: int, seconds: float, rates: dict[tuple[str, int], float], number: int
) -> Run:
    """All contenders get the same prompts in the same round, as many of them as each has time for."""
    rng = random.Random(SEED * 1_000 + number * 100 + callers)
    key = (contender.name, callers if contender.at_once else 1)
    if key not in rates:  # never measured: a first run to warm up, of which only the rate is kept
        rates[key] = (await contender.run(callers, fresh_prompts(callers, random.Random(SEED)))).per_s
    run = await contender.run(callers, fresh_prompts(wanted(rates[key], callers, seconds, contender.at_once), rng))
    rates[key] = run.per_s
    return run
