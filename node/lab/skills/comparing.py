"""Comparing and sorting numbers: greater or smaller, extremes, the second, the middle, how many above, all in order."""

import random
from collections.abc import Callable, Sequence

from node.lab.skills.task import Task, choice, number, short
from node.lab.skills.telling import told

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
SECOND_LEAST = ("Which is the second smallest: {l}?", "What is the second least of {l}?")
MEDIAN = ("What is the median of {l}?", "Which number is the middle one in size: {l}?")
ABOVE = ("How many of these are above {n}: {l}?", "How many of {l} are greater than {n}?")
BELOW = ("How many of these are below {n}: {l}?", "How many of {l} are less than {n}?")
ASCENDING = ("Sort {l}.", "Put {l} in ascending order.", "Order from small to large: {l}.")
DESCENDING = ("Sort {l} downwards.", "Put {l} in descending order.", "Order from large to small: {l}.")


def _numbers(rng: random.Random, count: int) -> list[int]:
    """Distinct numbers, often near each other so that the first digit does not settle it."""
    limit = rng.choice((100, 1000))
    if limit > 100 and rng.random() < 0.3:
        low = rng.randrange(limit // 10, limit - 60)
        return rng.sample(range(low, low + 60), count)
    return rng.sample(range(1, limit), count)


def _odd_numbers(rng: random.Random, count: int) -> list[float]:
    """Distinct numbers of which some are below zero, or with one digit after the point."""
    if rng.random() < 0.5:
        below = rng.randint(1, count)
        items = rng.sample(range(-99, 0), below) + rng.sample(range(40), count - below)
        return list(rng.sample(items, count))
    low = rng.randrange(0, 900)
    return [n / 10 for n in rng.sample(range(low, low + 100), count)]


def _listed(items: Sequence[float]) -> str:
    return ", ".join(map(str, items))


def _named(text: str, answer: float, work: str, level: int, near: Sequence[float]) -> Task:
    """A question answered by one of the numbers in it."""
    if isinstance(answer, int):
        return number(SKILL, text, answer, work, level=level, near=map(int, near))
    return short(SKILL, text, str(answer), work, level=level, near=map(str, near))


def _two(rng: random.Random, level: int) -> Task:
    """The worked step is how they stand to each other; the question may be the other way round."""
    a, b = _odd_numbers(rng, 2) if level == 3 else _numbers(rng, 2)
    greater = rng.random() < 0.5
    text = told(rng, GREATER if greater else SMALLER, a=a, b=b)
    answer = "yes" if (a > b) is greater else "no"
    return choice(rng, SKILL, text, ("yes", "no"), answer, f"{a}{'>' if a > b else '<'}{b}", level=level)


def _extreme(rng: random.Random, level: int) -> Task:
    """Of three; of four; of four with negative numbers or decimals."""
    items: Sequence[float] = _odd_numbers(rng, 4) if level == 3 else _numbers(rng, level + 2)
    largest = rng.random() < 0.5
    text = told(rng, LARGEST if largest else SMALLEST, l=_listed(items))
    order = sorted(items, reverse=largest)
    if rng.random() < 0.5:
        return choice(rng, SKILL, text, tuple(map(str, items)), str(order[0]), level=level)
    return _named(text, order[0], "", level, order[1:])


def _second(rng: random.Random, level: int) -> Task:
    """The worked step is the one before it."""
    items = _numbers(rng, rng.randint(3, 4))
    down = rng.random() < 0.6
    order = sorted(items, reverse=down)
    text = told(rng, SECOND if down else SECOND_LEAST, l=_listed(items))
    return number(SKILL, text, order[1], str(order[0]), level=level, near=(order[0], *order[2:]))


def _sort(rng: random.Random, level: int) -> Task:
    """Three; or five; or four with negative numbers or decimals."""
    items: Sequence[float] = _numbers(rng, 3)
    if level == 3:
        items = _numbers(rng, 5) if rng.random() < 0.6 else _odd_numbers(rng, 4)
    down = rng.random() < 0.4
    text = told(rng, DESCENDING if down else ASCENDING, l=_listed(items))
    order = sorted(items, reverse=down)
    at = rng.randrange(len(order) - 1)
    swapped = [*order[:at], order[at + 1], order[at], *order[at + 2 :]]
    near = (_listed(swapped), _listed(order[::-1]), _listed([order[1], order[0], *order[2:]]))
    return short(SKILL, text, _listed(order), level=level, near=near)


def _median(rng: random.Random, level: int) -> Task:
    """The worked step is the list in order, up to the middle."""
    items = _numbers(rng, 5)
    order = sorted(items)
    near = (order[3], order[1], items[2])
    text = told(rng, MEDIAN, l=_listed(items))
    return number(SKILL, text, order[2], _listed(order[:3]), level=level, near=near)


def _how_many(rng: random.Random, level: int) -> Task:
    """The worked step goes through the numbers and says of each whether it counts: `79y 48n`."""
    *items, limit = _numbers(rng, rng.randint(5, 6))
    above = rng.random() < 0.5
    counted = [(n > limit) is above for n in items]
    work = " ".join(f"{n}{'y' if counts else 'n'}" for n, counts in zip(items, counted, strict=True))
    text = told(rng, ABOVE if above else BELOW, n=limit, l=_listed(items))
    answer = sum(counted)
    near = (len(items) - answer, answer + 1, abs(answer - 1))
    return number(SKILL, text, answer, work, level=level, near=near)


FORMS: dict[int, tuple[Callable[[random.Random, int], Task], ...]] = {
    1: (_two, _extreme),
    2: (_extreme, _second, _sort),
    3: (_two, _extreme, _sort, _sort, _median, _how_many),
}


def ask(rng: random.Random, level: int) -> Task:
    """One question of comparing or sorting: two or three numbers; up to four; up to five, or other than whole."""
    return rng.choice(FORMS[level])(rng, level)
