"""Answers worked out anew from the text of a question alone, by other means than the code that made the question."""

import datetime
import itertools
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache

from node.lab.skills import Task, facts
from tests.node.lab.logic_checker import integers, part, solved

COMMON_YEAR = 2023  # the calendar's questions without a year mean a common one
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [datetime.date(COMMON_YEAR, m, 1).strftime("%B") for m in range(1, 13)]


def arithmetic(text: str) -> str:
    a, b = integers(text)
    if re.search(r" \* |times|Multiply|product|each of", text):
        return str(sum(itertools.repeat(a, b)))
    if "Subtract" in text:
        a, b = b, a
    if re.search(r" - |minus|Subtract|difference|loses|gave away", text):
        b = -b
    return str(a + b)


def comparing(text: str) -> str:
    down = re.search(r"downwards|descending|large to small", text) is not None
    numbers = integers(text)
    if re.search(r"[Ss]econd", text):
        return str(max(n for n in numbers if n < max(numbers)))
    if re.search(r"^(Is|Does) ", text):
        a, b = numbers
        return "yes" if (b - a if re.search(r"smaller|less|below", text) else a - b) > 0 else "no"
    if re.search(r"Sort|Put|Order", text):
        ordered = [n for i in range(len(numbers)) for n in numbers if sum(m < n for m in numbers) == i]
        return ", ".join(map(str, reversed(ordered) if down else ordered))
    small = re.search(r"smallest|least|minimum", text) is not None
    return next(str(n) for n in numbers if all((n <= m if small else n >= m) for m in numbers))


PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "last")


def strings(text: str) -> str:
    body = text.rstrip("?.")
    if match := re.search(r"Is (\w) the first letter of (\w+)$", body):
        return "yes" if match[2].startswith(match[1]) else "no"
    if match := re.search(r"(\w+) letter of (\w+)$", body):
        return _letter(match[2], match[1])
    if match := re.search(r"Which letter of (\w+) is the (\w+)$", body):
        return _letter(match[1], match[2])
    if match := re.search(r"(?:many letters has|long is the word|letters in) (\w+)$", body):
        return str(sum(1 for _ in match[1]))
    if match := re.search(r"Does (\w+) (?:have|contain) the letter (\w)$", body):
        return "yes" if match[1].find(match[2]) >= 0 else "no"
    if match := re.search(r"Does (\w+) start with (\w)$", body):
        return "yes" if match[1].startswith(match[2]) else "no"
    if match := re.search(r"Join (\w+) and (\w+)$|Write (\w+) and (\w+) as|What is (\w+) followed by (\w+)", body):
        return "".join(g for g in match.groups() if g)
    if match := re.search(r"(\w+) in (?:capitals|upper case)$", body):
        return "".join(chr(ord(c) - 32) for c in match[1])
    word = part(r"(?:Reverse the word|Spell|What is|Write) (\w+)(?: backwards| read backwards| in reverse)?$", body)
    return "".join(reversed(word))


def _letter(word: str, place: str) -> str:
    return list(word)[-1 if place == "last" else PLACES.index(place)]


def calendar(text: str) -> str:
    numbers = integers(text)
    back = re.search(r"before|ago|Take", text) is not None
    day_names = [d for d in re.findall(r"[A-Z]\w+", text) if d in DAYS]
    month_names = [m for m in re.findall(r"[A-Z]\w+", text) if m in MONTHS]
    if clock := re.search(r"(\d+):(\d\d)", text):
        moment = datetime.datetime(2000, 1, 1, int(clock[1]), int(clock[2]))
        minutes = int(part(r"(\d+) minutes", text))
        moment += datetime.timedelta(minutes=-minutes if back else minutes)
        return f"{moment.hour}:{moment.minute:02d}"
    if day_names:
        start = datetime.date(2024, 1, 1) + datetime.timedelta(
            days=DAYS.index(day_names[0])
        )  # 1 January 2024: a Monday
        return DAYS[(start + datetime.timedelta(days=-numbers[0] if back else numbers[0])).weekday()]
    month = MONTHS.index(month_names[0]) + 1
    if "months" in text and numbers:
        walk = itertools.cycle(reversed(MONTHS) if back else MONTHS)
        while next(walk) != month_names[0]:
            pass
        return [next(walk) for _ in range(numbers[0])][-1]
    if len(month_names) == 2:
        first, second = (datetime.date(COMMON_YEAR, month, n) for n in numbers)
        return str((second - first).days)
    following = datetime.date(numbers[0] + month // 12, month % 12 + 1, 1)
    return str((following - datetime.timedelta(days=1)).day)


# Each unit in the smallest of its kind.
WORTH = {
    "mm": 1, "cm": 10, "m": 1000, "km": 1_000_000,
    "mg": 1, "g": 1000, "kg": 1_000_000, "t": 1_000_000_000,
    "ml": 1, "l": 1000,
    "seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800,
    "months": 1, "years": 12,
    "pieces": 1, "dozens": 12,
}  # fmt: skip


def roman_value(letters: str) -> int:
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}[c] for c in letters]
    return sum(-v if v < after else v for v, after in itertools.zip_longest(values, values[1:], fillvalue=0))


def units(text: str) -> str:
    body = text.rstrip("?.")
    roman = "Roman" in body
    if roman or re.search(r"binary|base 2", body):
        token = part(r"\b([0-9]+|[IVXLC]+)\b(?<!base 2)", body)
        if re.search(r"decimal|Which number|What is the Roman|to a number", body):
            return str(roman_value(token) if roman else int(token, 2))
        return next(r for r in _romans() if roman_value(r) == int(token)) if roman else bin(int(token))[2:]
    amount, unit = part(r"(\d+) [a-z]+", body), part(r"\d+ ([a-z]+)", body)
    target = next(w for w in reversed(re.findall(r"[a-z]+", body)) if w in WORTH and w != unit)
    value = Fraction(int(amount) * WORTH[unit], WORTH[target])
    assert value.denominator == 1, "only whole results are asked for"
    return str(value)


def _romans() -> list[str]:
    ones = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"]
    tens = ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"]
    return [h + t + o for h in ("", "C", "CC", "CCC") for t in tens for o in ones]


@cache
def _objects() -> dict[str, set[str]]:
    """Every text that asks for a fact, with all objects that would answer it."""
    found: dict[str, set[str]] = {}
    for fact in facts.FACTS:
        for phrasing in facts.RELATIONS[fact.relation].phrasings:
            found.setdefault(facts.phrased(phrasing, fact.subject), set()).add(fact.object)
    return found


def world(text: str) -> str:
    """The object asked for, which must be the only one that answers the text."""
    (answer,) = _objects()[text]
    return answer


CHECKERS: dict[str, Callable[[str], str]] = {
    "arithmetic": arithmetic,
    "comparing": comparing,
    "strings": strings,
    "calendar": calendar,
    "units": units,
    "logic": solved,
    "facts": world,
}


def expected(task: Task) -> str:
    """The answer to a question, worked out anew."""
    return CHECKERS[task.skill](task.text)


def well_formed(task: Task) -> Sequence[str]:
    """What is wrong with the form of a question; empty when nothing is."""
    problems = []
    if (task.kind == "choice") != bool(task.options):
        problems.append("options belong to choices, and to them alone")
    if task.kind == "choice" and (task.answer not in task.options or len(set(task.options)) != len(task.options)):
        problems.append("the answer is one of the options, which differ")
    if task.kind == "number" and str(int(task.answer)) != task.answer:
        problems.append("a number is written plainly")
    if len(task.work) > 24 or not (task.text + task.work + task.answer).isascii():
        problems.append("work is short and everything ASCII")
    return problems
