"""How much time the batcher takes from the model: microseconds of Python per forward pass, with no model behind it."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from node.lab.bench.measures import quantile
from node.model.batch.batcher import Batcher
from node.model.batch.jobs import Drawn, Job, Room, Sample
from node.model.batch.plan import Plan, Purpose

SAMPLES = (1, 16, 32)
PASSES = 4_000
PROMPT_TOKENS = 120
COMMON_TOKENS = 60
"""All prompts begin with so many equal ones, as they do under one template and system prompt."""
ANSWER_TOKENS = 24
CACHED_PROMPTS = 64


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds per forward pass: all of the batcher's work, also for what begins and ends."""

    samples: int
    steady: float
    """Median, while nothing begins and nothing ends."""
    answers: float
    """Mean, while each answer that ends is followed by a new question."""

    def __str__(self) -> str:
        return f"{self.samples:3} running: {self.steady:6.1f} µs a pass; with short answers {self.answers:6.1f} µs"


def _room(samples: int) -> Room:
    return Room(
        sequences=2 * samples + CACHED_PROMPTS,
        cells=1 << 17,
        batch_tokens=512,
        running_max=samples,
        cached_cells_max=CACHED_PROMPTS * PROMPT_TOKENS,
        chunk_tokens=128,
    )


def _job(number: int, tokens_max: int) -> Job:
    prompt = (*range(COMMON_TOKENS), *range(number, number + PROMPT_TOKENS - COMMON_TOKENS))
    return Job(number, f"caller {number % 8}", prompt, (Sample(tokens_max),))


def _passes(batcher: Batcher, passes: int, next_job: Callable[[], Job]) -> list[float]:
    """Microseconds of each; a new job for each that ends."""
    took: list[float] = []
    while len(took) < passes:
        began = time.thread_time_ns()  # what other processes take is not counted
        plan = batcher.plan()
        between = time.thread_time_ns()
        assert plan is not None, "there is always something to do"
        drawn = _draw(plan)
        back = time.thread_time_ns()
        finished = batcher.passed(plan, drawn)
        for _ in finished:
            batcher.submit(next_job())
        took.append((between - began + time.thread_time_ns() - back) / 1_000)
    return took


def _draw(plan: Plan) -> list[Drawn]:
    return [Drawn(7, False) for one in plan.wanted if one.purpose is Purpose.DRAW]


def measure(samples: int, passes: int = PASSES) -> Cost:
    """Args: samples: that run at once."""
    numbers = iter(range(1, sys.maxsize))
    steady = Batcher(_room(samples))
    for _ in range(samples):
        steady.submit(_job(next(numbers), tokens_max=(1 << 17) // samples - PROMPT_TOKENS))
    _passes(steady, 2 * samples, lambda: _job(next(numbers), ANSWER_TOKENS))  # till all have begun
    busy = Batcher(_room(samples))
    for number in range(samples):
        busy.submit(_job(next(numbers), tokens_max=1 + number % ANSWER_TOKENS))  # they do not all end in one pass
    return Cost(
        samples,
        quantile(_passes(steady, passes, lambda: _job(next(numbers), ANSWER_TOKENS)), 0.5),
        sum(_passes(busy, passes, lambda: _job(next(numbers), ANSWER_TOKENS))) / passes,
    )


if __name__ == "__main__":
    for count in SAMPLES:
        print(measure(count))
