"""Training batches: many questions at once, tokenized, grouped by length so that little is padding."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from node.lab.skills import Task, held_out
from node.lab.training.tokens import END, START, encode, prompt, reply

ROUND = 16_384  # questions drawn per round; enough that batches of one length still mix skills
TOKENS = 2048  # per batch, padding included
IGNORED = -100  # target of a position that is not learned: the question and the padding

Asks = Mapping[str, Callable[[random.Random], Task]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Two int64 tensors of shape (batch, length): ids read, and the next ids or IGNORED."""

    tokens: Tensor
    targets: Tensor


def batches(seed: str, asks: Asks, weights: Mapping[str, float]) -> list[Batch]:
    """One round of questions from the training side of the split, skills in proportion to `weights`; shuffled."""
    rng = random.Random(seed)
    skills = rng.choices(list(weights), weights=list(weights.values()), k=ROUND)
    rows = []
    for task in (asks[skill](rng) for skill in skills):
        if not held_out(task.text):
            asked, told = encode(prompt(task)), encode(reply(task))
            rows.append(([START, *asked, *told, END], 1 + len(asked)))
    rows.sort(key=lambda row: len(row[0]))
    groups = []
    while rows:
        count = max(1, TOKENS // len(rows[-1][0]))
        groups.append(rows[-count:])
        del rows[-count:]
    rng.shuffle(groups)
    return [_batch(group) for group in groups]


def _batch(rows: list[tuple[list[int], int]]) -> Batch:
    """Pad rows of (ids, where the reply begins) to one length, a multiple of 8 for the matrix kernels."""
    length = -(-(max(len(ids) for ids, _ in rows) - 1) // 8) * 8
    tokens = np.full((len(rows), length), END, dtype=np.int64)
    targets = np.full((len(rows), length), IGNORED, dtype=np.int64)
    for i, (ids, begin) in enumerate(rows):
        tokens[i, : len(ids) - 1] = ids[:-1]
        targets[i, begin - 1 : len(ids) - 1] = ids[begin:]
    return Batch(torch.from_numpy(tokens), torch.from_numpy(targets))
