"""Units of measure and ways of writing numbers: metric, time, binary, hexadecimal, Roman."""

import random
from collections.abc import Callable

from node.lab.skills.task import Task, choice, number, short

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
    "hex": ("What is hex {x} in decimal?", "Convert hex {x} to decimal.", "Which number is {x} in base 16?"),
    "Roman": (
        "What is the Roman numeral {x}?",
        "Which number is {x} in Roman numerals?",
        "Convert Roman {x} to a number.",
    ),
}
FROM_DECIMAL = {
    "binary": ("What is {n} in binary?", "Write {n} in base 2.", "Convert {n} to binary."),
    "hex": ("What is {n} in hex?", "Write {n} in base 16.", "Convert {n} to hex."),
    "Roman": ("What is {n} in Roman numerals?", "Write {n} as a Roman numeral.", "Convert {n} to Roman."),
}
LONGER = ("Which is more: {a} {b} or {c} {s}?", "Which is greater, {a} {b} or {c} {s}?")

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


def _parts(n: int, base: int) -> str:
    """What each digit is worth, left to right: 0b1011 is 8+2+1, 0x2a is 32+10."""
    parts, place = [], 1
    while n:
        n, digit = divmod(n, base)
        if digit:
            parts.append(str(digit * place))
        place *= base
    return "+".join(reversed(parts))


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
        return number(SKILL, rng.choice(TO_DECIMAL["binary"]).format(x=f"{n:b}"), n, _parts(n, 2))
    return short(SKILL, rng.choice(FROM_DECIMAL["binary"]).format(n=n), f"{n:b}", _parts(n, 2))


def _hex(rng: random.Random) -> Task:
    n = rng.randrange(10, 256)
    if rng.random() < 0.5:
        return number(SKILL, rng.choice(TO_DECIMAL["hex"]).format(x=f"{n:X}"), n, _parts(n, 16))
    return short(SKILL, rng.choice(FROM_DECIMAL["hex"]).format(n=n), f"{n:X}", _parts(n, 16))


def _roman(rng: random.Random) -> Task:
    n = rng.randrange(1, 40 if rng.random() < 0.5 else 200)
    if rng.random() < 0.5:
        return number(SKILL, rng.choice(TO_DECIMAL["Roman"]).format(x=roman(n)), n)
    return short(SKILL, rng.choice(FROM_DECIMAL["Roman"]).format(n=n), roman(n))


def _more(rng: random.Random) -> Task:
    large, small, ratio = rng.choice(SCALES)
    a = rng.randrange(2, 20)
    c = a * ratio + rng.choice((-1, 1)) * rng.randrange(1, ratio * (a - 1))
    options = (f"{a} {large}", f"{c} {small}")
    text = rng.choice(LONGER).format(a=a, b=large, c=c, s=small)
    return choice(rng, SKILL, text, options, options[0] if a * ratio > c else options[1], f"{a * ratio}")


FORMS: tuple[Callable[[random.Random], Task], ...] = (_scale, _scale, _binary, _hex, _roman, _more)


def ask(rng: random.Random) -> Task:
    """One question about units or number bases."""
    return rng.choice(FORMS)(rng)
