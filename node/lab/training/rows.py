"""Rows of training: examples as token ids, drawn anew for each round, grouped by length so that little is padding."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from node.lab.skills import LEVELS, held_out, ways
from node.lab.training.plan import LEVEL_WEIGHTS, Course, asks_of
from node.lab.training.tokens import END, START, encode

BATCH_TOKENS = 4096  # padding included


@dataclass(frozen=True, slots=True)
class Row:
    """One example: all its ids, start and end included, and the place of the reply's first, which is learned."""

    ids: tuple[int, ...]
    begin: int


def row(asked: str, told: str) -> Row:
    """A prompt and its reply."""
    begin = (START, *encode(asked))
    return Row((*begin, *encode(told), END), len(begin))


def rows(course: Course, round_: int) -> list[Row]:
    """The examples of one round, skills in proportion to the course's weights, none of them held out.

    The same course and round give the same rows, so that a training that was stopped goes on as if it had not been.
    """
    rng = random.Random(f"{course.name}:{course.seed}:{round_}")
    asks = asks_of(course)
    skills = rng.choices(list(course.weights), weights=list(course.weights.values()), k=course.rows)
    levels = rng.choices(LEVELS, weights=LEVEL_WEIGHTS, k=course.rows)
    tasks = (asks[skill](rng, level) for skill, level in zip(skills, levels, strict=True))
    examples = (ways.example(rng, task) for task in tasks if not held_out(task))
    return [row(example.prompt, f"{example.reply}\n") for example in examples]


def grouped(rng: random.Random, examples: Sequence[Row]) -> list[list[Row]]:
    """Examples of about one length together, each group within BATCH_TOKENS; the groups in random order."""
    left = sorted(examples, key=lambda example: len(example.ids))
    groups = []
    while left:
        count = max(1, BATCH_TOKENS // len(left[-1].ids))
        groups.append(left[-count:])
        del left[-count:]
    rng.shuffle(groups)
    return groups
