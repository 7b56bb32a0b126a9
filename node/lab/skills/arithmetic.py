"""Whole-number arithmetic: sums, differences, products, division with a remainder, two operations, word problems."""

import random
from collections.abc import Callable, Mapping

from node.lab.skills.task import Task, number, short
from node.lab.skills.telling import told

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
DIVIDE = (
    "What is {a} divided by {b}, and what remains?",
    "{a} divided by {b} is what, rest what?",
    "Divide {a} by {b}; give quotient and rest.",
)
EVALUATE = ("What is {e}?", "{e} = ?", "Work out {e}.", "How much is {e}?")
THINGS = ("apples", "books", "coins", "eggs", "nuts", "pens", "stones")
GAIN = (
    "{p} has {a} {t} and gets {b} more. How many {t} has {p}?",
    "{p} had {a} {t} and found {b}. How many {t} are there now?",
)
LOSE = (
    "{p} has {a} {t} and loses {b}. How many {t} has {p}?",
    "{p} had {a} {t} and gave away {b}. How many {t} are left?",
)
SHARE = ("{p} puts {a} {t} in each of {b} bags. How many {t} is that?",)


def sum_work(a: int, b: int) -> str:
    """Column by column from the right, the carry added last: 347 + 85 is `7+5=12 4+8+1=13 3+0+1=4`."""
    steps, carry = [], 0
    while a or b:
        column = a % 10 + b % 10 + carry
        steps.append(f"{a % 10}+{b % 10}{'+1' if carry else ''}={column}")
        a, b, carry = a // 10, b // 10, column // 10
    return " ".join(steps) if len(steps) > 1 else ""


def difference_work(a: int, b: int) -> str:
    """Column by column from the right, ten borrowed where it takes one: 347 - 85 is `7-5=2 14-8=6 2-0=2`."""
    steps, borrowed = [], 0
    while a:
        upper, lower = a % 10 - borrowed, b % 10
        borrowed = int(upper < lower)
        upper += 10 * borrowed
        steps.append(f"{upper}-{lower}={upper - lower}")
        a, b = a // 10, b // 10
    return " ".join(steps) if len(steps) > 1 else ""


def product_work(a: int, b: int) -> str:
    """Digit by digit from the right, what is carried added: 47 * 6 is `7*6=42 4*6+4=28`."""
    steps, carry = [], 0
    while a:
        step = a % 10 * b + carry
        steps.append(f"{a % 10}*{b}{f'+{carry}' if carry else ''}={step}")
        a, carry = a // 10, step // 10
    return " ".join(steps) if len(steps) > 1 else ""


def long_product_work(a: int, b: int) -> str:
    """Two digits by two: each partial product by its digits, then their columns.

    47 * 36 is `7*6=42 4*6+4=28 282 7*3=21 4*3+2=14 141 8+1=9 2+4=6 0+1=1`; the last digit, 2, is 282's own.
    """
    low, high = a * (b % 10), a * (b // 10)
    partial = (f"{product_work(a, digit)} {a * digit}" for digit in (b % 10, b // 10))
    return f"{' '.join(partial)} {sum_work(low // 10, high)}"


def quotient_work(a: int, b: int) -> str:
    """Long division, digit by digit from the left: 347 / 6 is `34=5*6+4 47=7*6+5`."""
    steps: list[str] = []
    rest = 0
    for digit in str(a):
        rest = 10 * rest + int(digit)
        if rest >= b or steps:
            steps.append(f"{rest}={rest // b}*{b}+{rest % b}")
            rest %= b
    return " ".join(steps)


def _joined(*parts: object) -> str:
    return " ".join(str(part) for part in parts if part != "")


def _sum_slips(a: int, b: int) -> tuple[int, ...]:
    """The carries dropped; one too few or many in some column."""
    places = [10**i for i in range(len(str(max(a, b))))]
    dropped = sum((a // place % 10 + b // place % 10) % 10 * place for place in places)
    return dropped, a + b + 10, abs(a + b - 10), a + b + 1


def _difference_slips(a: int, b: int) -> tuple[int, ...]:
    """In each column the smaller from the larger; one borrowed and not paid back, or paid twice."""
    places = [10**i for i in range(len(str(a)))]
    unborrowed = sum(abs(a // place % 10 - b // place % 10) * place for place in places)
    return unborrowed, a - b + 10, abs(a - b - 10), a - b + 1


def _product_slips(a: int, b: int) -> tuple[int, ...]:
    """The neighbours in the table, the carry dropped, ten too many."""
    dropped = a // 10 * b * 10 + a % 10 * b % 10
    return (dropped if a > 9 else a * b + a), a * (b - 1), (a + 1) * b, a * b + 10


def _operand(rng: random.Random, digits: int) -> int:
    """At most so many digits, longer numbers more often."""
    return rng.randrange(1, 10 ** max(rng.randint(1, digits), rng.randint(1, digits)))


def _add(rng: random.Random, level: int) -> Task:
    digits = level + 1
    a, b = rng.randrange(10 ** (digits - 1), 10**digits), _operand(rng, digits)
    if rng.random() < 0.5:
        a, b = b, a
    text = told(rng, ADD, a=a, b=b)
    return number(SKILL, text, a + b, sum_work(a, b), level=level, near=_sum_slips(a, b))


def _subtract(rng: random.Random, level: int) -> Task:
    digits = level + 1
    b, a = sorted((rng.randrange(10 ** (digits - 1), 10**digits), _operand(rng, digits)))
    text = told(rng, SUBTRACT, a=a, b=b)
    return number(SKILL, text, a - b, difference_work(a, b), level=level, near=_difference_slips(a, b))


def _multiply(rng: random.Random, level: int) -> Task:
    """The times tables; two digits by one; two digits by two."""
    a = rng.randrange(2, 13) if level == 1 else rng.randrange(13, 100)
    b = rng.randrange(2, 10) if level < 3 else rng.randrange(11, 100)
    first, second = (a, b) if rng.random() < 0.7 else (b, a)
    text = told(rng, MULTIPLY, a=first, b=second)
    if level == 3:
        shifted = a * (b % 10) + a * (b // 10)  # the second partial product not moved to the left
        near = (a * b + 100, a * b - 10, shifted, a * (b - 1))
        return number(SKILL, text, a * b, long_product_work(a, b), level=level, near=near)
    return number(SKILL, text, a * b, product_work(a, b), level=level, near=_product_slips(a, b))


def _story(rng: random.Random, level: int) -> Task:
    thing = rng.choice(THINGS)
    form = rng.randrange(3)
    if form == 2:
        a, b = rng.randrange(2, 13) if level == 1 else rng.randrange(13, 40), rng.randrange(2, 10)
        text = told(rng, SHARE, a=a, b=b, t=thing)
        return number(SKILL, text, a * b, product_work(a, b), level=level, near=_product_slips(a, b))
    b, a = sorted((rng.randrange(2, 100), rng.randrange(2, 100)))
    a += 100 * (level - 1)
    if form == 1:
        text = told(rng, LOSE, a=a, b=b, t=thing)
        return number(SKILL, text, a - b, difference_work(a, b), level=level, near=_difference_slips(a, b))
    text = told(rng, GAIN, a=a, b=b, t=thing)
    return number(SKILL, text, a + b, sum_work(a, b), level=level, near=_sum_slips(a, b))


def _divide(rng: random.Random, level: int) -> Task:
    a, b = rng.randrange(10, 1000), rng.randrange(2, 10)
    whole, rest = divmod(a, b)
    near = (f"{whole + 1} rest {rest}", f"{whole} rest {rest + 1}", f"{whole - 1} rest {rest + b}", f"{whole} rest {b}")
    text = told(rng, DIVIDE, a=a, b=b)
    return short(SKILL, text, f"{whole} rest {rest}", quotient_work(a, b), level=level, near=near)


def _two_operations(rng: random.Random, level: int) -> Task:
    """A sum or a difference within or beside a product, with and without brackets."""
    b, a = sorted(rng.sample(range(2, 50), 2))
    c = rng.randrange(2, 10)
    form = rng.randrange(4)
    if form == 0:
        text, answer, wrong = f"({a} + {b}) * {c}", (a + b) * c, a + b * c
        work = _joined(sum_work(a, b), a + b, product_work(a + b, c))
    elif form == 1:
        text, answer, wrong = f"({a} - {b}) * {c}", (a - b) * c, abs(a - b * c)
        work = _joined(difference_work(a, b), a - b, product_work(a - b, c))
    elif form == 2:
        text, answer, wrong = f"{a} + {b} * {c}", a + b * c, (a + b) * c
        work = _joined(product_work(b, c), b * c, sum_work(a, b * c))
    else:
        text, answer, wrong = f"{a} * {c} - {b}", a * c - b, a * abs(c - b)
        work = _joined(product_work(a, c), a * c, difference_work(a * c, b))
    near = (wrong, answer + 10, abs(answer - c), answer + 1)
    return number(SKILL, told(rng, EVALUATE, e=text), answer, work, level=level, near=near)


Form = Callable[[random.Random, int], Task]
# How often each form comes up, in twentieths.
FORMS: Mapping[int, Mapping[Form, int]] = {
    1: {_add: 7, _subtract: 6, _multiply: 2, _story: 5},
    2: {_add: 5, _subtract: 5, _multiply: 4, _story: 6},
    3: {_add: 4, _subtract: 4, _multiply: 4, _divide: 4, _two_operations: 4},
}


def ask(rng: random.Random, level: int) -> Task:
    """One question of arithmetic: two digits and the tables; three digits; long ones and two operations."""
    (form,) = rng.choices(list(FORMS[level]), list(FORMS[level].values()))
    return form(rng, level)
