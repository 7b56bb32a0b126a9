"""Days, months, dates and clock times: counting on and back, lengths of months."""

import random
from collections.abc import Callable

from node.lab.skills.task import Task, number, short

SKILL = "calendar"

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # of a common year

DAY_AFTER = (
    "What day is {n} days after {d}?",
    "Today is {d}. What day is it in {n} days?",
    "Which weekday comes {n} days after {d}?",
)
DAY_BEFORE = (
    "What day is {n} days before {d}?",
    "Today is {d}. What day was it {n} days ago?",
    "Which weekday was {n} days before {d}?",
)
MONTH_AFTER = (
    "What month is {n} months after {m}?",
    "It is {m}. Which month is it in {n} months?",
    "Which month comes {n} months after {m}?",
)
MONTH_BEFORE = (
    "What month is {n} months before {m}?",
    "It is {m}. Which month was it {n} months ago?",
    "Which month was {n} months before {m}?",
)
MONTH_LENGTH = ("How many days has {m} {y}?", "How long is {m} {y}, in days?", "Count the days of {m} {y}.")
CLOCK_AFTER = (
    "What time is it {n} minutes after {t}?",
    "It is {t}. What time is it in {n} minutes?",
    "Add {n} minutes to {t}.",
)
CLOCK_BEFORE = (
    "What time is it {n} minutes before {t}?",
    "It is {t}. What time was it {n} minutes ago?",
    "Take {n} minutes from {t}.",
)
BETWEEN = ("How many days is it from {a} {m} to {b} {m}?", "Count the days between {a} {m} and {b} {m}.")


def is_leap(year: int) -> bool:
    """The Gregorian rule."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _weekday(rng: random.Random) -> Task:
    start, n = rng.randrange(7), rng.randrange(2, 15 if rng.random() < 0.6 else 60)
    work = f"{n}-{n - n % 7}={n % 7}" if n >= 7 else ""
    if rng.random() < 0.65:
        return short(SKILL, rng.choice(DAY_AFTER).format(n=n, d=DAYS[start]), DAYS[(start + n) % 7], work)
    return short(SKILL, rng.choice(DAY_BEFORE).format(n=n, d=DAYS[start]), DAYS[(start - n) % 7], work)


def _month(rng: random.Random) -> Task:
    start, n = rng.randrange(12), rng.randrange(2, 25)
    end = start + n if rng.random() < 0.55 else start - n
    text = rng.choice(MONTH_AFTER if end > start else MONTH_BEFORE).format(n=n, m=MONTHS[start])
    turns = end // 12 * 12  # months of whole years passed, forwards or backwards
    work = f"{start + 1}{end - start:+d}{f'{-turns:+d}' if turns else ''}={end % 12 + 1}"
    return short(SKILL, text, MONTHS[end % 12], work)


def _month_length(rng: random.Random) -> Task:
    month, year = rng.randrange(12), rng.randrange(1900, 2101)
    if rng.random() < 0.5:
        month = 1
    days = 29 if month == 1 and is_leap(year) else LENGTHS[month]
    return number(SKILL, rng.choice(MONTH_LENGTH).format(m=MONTHS[month], y=year), days)


def _clock_text(minutes: int) -> str:
    return f"{minutes // 60 % 24}:{minutes % 60:02d}"


def _clock(rng: random.Random) -> Task:
    hour, minute, n = rng.randrange(24), rng.randrange(0, 60, 5), rng.randrange(5, 100, 5)
    start = 60 * hour + minute
    if rng.random() < 0.6:
        total = minute + n
        work = f"{minute}+{n}={total}{f'={_clock_text(total)}' if total >= 60 else ''}"
        return short(SKILL, rng.choice(CLOCK_AFTER).format(n=n, t=_clock_text(start)), _clock_text(start + n), work)
    lent = -((minute - n) // 60 * 60)  # hours borrowed, in minutes
    work = f"{minute + lent}-{n}={minute + lent - n}"
    text = rng.choice(CLOCK_BEFORE).format(n=n, t=_clock_text(start))
    return short(SKILL, text, _clock_text((start - n) % 1440), work)


def _between(rng: random.Random) -> Task:
    month = rng.randrange(12)
    a, b = sorted(rng.sample(range(1, LENGTHS[month] + 1), 2))
    return number(SKILL, rng.choice(BETWEEN).format(a=a, b=b, m=MONTHS[month]), b - a, f"{b}-{a}")


FORMS: tuple[Callable[[random.Random], Task], ...] = (_weekday, _month, _month_length, _clock, _between)


def ask(rng: random.Random) -> Task:
    """One question about days, months, dates or times."""
    return rng.choice(FORMS)(rng)
