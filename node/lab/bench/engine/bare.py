"""The limit: the same forward passes and draws as an engine needs, in a loop that does nothing else."""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from node.model.engine import LoadSettings
from node.model.llamacpp import memory
from node.model.llamacpp.context import Context
from node.model.llamacpp.model import Model
from node.model.llamacpp.sampler import Sampler
from node.model.requests import Sampling

WARM = Sampling(temperature=1.0)


@dataclass(frozen=True, slots=True)
class Limit:
    """What came of one measurement.

    Args:
        passes: forward passes, those of prompts among them.
        prompt_s: seconds of the prompts' passes.
        pass_s: seconds of the other passes.
        draw_s: seconds of drawing.
    """

    answers: int
    tokens: int
    passes: int
    seconds: float
    prompt_s: float
    pass_s: float
    draw_s: float

    @property
    def answers_per_s(self) -> float:
        return self.answers / self.seconds

    @property
    def tokens_per_s(self) -> float:
        return self.tokens / self.seconds

    @property
    def draw_us(self) -> float:
        """Of one token, in microseconds."""
        return self.draw_s / self.tokens * 1e6


def bare(path: Path, callers: int, answers: int, tokens: int, prompts: Sequence[str]) -> float:
    """Answers per second: `callers` at a time, all of the same length, none of whose prompts share anything."""
    return limit(path, callers, answers, tokens, prompts).answers_per_s


def limit(
    path: Path,
    callers: int,
    answers: int,
    tokens: int,
    prompts: Sequence[str],
    *,
    threads: int = 1,
    sampling: Sampling = WARM,
) -> Limit:
    """Answers that begin and end together, so that no place is ever empty.

    Args:
        path: a GGUF file.
        callers: how many answers are generated at a time.
        answers: how many in all; a multiple of callers.
        tokens: of each answer; the model's own end is passed over.
        prompts: messages, taken in turn.
        threads: of each forward pass.
        sampling: of each answer, but for the seed.
    """
    model = Model(path, LoadSettings(context_length=4_096, parallel=callers))
    rows = [model.vocabulary.prompt(prompt) for prompt in prompts]
    cells = callers * (max(map(len, rows)) + tokens)
    context = Context(model, callers, cells + 256, memory.BATCH_TOKENS, threads)
    times = [0.0, 0.0, 0.0]
    passes = 0
    turns = itertools.cycle(rows)
    started = time.perf_counter()
    for group in range(answers // callers):
        samplers = [context.sampler(sampling, group * callers + each) for each in range(callers)]
        passes += _group(context, [next(turns) for _ in range(callers)], samplers, tokens, times)
        for sampler in samplers:
            sampler.close()
        context.clear()
    seconds = time.perf_counter() - started
    context.close()
    model.close()
    done = answers // callers * callers
    return Limit(done, done * tokens, passes, seconds, *times)


def _group(context: Context, prompts: list[list[int]], samplers: list[Sampler], tokens: int, times: list[float]) -> int:
    """Generate one answer to each prompt. Returns the number of passes; adds to times: prompts, passes, draws."""
    clock = time.perf_counter
    drawn = [0] * len(prompts)
    passes = 0
    for batch in _batches(prompts, context.batch_tokens):
        began = clock()
        outputs = [index for index, part in enumerate(batch) if part[1] == len(prompts[part[2]]) - 1]
        token, position, sequence = zip(*batch, strict=True)
        context.decode(token, position, sequence, outputs)
        passed = clock()
        for index in outputs:
            drawn[sequence[index]] = samplers[sequence[index]].draw(index)
        times[0] += passed - began
        times[2] += clock() - passed
        passes += 1
    positions = [len(prompt) for prompt in prompts]
    everybody = range(len(prompts))
    for _ in range(tokens - 1):
        began = clock()
        context.decode(drawn, positions, everybody, everybody)
        passed = clock()
        drawn = [sampler.draw(index) for index, sampler in enumerate(samplers)]
        positions = [position + 1 for position in positions]
        times[1] += passed - began
        times[2] += clock() - passed
        passes += 1
    return passes


def _batches(prompts: list[list[int]], size: int) -> Iterator[list[tuple[int, int, int]]]:
    """All prompts' tokens as (token, position, sequence), cut where a pass is full."""
    parts = [
        (token, position, sequence) for sequence, prompt in enumerate(prompts) for position, token in enumerate(prompt)
    ]
    for start in range(0, len(parts), size):
        yield parts[start : start + size]
