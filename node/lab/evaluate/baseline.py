"""One member alone at a team's cost: how many samples that is, when more cannot change its answer, what they cost."""

import math
from dataclasses import dataclass

from node.lab.evaluate.case import Case, Draw, counts_of, favourite
from node.lab.evaluate.spent import Spent

SAMPLES_MAX = 100
"""Of one member on one question. Five samples of each of eight members cost about so many with their prompts; the
authors of self-consistency drew up to 40 (X. Wang et al., arXiv 2203.11171)."""
ROUND_SAMPLES_MIN = 8
"""Drawn at once, where so many may be missing: every further request evaluates the prompt anew."""


@dataclass(frozen=True, slots=True)
class Alone:
    """What one member answers by itself to one question.

    Args:
        samples: by which it answers. Of those that could change nothing any more not all were drawn.
        drawn: how many were.
        spent: on all the samples; those that were not drawn are as long as the mean of those that were.
    """

    answer: str | None
    samples: int
    drawn: int
    spent: Spent


def missing(case: Case, member: int, tokens: int, samples_max: int) -> int:
    """How many more samples, by the mean length of those that are there, reach so many tokens, within the limit."""
    pool = case.pool(member)
    if not pool.lengths:
        return 0
    short = tokens - case.drawn[member].spent.prompt_tokens - sum(pool.lengths)
    return max(0, min(samples_max - len(pool.answers), math.ceil(short / _mean(pool))))


def next_round(case: Case, member: int, tokens: int, samples_max: int) -> int:
    """How many samples to draw next: as few as may settle the answer; 0 where it is settled or nothing is missing.

    It is settled once the most frequent answer leads by more than all samples that are missing: whatever these would
    have been. P. Aggarwal et al., Adaptive-Consistency (arXiv 2305.11860), stop where that is only likely.
    """
    more = missing(case, member, tokens, samples_max)
    lead = _lead(case.pool(member))
    if lead > more or not more:
        return 0
    return min(more, max(ROUND_SAMPLES_MIN, (more - lead) // 2 + 1))


def alone_at(case: Case, member: int, tokens: int, parameters: int, samples_max: int) -> Alone:
    """What one member answers for at least so many tokens, or as many as the limit and what was drawn allow.

    Its prompt is counted once, as for any request of several samples.
    """
    pool = case.pool(member)
    prompt, generated, drawn = case.drawn[member].spent.prompt_tokens, 0, 0
    while drawn < len(pool.lengths) and (drawn == 0 or prompt + generated < tokens):
        generated += pool.lengths[drawn]
        drawn += 1
    if not drawn:
        return Alone(None, 0, 0, Spent())
    samples = drawn
    if prompt + generated < tokens:
        more = missing(case, member, tokens, samples_max)
        if _lead(pool) > more:
            samples += more
            generated += math.ceil(more * _mean(pool))
    share = samples / len(pool.lengths)
    spent = Spent(
        round(pool.spent.forward_passes * share),
        prompt,
        case.drawn[member].spent.cached_tokens,
        generated,
        pool.spent.seconds * share,
        (prompt + generated) * parameters,
    )
    return Alone(favourite(case.item, counts_of(pool.answers[:drawn])), samples, drawn, spent)


def _mean(pool: Draw) -> float:
    return max(1.0, sum(pool.lengths) / len(pool.lengths))


def _lead(pool: Draw) -> int:
    """Of the most frequent answer before the next."""
    first, second, *_ = [*(count for _, count in pool.counts), 0, 0]
    return first - second
