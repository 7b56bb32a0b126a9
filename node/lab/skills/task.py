"""One question with its known answer, and the split that keeps some questions out of every training."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

Kind = Literal["choice", "number", "short"]

HELD_OUT_PERCENT = 10

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Task:
    """A question and its answer; `options` is empty unless `kind` is "choice", `work` is a worked step or ""."""

    skill: str
    text: str
    kind: Kind
    options: tuple[str, ...]
    answer: str
    work: str = ""


def normalized(text: str) -> str:
    """Lower case, single spaces, no closing mark: spellings that ask the same fall on one side of the split."""
    return " ".join(text.lower().split()).rstrip("?.! ")


def held_out(text: str) -> bool:
    """Whether no training may see this question: by a hash of its text, so that no list has to be kept or can leak."""
    digest = hashlib.sha256(normalized(text).encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT


def number(skill: str, text: str, answer: int, work: str = "") -> Task:
    """A question answered by a whole number."""
    return Task(skill, text, "number", (), str(answer), work)


def short(skill: str, text: str, answer: str, work: str = "") -> Task:
    """A question answered by a few letters or words."""
    return Task(skill, text, "short", (), answer, work)


def choice(rng: random.Random, skill: str, text: str, options: Sequence[str], answer: str, work: str = "") -> Task:
    """A question answered by one of `options`, which are put in a random order, so that no place is favoured."""
    assert answer in options, f"the answer {answer!r} is none of {options!r}"
    return Task(skill, text, "choice", tuple(rng.sample(options, len(options))), answer, work)


def other_than(rng: random.Random, items: Sequence[_T], *not_these: _T) -> _T:
    """A random item that is none of `not_these`."""
    while True:
        item = rng.choice(items)
        if item not in not_these:
            return item
