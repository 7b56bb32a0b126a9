"""Training batches: rows as tensors, what is not learned marked."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from node.lab.training.plan import Course
from node.lab.training.rows import Row, grouped, rows
from node.lab.training.tokens import END

IGNORED = -100  # target of a position that is not learned: the question and the padding
MULTIPLE = 8  # of which every length is one, for the matrix kernels


@dataclass(frozen=True, slots=True)
class Batch:
    """Two int64 tensors of shape (batch, length): ids read, and the next ids or IGNORED."""

    tokens: Tensor
    targets: Tensor


def batches(course: Course, round_: int) -> list[Batch]:
    """One round of a course, in random order; the same each time."""
    groups = grouped(random.Random(f"{course.name}:{course.seed}:{round_}:order"), rows(course, round_))
    return [batch(group) for group in groups]


def batch(examples: Sequence[Row]) -> Batch:
    """Examples padded to one length."""
    length = -(-(max(len(example.ids) for example in examples) - 1) // MULTIPLE) * MULTIPLE
    tokens = np.full((len(examples), length), END, dtype=np.int64)
    targets = np.full((len(examples), length), IGNORED, dtype=np.int64)
    for i, example in enumerate(examples):
        end = len(example.ids) - 1
        tokens[i, :end] = example.ids[:-1]
        targets[i, example.begin - 1 : end] = example.ids[example.begin :]
    return Batch(torch.from_numpy(tokens), torch.from_numpy(targets))
