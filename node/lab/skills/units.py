"""Units of measure and ways of writing numbers: metric, time, binary, Roman."""

import random
from collections.abc import Callable

from node.lab.skills.task import Task, number, short

SKILL = "units"

# (large, small, small per large)
SCALES = (
    ("km", "m", 1000),
    ("m", "cm", 100),
    ("cm", "mm", 10),
    ("m", "mm", 1000),
    ("kg", "g", 1000),
    ("g", "mg", 1000),
    ("t", "kg", 1000),
    ("l", "ml", 1000),
    ("hours", "minutes", 60),
    ("minutes", "seconds", 60),
    ("days", "hours", 24),
    ("weeks", "days", 7),
    ("years", "months", 12),
    ("dozens", "pieces", 12),
)
DOWN = ("How many {s} are {n} {b}?", "Convert {n} {b} to {s}.", "What is {n} {b} in {s}?", "Express {n} {b} in {s}.")
TO_DECIMAL = {
    "binary": ("What is binary {x} in decimal?", "Convert binary {x} to decimal.", "Which number is {x} in base 2?"),
    "Roman": (
        "What is the Roman numeral {x}?",
        "Which number is {x} in Roman numerals?",
        "Convert Roman {x} to a number.",
    ),
}
FROM_DECIMAL = {
    "binary": ("What is {n} in binary?", "Write {n} in base 2.", "Convert {n} to binary."),
    "Roman": ("What is {n} in Roman numerals?", "Write {n} as a Roman numeral.", "Convert {n} to Roman."),
}

ROMAN = (
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
)


def roman(n: int) -> str:
    """Subtractive Roman numeral of 1 to 399."""
    out = []
    for value, letters in ROMAN:
        out.append(letters * (n // value))
        n %= value
    return "".join(out)


def _doublings(n: int) -> str:
    """The values of a binary number's beginnings, each twice the last plus a digit: 1011 is `1 2 5 11`."""
    return " ".join(str(n >> shift) for shift in reversed(range(n.bit_length())))


def _halvings(n: int) -> str:
    """A number halved down to one; odd ones are the ones of its binary digits, last first: 11 is `11 5 2 1`."""
    return " ".join(str(n >> shift) for shift in range(n.bit_length()))


def _scale(rng: random.Random) -> Task:
    large, small, ratio = rng.choice(SCALES)
    n = rng.randrange(2, 13 if rng.random() < 0.5 else 100)
    if ratio not in (10, 100, 1000):
        n = rng.randrange(2, 13 if rng.random() < 0.6 else 26)
    form = rng.choice(DOWN)
    if rng.random() < 0.6:
        work = f"{n * (ratio // 10 * 10)}+{n * (ratio % 10)}" if ratio in (12, 24) else ""
        return number(SKILL, form.format(s=small, b=large, n=n), n * ratio, work)
    return number(SKILL, form.format(s=large, b=small, n=n * ratio), n)


def _binary(rng: random.Random) -> Task:
    n = rng.randrange(2, 16 if rng.random() < 0.4 else 64)
    if rng.random() < 0.5:
        return number(SKILL, rng.choice(TO_DECIMAL["binary"]).format(x=f"{n:b}"), n, _doublings(n))
    return short(SKILL, rng.choice(FROM_DECIMAL["binary"]).format(n=n), f"{n:b}", _halvings(n))


def _roman(rng: random.Random) -> Task:
    n = rng.randrange(1, 40 if rng.random() < 0.5 else 200)
    if rng.random() < 0.5:
        return number(SKILL, rng.choice(TO_DECIMAL["Roman"]).format(x=roman(n)), n)
    return short(SKILL, rng.choice(FROM_DECIMAL["Roman"]).format(n=n), roman(n))


FORMS: tuple[Callable[[random.Random], Task], ...] = (_scale, _scale, _binary, _roman)


def ask(rng: random.Random) -> Task:
    """One question about units or number bases."""
    return rng.choice(FORMS)(rng)
