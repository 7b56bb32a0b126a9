"""One question with its known answer, and the split that keeps some questions out of every training."""

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

Kind = Literal["choice", "number", "short"]

HELD_OUT_PERCENT = 10
LEVELS = (1, 2, 3)
"""Of difficulty: what fits in one step, what takes a few, and what even a good small model often gets wrong."""
NEAR_MAX = 4

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Task:
    """A question and its answer.

    Args:
        options: empty unless `kind` is "choice".
        work: a worked step that leads to the answer, or "".
        level: of difficulty, one of LEVELS.
        near: wrong answers that somebody might give, at least one; for training with others' mistakes.
    """

    skill: str
    text: str
    kind: Kind
    options: tuple[str, ...]
    answer: str
    work: str = ""
    level: int = 1
    near: tuple[str, ...] = ()


def normalized(text: str) -> str:
    """Lower case, single spaces, no closing mark: spellings that ask the same fall on one side of the split."""
    return " ".join(text.lower().split()).rstrip("?.! ")


def held_out(task: Task) -> bool:
    """Whether no training may see this question: by a hash, so that no list has to be kept or can leak.

    Text and options together are the question; the order of the options is not.
    """
    question = "\n".join((normalized(task.text), *sorted(map(normalized, task.options))))
    digest = hashlib.sha256(question.encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT


def number(skill: str, text: str, answer: int, work: str = "", *, level: int, near: Iterable[int]) -> Task:
    """A question answered by a whole number; `near` holds what slips lead to, as in `wrong_only`."""
    return Task(skill, text, "number", (), str(answer), work, level, wrong_only(str(answer), map(str, near)))


def short(skill: str, text: str, answer: str, work: str = "", *, level: int, near: Iterable[str]) -> Task:
    """A question answered by a few letters or words; `near` holds what slips lead to, as in `wrong_only`."""
    return Task(skill, text, "short", (), answer, work, level, wrong_only(answer, near))


def choice(
    rng: random.Random, skill: str, text: str, options: Sequence[str], answer: str, work: str = "", *, level: int
) -> Task:
    """A question answered by one of `options`, which are put in a random order, so that no place is favoured.

    The other options are the wrong answers that are near.
    """
    assert answer in options, f"the answer {answer!r} is none of {options!r}"
    near = wrong_only(answer, options)
    return Task(skill, text, "choice", tuple(rng.sample(options, len(options))), answer, work, level, near)


def wrong_only(answer: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """The first few candidates that differ, but for case and spaces, from the answer and from each other."""
    found: dict[str, str] = {}
    for candidate in candidates:
        found.setdefault(_folded(candidate), candidate)
    found.pop(_folded(answer), None)
    assert found, f"no wrong answer is near {answer!r}"
    return tuple(found.values())[:NEAR_MAX]


def _folded(text: str) -> str:
    return "".join(text.lower().split())


def other_than(rng: random.Random, items: Sequence[_T], *not_these: _T) -> _T:
    """A random item that is none of `not_these`."""
    while True:
        item = rng.choice(items)
        if item not in not_these:
            return item
