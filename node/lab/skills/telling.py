"""Ways to tell a question: forms filled in, with people in some of them, so that few numbers still make many texts."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from node.lab.skills.task import Kind, Task, choice, wrong_only

NAMES = (
    "Ann", "Bob", "Cleo", "Dan", "Eva", "Finn", "Gus", "Ida", "Jon", "Kim", "Leo", "Mia",
    "Ned", "Ora", "Pia", "Quin", "Ray", "Sue", "Tom", "Una", "Vic", "Wes", "Yan", "Zoe",
)  # fmt: skip
OPTIONS = 4
PEOPLED = 0.8  # share of texts with people, where there are both

T = TypeVar("T")


def told(rng: random.Random, forms: Sequence[str], **fields: object) -> str:
    """One of the forms, filled in; `{p}` becomes a person. Forms with people are preferred: they make more texts."""
    peopled = [form for form in forms if "{p}" in form]
    plain = [form for form in forms if "{p}" not in form]
    chosen = peopled if not plain or (peopled and rng.random() < PEOPLED) else plain
    return rng.choice(chosen).format(p=rng.choice(NAMES), **fields)


def either(
    rng: random.Random,
    skill: str,
    text: str,
    kind: Kind,
    answer: T,
    work: str,
    *,
    level: int,
    near: Sequence[T],
    others: Sequence[T],
    write: Callable[[T], str] = str,
) -> Task:
    """A question asked open or, as often, as a choice: the answer, one slip, and two of the `others`.

    `kind` is the open question's, "number" or "short"; at least one of `near` is not the answer; `others` are at least
    four that differ; `write` says how all of them are written.
    """
    wrong = wrong_only(write(answer), map(write, near))
    if rng.random() < 0.5:
        return Task(skill, text, kind, (), write(answer), work, level, wrong)
    slip = rng.choice([one for one in near if one != answer])
    rest = [other for other in rng.sample(others, OPTIONS) if other not in (answer, slip)]
    options = [write(one) for one in (answer, slip, *rest[: OPTIONS - 2])]
    return choice(rng, skill, text, options, write(answer), work, level=level)
