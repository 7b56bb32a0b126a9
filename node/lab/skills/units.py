"""Units of measure and ways of writing numbers: metric, time, mixed units, binary, hexadecimal, Roman."""

import random
from collections.abc import Callable

from node.lab.skills.arithmetic import product_work, quotient_work
from node.lab.skills.task import Task, number
from node.lab.skills.telling import either, told

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
METRIC = (10, 100, 1000)
SCALE = (
    "How many {s} are {n} {b}?",
    "Convert {n} {b} to {s}.",
    "What is {n} {b} in {s}?",
    "Express {n} {b} in {s}.",
    "{p} notes {n} {b}. How many {s} is that?",
    "{p} has {n} {b} and wants to know: how many {s} is that?",
    "{p} counts {n} {b}. Tell it in {s}.",
    "{p} writes down {n} {b}. What is that in {s}?",
)
MIXED = (
    "How many {s} are {n} {b} and {r} {s}?",
    "Convert {n} {b} and {r} {s} to {s}.",
    "What is {n} {b} and {r} {s} in {s}?",
    "{p} notes {n} {b} and {r} {s}. How many {s} is that?",
)
LEFT = (
    "{t} {s} are {n} {b} and how many {s}?",
    "{p} takes {n} {b} from {t} {s}. How many {s} are left?",
)
TO_DECIMAL = {
    "binary": (
        "What is binary {x} in decimal?",
        "Convert binary {x} to decimal.",
        "Which number is written {x} in base 2?",
        "{p} reads binary {x}. What is it in decimal?",
        "{p} types {x} in base 2. Which number is it?",
        "{p} sees binary {x}. Which decimal number is it?",
    ),
    "hexadecimal": (
        "What is hexadecimal {x} in decimal?",
        "Convert hexadecimal {x} to decimal.",
        "Which number is written {x} in base 16?",
        "{p} reads hexadecimal {x}. What is it in decimal?",
        "{p} types {x} in base 16. Which number is it?",
        "{p} sees hexadecimal {x}. Which decimal number is it?",
    ),
    "Roman": (
        "What is the Roman numeral {x}?",
        "Which number is {x} in Roman numerals?",
        "Convert Roman {x} to a number.",
        "{p} reads the Roman numeral {x}. Which number is it?",
        "{p} sees Roman {x} on a stone. Which number is it?",
        "{p} finds {x} in Roman numerals. Which number is it?",
    ),
}
FROM_DECIMAL = {
    "binary": (
        "What is {n} in binary?",
        "Write {n} in base 2.",
        "Convert {n} to binary.",
        "{p} wants {n} in binary. What is it?",
        "{p} thinks of {n}. What is that in base 2?",
        "How does {p} write {n} in binary?",
    ),
    "hexadecimal": (
        "What is {n} in hexadecimal?",
        "Write {n} in base 16.",
        "Convert {n} to hexadecimal.",
        "{p} wants {n} in hexadecimal. What is it?",
        "{p} thinks of {n}. What is that in base 16?",
        "How does {p} write {n} in hexadecimal?",
    ),
    "Roman": (
        "What is {n} in Roman numerals?",
        "Write {n} as a Roman numeral.",
        "Convert {n} to Roman.",
        "{p} wants {n} in Roman numerals. What is it?",
        "{p} thinks of {n}. What is that in Roman numerals?",
        "How does {p} write {n} as a Roman numeral?",
    ),
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


def _in_small(n: int, ratio: int) -> str:
    """Steps from a larger unit to a smaller one; sixty times is six times and a zero."""
    return "" if ratio in METRIC else product_work(n, 6 if ratio == 60 else ratio)


def _in_large(n: int, ratio: int) -> str:
    """Steps from a smaller unit to a larger one; a sixtieth is a sixth without the zero."""
    return "" if ratio in METRIC else quotient_work(n // 10, 6) if ratio == 60 else quotient_work(n, ratio)


def _scale(rng: random.Random, level: int) -> Task:
    large, small, ratio = rng.choice(SCALES)
    numbers = range(2, 13) if level == 1 else range(13, 100 if ratio in METRIC else 41)
    n = rng.choice(numbers)
    whole = n * ratio
    if rng.random() < 0.6:
        slips = (whole * 10, whole // 10) if ratio in METRIC else (whole + 10, n * 10)
        near = (*slips, whole + ratio, whole - ratio)
        others = [other * ratio for other in numbers]
        text, work = told(rng, SCALE, s=small, b=large, n=n), _in_small(n, ratio)
        return either(rng, SKILL, text, "number", whole, work, level=level, near=near, others=others)
    text, near = told(rng, SCALE, s=large, b=small, n=whole), (n * 10, n + 1, n - 1, n + 10)
    return either(rng, SKILL, text, "number", n, _in_large(whole, ratio), level=level, near=near, others=numbers)


def _mixed(rng: random.Random, level: int) -> Task:
    """A larger and a smaller unit in the smaller; or how much of a smaller one is over whole larger ones."""
    large, small, ratio = rng.choice(SCALES)
    n, rest = rng.randrange(2, 13), rng.randrange(2, ratio)
    if ratio == 1000 and rng.random() < 0.5:
        rest = rng.randrange(10, 1000, 10)
    whole = n * ratio
    if rng.random() < 0.65:
        text, total = told(rng, MIXED, s=small, b=large, n=n, r=rest), whole + rest
        near = (10 * whole + rest, total + 10, total - 10, n * 100 + rest)
        return number(SKILL, text, total, f"{n}*{ratio}={whole} {whole}+{rest}", level=level, near=near)
    text, total = told(rng, LEFT, s=small, b=large, n=n, t=whole + rest), whole + rest
    near = (rest + 10, rest + 1, rest - 1, total - n)
    return number(SKILL, text, rest, f"{n}*{ratio}={whole} {total}-{whole}", level=level, near=near)


def _binary(rng: random.Random, level: int) -> Task:
    numbers = {1: range(2, 16), 2: range(16, 64), 3: range(64, 128)}[level]
    n = rng.choice(numbers)
    near = _inside(numbers, n + 1, n - 1, n ^ 2, n + 2)
    if rng.random() < 0.5:
        text, work = told(rng, TO_DECIMAL["binary"], x=f"{n:b}"), _doublings(n)
        return either(rng, SKILL, text, "number", n, work, level=level, near=near, others=numbers)
    text, work, write = told(rng, FROM_DECIMAL["binary"], n=n), _halvings(n), "{:b}".format
    return either(rng, SKILL, text, "short", n, work, level=level, near=near, others=numbers, write=write)


def _hexadecimal(rng: random.Random, level: int) -> Task:
    numbers = range(16, 256)
    n = rng.choice(numbers)
    upper, lower = divmod(n, 16)
    near = _inside(numbers, n + 16, n - 16, n + 1, n - 1)
    if rng.random() < 0.5:
        text, work = told(rng, TO_DECIMAL["hexadecimal"], x=f"{n:X}"), f"{upper}*16={16 * upper} {16 * upper}+{lower}"
        return either(rng, SKILL, text, "number", n, work, level=level, near=near, others=numbers)
    text, work, write = told(rng, FROM_DECIMAL["hexadecimal"], n=n), f"{n}={upper}*16+{lower}", "{:X}".format
    return either(rng, SKILL, text, "short", n, work, level=level, near=near, others=numbers, write=write)


def _roman(rng: random.Random, level: int) -> Task:
    """The worked step takes hundreds, tens and ones apart."""
    numbers = {1: range(1, 21), 2: range(21, 101), 3: range(101, 400)}[level]
    n = rng.choice(numbers)
    places = [place for place in (n // 100 * 100, n // 10 % 10 * 10, n % 10) if place]
    near = _inside(numbers, n + 2, n - 2, n + 10, n - 10)
    if rng.random() < 0.5:
        text, work = told(rng, TO_DECIMAL["Roman"], x=roman(n)), "+".join(map(str, places)) if len(places) > 1 else ""
        return either(rng, SKILL, text, "number", n, work, level=level, near=near, others=numbers)
    text, work = told(rng, FROM_DECIMAL["Roman"], n=n), " ".join(map(roman, places)) if len(places) > 1 else ""
    return either(rng, SKILL, text, "short", n, work, level=level, near=near, others=numbers, write=roman)


def _inside(numbers: range, *candidates: int) -> list[int]:
    return [candidate for candidate in candidates if candidate in numbers]


FORMS: dict[int, tuple[Callable[[random.Random, int], Task], ...]] = {
    1: (_scale, _scale, _scale, _scale, _binary, _roman),
    2: (_scale, _scale, _scale, _binary, _roman),
    3: (_mixed, _mixed, _binary, _hexadecimal, _roman),
}


def ask(rng: random.Random, level: int) -> Task:
    """One question about units or ways of writing numbers: small ones; larger ones; mixed units and three digits."""
    return rng.choice(FORMS[level])(rng, level)
