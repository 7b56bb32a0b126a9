"""Comparing and sorting numbers: greater or smaller, the largest of several, the second largest, all in order."""

import random
from collections.abc import Callable

from node.lab.skills.task import Task, choice, number, short

SKILL = "comparing"

GREATER = (
    "Is {a} greater than {b}?",
    "Is {a} more than {b}?",
    "Is the number {a} larger than {b}?",
    "Does {a} exceed {b}?",
)
SMALLER = ("Is {a} smaller than {b}?", "Is {a} less than {b}?", "Is the number {a} below {b}?")
LARGEST = ("Which is the largest: {l}?", "What is the greatest of {l}?", "Find the maximum of {l}.")
SMALLEST = ("Which is the smallest: {l}?", "What is the least of {l}?", "Find the minimum of {l}.")
SECOND = ("Which is the second largest: {l}?", "What is the second greatest of {l}?")
ASCENDING = ("Sort {l}.", "Put {l} in ascending order.", "Order from small to large: {l}.")
DESCENDING = ("Sort {l} downwards.", "Put {l} in descending order.", "Order from large to small: {l}.")


def _numbers(rng: random.Random, fewest: int, most: int) -> list[int]:
    """Distinct numbers, often near each other so that the first digit does not settle it."""
    count = rng.randint(fewest, most)
    limit = rng.choice((100, 1000))
    if limit > 100 and rng.random() < 0.3:
        low = rng.randrange(limit // 10, limit - 60)
        return rng.sample(range(low, low + 60), count)
    return rng.sample(range(1, limit), count)


def _listed(items: list[int]) -> str:
    return ", ".join(map(str, items))


def _two(rng: random.Random) -> Task:
    a, b = _numbers(rng, 2, 2)
    if rng.random() < 0.5:
        return choice(rng, SKILL, rng.choice(GREATER).format(a=a, b=b), ("yes", "no"), "yes" if a > b else "no")
    return choice(rng, SKILL, rng.choice(SMALLER).format(a=a, b=b), ("yes", "no"), "yes" if a < b else "no")


def _extreme(rng: random.Random) -> Task:
    items = _numbers(rng, 3, 4)
    largest = rng.random() < 0.5
    text = rng.choice(LARGEST if largest else SMALLEST).format(l=_listed(items))
    answer = max(items) if largest else min(items)
    if rng.random() < 0.5:
        return choice(rng, SKILL, text, tuple(map(str, items)), str(answer))
    return number(SKILL, text, answer)


def _second(rng: random.Random) -> Task:
    items = _numbers(rng, 3, 4)
    return number(SKILL, rng.choice(SECOND).format(l=_listed(items)), sorted(items)[-2])


def _sort(rng: random.Random) -> Task:
    items = _numbers(rng, 3, 4)
    down = rng.random() < 0.4
    text = rng.choice(DESCENDING if down else ASCENDING).format(l=_listed(items))
    return short(SKILL, text, _listed(sorted(items, reverse=down)))


FORMS: tuple[Callable[[random.Random], Task], ...] = (_two, _extreme, _extreme, _second, _sort, _sort)


def ask(rng: random.Random) -> Task:
    """One question of comparing or sorting."""
    return rng.choice(FORMS)(rng)
