"""Whole-number arithmetic: sums and differences of up to three digits, products, word problems."""

import random
from collections.abc import Callable

from node.lab.skills.task import Task, number

SKILL = "arithmetic"

ADD = (
    "What is {a} + {b}?",
    "{a} + {b} = ?",
    "Add {a} and {b}.",
    "How much is {a} plus {b}?",
    "What is the sum of {a} and {b}?",
)
SUBTRACT = (
    "What is {a} - {b}?",
    "{a} - {b} = ?",
    "Subtract {b} from {a}.",
    "How much is {a} minus {b}?",
    "What is the difference of {a} and {b}?",
)
MULTIPLY = (
    "What is {a} * {b}?",
    "{a} * {b} = ?",
    "Multiply {a} by {b}.",
    "How much is {a} times {b}?",
    "What is the product of {a} and {b}?",
)
NAMES = ("Ann", "Bob", "Cleo", "Dan", "Eva", "Finn", "Gus", "Ida")
THINGS = ("apples", "books", "coins", "eggs", "nuts", "pens", "stones")
GAIN = (
    "{n} has {a} {t} and gets {b} more. How many {t} has {n}?",
    "{n} had {a} {t} and found {b}. How many {t} are there now?",
)
LOSE = (
    "{n} has {a} {t} and loses {b}. How many {t} has {n}?",
    "{n} had {a} {t} and gave away {b}. How many {t} are left?",
)
SHARE = ("{n} puts {a} {t} in each of {b} bags. How many {t} is that?",)


def _operand(rng: random.Random) -> int:
    """One to three digits, each length equally likely."""
    return rng.randrange(1, (10, 100, 1000)[rng.randrange(3)])


def _sum_work(a: int, b: int) -> str:
    """Column by column from the right, the carry added last: 347 + 85 is `7+5=12 4+8+1=13 3+0+1=4`."""
    steps, carry = [], 0
    while a or b:
        column = a % 10 + b % 10 + carry
        steps.append(f"{a % 10}+{b % 10}{'+1' if carry else ''}={column}")
        a, b, carry = a // 10, b // 10, column // 10
    return " ".join(steps) if len(steps) > 1 else ""


def _difference_work(a: int, b: int) -> str:
    """Column by column from the right, ten borrowed where it takes one: 347 - 85 is `7-5=2 14-8=6 2-0=2`."""
    steps, borrowed = [], 0
    while a:
        upper, lower = a % 10 - borrowed, b % 10
        borrowed = int(upper < lower)
        upper += 10 * borrowed
        steps.append(f"{upper}-{lower}={upper - lower}")
        a, b = a // 10, b // 10
    return " ".join(steps) if len(steps) > 1 else ""


def _product_work(a: int, b: int) -> str:
    """Digit by digit from the right, what is carried added: 47 * 6 is `7*6=42 4*6+4=28`."""
    if a < 10:
        return ""
    units = a % 10 * b
    carry = units // 10
    return f"{a % 10}*{b}={units} {a // 10}*{b}{f'+{carry}' if carry else ''}={a // 10 * b + carry}"


def _add(rng: random.Random) -> Task:
    a, b = _operand(rng), _operand(rng)
    return number(SKILL, rng.choice(ADD).format(a=a, b=b), a + b, _sum_work(a, b))


def _subtract(rng: random.Random) -> Task:
    b, a = sorted((_operand(rng), _operand(rng)))
    return number(SKILL, rng.choice(SUBTRACT).format(a=a, b=b), a - b, _difference_work(a, b))


def _multiply(rng: random.Random) -> Task:
    a, b = rng.randrange(2, 13 if rng.random() < 0.4 else 100), rng.randrange(2, 10)
    first, second = (a, b) if rng.random() < 0.7 else (b, a)
    return number(SKILL, rng.choice(MULTIPLY).format(a=first, b=second), a * b, _product_work(a, b))


def _story(rng: random.Random) -> Task:
    name, thing = rng.choice(NAMES), rng.choice(THINGS)
    form = rng.randrange(3)
    if form == 2:
        a, b = rng.randrange(2, 21), rng.randrange(2, 10)
        return number(SKILL, rng.choice(SHARE).format(n=name, a=a, b=b, t=thing), a * b, _product_work(a, b))
    b, a = sorted((rng.randrange(2, 100), rng.randrange(2, 100)))
    if form == 1:
        return number(SKILL, rng.choice(LOSE).format(n=name, a=a, b=b, t=thing), a - b, _difference_work(a, b))
    return number(SKILL, rng.choice(GAIN).format(n=name, a=a, b=b, t=thing), a + b, _sum_work(a, b))


FORMS: tuple[Callable[[random.Random], Task], ...] = (_add, _add, _subtract, _subtract, _multiply, _story)


def ask(rng: random.Random) -> Task:
    """One question of arithmetic."""
    return rng.choice(FORMS)(rng)
