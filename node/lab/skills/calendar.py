"""Days, months, dates and clock times: counting on and back, lengths of months, spans between dates."""

import random
from collections.abc import Callable

from node.lab.skills.task import Task, number, other_than, short
from node.lab.skills.telling import either, told

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
FEBRUARY = 1

DAY_AFTER = (
    "What day is {n} days after {d}?",
    "Today is {d}. What day is it in {n} days?",
    "Which weekday comes {n} days after {d}?",
    "{p} leaves on a {d} and returns {n} days later. On which weekday?",
    "{p} orders a book on a {d}. It comes {n} days later. On which weekday?",
    "On a {d} {p} says: see you in {n} days. Which weekday is that?",
)
DAY_BEFORE = (
    "What day is {n} days before {d}?",
    "Today is {d}. What day was it {n} days ago?",
    "Which weekday was {n} days before {d}?",
    "{p} came on a {d}, {n} days after leaving. On which weekday did {p} leave?",
    "On a {d} {p} says: it was {n} days ago. Which weekday was that?",
)
MONTH_AFTER = (
    "What month is {n} months after {m}?",
    "It is {m}. Which month is it in {n} months?",
    "Which month comes {n} months after {m}?",
    "{p} moves away in {m} and comes back {n} months later. In which month?",
    "In {m} {p} says: see you in {n} months. Which month is that?",
    "{p} plants a tree in {m}. In which month is it {n} months old?",
)
MONTH_BEFORE = (
    "What month is {n} months before {m}?",
    "It is {m}. Which month was it {n} months ago?",
    "Which month was {n} months before {m}?",
    "In {m} {p} says: it was {n} months ago. Which month was that?",
    "It is {m}. {p} began {n} months ago. In which month?",
)
MONTH_LENGTH = (
    "How many days has {m} {y}?",
    "How long is {m} {y}, in days?",
    "Count the days of {m} {y}.",
    "{p} worked on every day of {m} {y}. How many days is that?",
)
CLOCK_AFTER = (
    "What time is it {n} minutes after {t}?",
    "It is {t}. What time is it in {n} minutes?",
    "Add {n} minutes to {t}.",
    "{p} starts at {t} and is done {n} minutes later. At what time?",
)
CLOCK_BEFORE = (
    "What time is it {n} minutes before {t}?",
    "It is {t}. What time was it {n} minutes ago?",
    "Take {n} minutes from {t}.",
    "It is {t}. {p} began {n} minutes ago. At what time?",
)
HOURS_AFTER = (
    "What time is it {h} hours and {n} minutes after {t}?",
    "It is {t}. What time is it in {h} hours and {n} minutes?",
    "{p} starts at {t} and is done {h} hours and {n} minutes later. At what time?",
)
BETWEEN = (
    "How many days is it from {a} to {b}?",
    "How many days after {a} is {b}?",
    "{p} leaves on {a} and returns on {b}. How many days later is that?",
)
DATE_AFTER = (
    "{a} is a {d}. Which weekday is {b}?",
    "If {a} is a {d}, what day is {b}?",
    "{p} was born on {a}, a {d}. Which weekday is {b} in that year?",
)


def is_leap(year: int) -> bool:
    """The Gregorian rule."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _turned(start: int, n: int, turn: int) -> tuple[int, str]:
    """Counting `n` on from place `start` of a circle of `turn`, and its steps: 5 on from October is `10+5=15-12=3`.

    Places count from 0 here and from 1 in the steps, as people number months.
    """
    end, sum_said = (start + n) % turn, start + n + 1
    back = f"{end - start - n:+d}={end + 1}" if end != start + n else ""
    return end, f"{start + 1}{n:+d}={sum_said}{back}"


def _weekday(rng: random.Random, level: int) -> Task:
    """Whole weeks are taken off first, so that one turn of the week is the most that is left."""
    low, high = {1: (2, 14), 2: (14, 60), 3: (60, 200)}[level]
    start, n = rng.randrange(7), rng.randrange(low, high)
    sign = 1 if rng.random() < 0.65 else -1
    rest = n % 7
    end, turned = _turned(start, sign * rest, 7)
    work = f"{n}-{n - rest}={rest} {turned}" if n >= 7 else turned
    text = told(rng, DAY_AFTER if sign > 0 else DAY_BEFORE, n=n, d=DAYS[start])
    near = [DAYS[(end + slip) % 7] for slip in (1, -1)] + [DAYS[(start - sign * rest) % 7]]
    return either(rng, SKILL, text, "short", DAYS[end], work, level=level, near=near, others=DAYS)


def _month(rng: random.Random, level: int) -> Task:
    start, n = rng.randrange(12), rng.randrange(2, 7) if level == 1 else rng.randrange(7, 25)
    sign = 1 if rng.random() < 0.6 else -1
    end, work = _turned(start, sign * n, 12)
    text = told(rng, MONTH_AFTER if sign > 0 else MONTH_BEFORE, n=n, m=MONTHS[start])
    near = [MONTHS[(end + slip) % 12] for slip in (1, -1)] + [MONTHS[(start - sign * n) % 12]]
    return either(rng, SKILL, text, "short", MONTHS[end], work, level=level, near=near, others=MONTHS)


def _month_length(rng: random.Random, level: int) -> Task:
    """Of any month but February; of February, where the step is whether four divides the year's last two digits."""
    month = other_than(rng, range(12), FEBRUARY) if level == 1 else FEBRUARY
    year = rng.randrange(1900, 2101)
    days = _length(month, year)
    work = f"{year % 100}={year % 100 // 4}*4+{year % 4}" if month == FEBRUARY else ""
    near = (28, 29, 30, 31)
    return number(SKILL, told(rng, MONTH_LENGTH, m=MONTHS[month], y=year), days, work, level=level, near=near)


def _length(month: int, year: int) -> int:
    return 29 if month == FEBRUARY and is_leap(year) else LENGTHS[month]


def _clock_text(minutes: int) -> str:
    return f"{minutes // 60 % 24}:{minutes % 60:02d}"


def _clock(rng: random.Random, level: int) -> Task:
    """A step of less than two hours in fives of minutes."""
    hour, minute, n = rng.randrange(24), rng.randrange(0, 60, 5), rng.randrange(5, 100, 5)
    start = 60 * hour + minute
    if rng.random() < 0.6:
        total = minute + n
        end = start + n
        work = f"{minute}+{n}={total}{f'={_clock_text(total)}' if total >= 60 else ''}"
        text = told(rng, CLOCK_AFTER, n=n, t=_clock_text(start))
    else:
        lent = -((minute - n) // 60 * 60)  # hours borrowed, in minutes
        end = start - n
        work = f"{minute + lent}-{n}={minute + lent - n}"
        text = told(rng, CLOCK_BEFORE, n=n, t=_clock_text(start))
    near = [_clock_text((end + slip) % 1440) for slip in (60, -60, 5, -5)]
    return short(SKILL, text, _clock_text(end % 1440), work, level=level, near=near)


def _clock_on(rng: random.Random, level: int) -> Task:
    """Hours and minutes on, often over midnight: minutes are added first, then the hours with what was carried."""
    hour, minute = rng.randrange(12, 24), rng.randrange(60)
    hours, n = rng.randrange(2, 12), rng.randrange(2, 60)
    total = minute + n
    carry = total // 60
    work = f"{minute}+{n}={total}{f'-60={total - 60}' if carry else ''} "
    whole = hour + hours + carry
    work += f"{hour}+{hours}{'+1' if carry else ''}={whole}{f'-24={whole - 24}' if whole >= 24 else ''}"
    end = 60 * (hour + hours) + total
    text = told(rng, HOURS_AFTER, h=hours, n=n, t=f"{hour}:{minute:02d}")
    near = [_clock_text((end + slip) % 1440) for slip in (-60, 60, 10, -1)]
    return short(SKILL, text, _clock_text(end), work, level=level, near=near)


def _between(rng: random.Random, level: int) -> Task:
    """Both dates in one month."""
    month = rng.randrange(12)
    a, b = sorted(rng.sample(range(1, LENGTHS[month] + 1), 2))
    text = told(rng, BETWEEN, a=f"{a} {MONTHS[month]}", b=f"{b} {MONTHS[month]}")
    return number(SKILL, text, b - a, f"{b}-{a}", level=level, near=(b - a + 1, b - a - 1, b - a + 10))


def _span(rng: random.Random, first: int, months: int) -> tuple[str, str, int, str]:
    """Two dates, the second so many months after `first`; their distance; its steps. A year if February ends between.

    20 May to 8 July is `31-20=11+30=41+8=49`: the rest of the first month, whole months, days of the last.
    """
    year = rng.randrange(1900, 2101)
    a, b = rng.randint(1, LENGTHS[first]), rng.randint(1, LENGTHS[first + months])
    days = _length(first, year) - a
    work = f"{days + a}-{a}={days}"
    for month in range(first + 1, first + months):
        days += _length(month, year)
        work += f"+{_length(month, year)}={days}"
    days += b
    work += f"+{b}={days}"
    given = f" {year}" if first <= FEBRUARY < first + months else ""
    return f"{a} {MONTHS[first]}{given}", f"{b} {MONTHS[first + months]}{given}", days, work


def _between_months(rng: random.Random, level: int) -> Task:
    months = rng.randint(1, 3)
    a, b, days, work = _span(rng, rng.randrange(12 - months), months)
    return number(SKILL, told(rng, BETWEEN, a=a, b=b), days, work, level=level, near=(days + 1, days - 1, days + 2))


def _weekday_of_date(rng: random.Random, level: int) -> Task:
    """Never over the end of February: a year given would settle the weekday that the question gives."""
    a, b, days, work = _span(rng, other_than(rng, range(11), FEBRUARY), 1)
    start, rest = rng.randrange(7), days % 7
    end, turned = _turned(start, rest, 7)
    work += f"-{days - rest}={rest} {turned}" if days >= 7 else f" {turned}"
    near = [DAYS[(end + slip) % 7] for slip in (1, -1, -2)]
    text = told(rng, DATE_AFTER, a=a, b=b, d=DAYS[start])
    return either(rng, SKILL, text, "short", DAYS[end], work, level=level, near=near, others=DAYS)


Form = Callable[[random.Random, int], Task]
FORMS: dict[int, tuple[Form, ...]] = {
    1: (_weekday, _month, _month_length),
    2: (_weekday, _month, _month_length, _clock, _clock, _between),
    3: (_weekday, _clock_on, _between_months, _weekday_of_date),
}


def ask(rng: random.Random, level: int) -> Task:
    """One question about days, months, dates or times: a few on; many on, and the clock; from month to month."""
    return rng.choice(FORMS[level])(rng, level)
