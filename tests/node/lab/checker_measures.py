"""Calendar and units, worked out anew from the text: with the standard library's dates and with tables of their own."""

import datetime
import itertools
import re
from fractions import Fraction

from tests.node.lab.logic_checker import integers, part

COMMON_YEAR = 2023  # the calendar's questions without a year mean a common one
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [datetime.date(COMMON_YEAR, m, 1).strftime("%B") for m in range(1, 13)]
BACK = r"before|ago|Take|after leaving"


def calendar(text: str) -> str:
    """Times by datetime; dates in the year given, else in a common one; weekdays and months by walking."""
    back = re.search(BACK, text) is not None
    if clock := re.search(r"(\d+):(\d\d)", text):
        moment = datetime.datetime(2000, 1, 2, int(clock[1]), int(clock[2]))
        hours = int(hours_said[1]) if (hours_said := re.search(r"(\d+) hours", text)) else 0
        step = datetime.timedelta(hours=hours, minutes=int(part(r"(\d+) minutes", text)))
        moment += -step if back else step
        return f"{moment.hour}:{moment.minute:02d}"
    day_names = [d for d in re.findall(r"[A-Z]\w+", text) if d in DAYS]
    given = re.findall(r"\d{4}", text)
    assert not (given and day_names), "a year already says which weekday a date is"
    dates = [_date(*found) for found in re.findall(rf"(\d+) ({'|'.join(MONTHS)})(?: (\d{{4}}))?", text)]
    if dates:
        first, second = dates
        days = (second - first).days
        return _walked(DAYS, day_names[0], days, back=False) if day_names else str(days)
    numbers = integers(text)
    if day_names:
        return _walked(DAYS, day_names[0], numbers[0], back)
    (month,) = (m for m in re.findall(r"[A-Z]\w+", text) if m in MONTHS)
    if "months" in text:
        return _walked(MONTHS, month, numbers[0], back)
    place = MONTHS.index(month) + 1
    following = datetime.date(numbers[0] + place // 12, place % 12 + 1, 1)
    return str((following - datetime.timedelta(days=1)).day)


def _date(day: str, month: str, year: str) -> datetime.date:
    return datetime.date(int(year or COMMON_YEAR), MONTHS.index(month) + 1, int(day))


def _walked(circle: list[str], start: str, steps: int, back: bool) -> str:
    walk = itertools.cycle(reversed(circle) if back else circle)
    while next(walk) != start:
        pass
    return [start, *itertools.islice(walk, steps)][-1]


# Each unit in the smallest of its kind.
WORTH = {
    "mm": 1, "cm": 10, "m": 1000, "km": 1_000_000,
    "mg": 1, "g": 1000, "kg": 1_000_000, "t": 1_000_000_000,
    "ml": 1, "l": 1000,
    "seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800,
    "months": 1, "years": 12,
    "pieces": 1, "dozens": 12,
}  # fmt: skip


def units(text: str) -> str:
    """Numbers by Python's own bases, Roman ones by search; measures by exact fractions of the smallest unit."""
    body = text.rstrip("?.")
    if base := next((base for base, word in _BASES.items() if re.search(word, body)), None):
        token = part(r"\b([0-9][0-9A-F]*|[A-F][0-9A-F]|[IVXLC]+)\b(?<!base 2)(?<!base 16)", body)
        if re.search(r"\bdecimal|Which number|What is the Roman|to a number", body):
            return str(roman_value(token) if base == 1 else int(token, base))
        if base == 1:
            return next(r for r in _romans() if roman_value(r) == int(token))
        return f"{int(token):b}" if base == 2 else f"{int(token):X}"
    amounts = [(int(n), unit) for n, unit in re.findall(r"(\d+) ([a-z]+)", body)]
    asked = [word for word in re.findall(r"\b[a-z]+\b", body) if word in WORTH]
    if match := re.search(r"(?:and how many (\w+)|How many (\w+) are left)$", body):
        (n, unit), (m, other) = amounts
        return _whole(abs(n * WORTH[unit] - m * WORTH[other]), match[1] or match[2])
    target = next(word for word in (asked[-1], asked[0]) if len(amounts) == 2 or word != amounts[0][1])
    return _whole(sum(n * WORTH[unit] for n, unit in amounts), target)


_BASES = {2: r"binary|base 2", 16: r"hexadecimal|base 16", 1: r"Roman"}


def _whole(worth: int, unit: str) -> str:
    value = Fraction(worth, WORTH[unit])
    assert value.denominator == 1, "only whole results are asked for"
    return str(value)


def roman_value(letters: str) -> int:
    """A letter before a greater one counts against it."""
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}[c] for c in letters]
    return sum(-v if v < after else v for v, after in itertools.zip_longest(values, values[1:], fillvalue=0))


def _romans() -> list[str]:
    ones = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"]
    tens = ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"]
    return [h + t + o for h in ("", "C", "CC", "CCC") for t in tens for o in ones]
