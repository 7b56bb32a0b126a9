"""Questions made of questions of other skills: the answer to one is put into the next."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from node.lab.skills.calendar import LENGTHS, MONTHS, is_leap
from node.lab.skills.facts import FACTS, Fact
from node.lab.skills.strings import ORDINALS
from node.lab.skills.task import Kind, Task, wrong_only
from node.lab.skills.things import Thing, a_month, a_number, a_word, an_easy_number, an_easy_word, length_of, place
from node.lab.skills.units import roman
from node.lab.skills.words import VOWELS

SKILL = "compound"

TEXT_LENGTH_MAX = 110
ROMAN_MAX = 199


@dataclass(frozen=True, slots=True)
class Compound(Task):
    """A question and what it is made of.

    Args:
        parts: questions, each worded as its own skill words it; `{1}` stands for the answer to the first, and so on.
        inner: the answers to all parts but the last, whose answer is the question's.
    """

    parts: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()


def _made(
    rng: random.Random,
    level: int,
    things: Sequence[Thing],
    text: str,
    last: str,
    kind: Kind,
    compute: Callable[..., str],
    slips: Sequence[str] = (),
) -> Compound:
    """The question `text` about things named in it as `{x}` and `{y}`, of which `last` asks by their answers.

    `compute` gives the answer to `last` from those of the things, or "" if there is none. Near are what it makes of
    what the things might be mistaken for, and `slips` on the way from right ones.
    """
    parts: list[str] = []
    inner: list[str] = []
    places: list[str] = []
    for thing in things:
        parts.extend(thing.parts_from(len(parts)))
        inner.extend(thing.answers)
        places.append(place(len(parts)))
    found = [thing.answer for thing in things]
    answer = compute(*found)
    mistaken = [
        compute(*found[:i], wrong, *found[i + 1 :]) for i, thing in enumerate(things) for wrong in thing.wrong[:2]
    ]
    names = dict(zip("xy", (thing.name for thing in things), strict=False))
    options = tuple(rng.sample(("yes", "no"), 2)) if kind == "choice" else ()
    return Compound(
        SKILL,
        text.format(**names),
        kind,
        options,
        answer,
        "; ".join(inner),
        level,
        wrong_only(answer, options or [text for text in (*mistaken, *slips) if text]),
        (*parts, last.format(**dict(zip("xy", places, strict=False)))),
        tuple(inner),
    )


def _around(number: int) -> tuple[str, ...]:
    return (str(number + 1), str(number + 10))


def _letter(rng: random.Random, level: int, thing: Thing, ordinal: str, index: int) -> Compound:
    form = rng.choice(("What is the {o} letter of {x}?", "Give the {o} letter of {x}.", "Name the {o} letter of {x}."))
    form = form.replace("{o}", ordinal)

    def letter(word: str) -> str:
        return word[index] if index < len(word) else ""

    return _made(rng, level, [thing], form, form, "short", letter, (*reversed(thing.answer), "z", "x"))


def _of_easy_word(rng: random.Random, level: int, known: Sequence[Fact]) -> Compound:
    """Its first or last letter, its capitals, its length."""
    thing = an_easy_word(rng, known)
    form = rng.randrange(4)
    if form < 2:
        return _letter(rng, level, thing, ("first", "last")[form], -form)
    if form == 2:
        text = rng.choice(("Write {x} in capitals.", "Put {x} in upper case.", "Spell {x} in capitals."))
        return _made(rng, level, [thing], text, text, "short", str.upper)
    text = rng.choice(("How many letters has {x}?", "How many letters are in {x}?", "Count the letters in {x}."))
    size = len(thing.answer)
    return _made(rng, level, [thing], text, text, "number", lambda word: str(len(word)), _around(size))


def _of_word(rng: random.Random, level: int, known: Sequence[Fact]) -> Compound:
    """It read backwards, or a letter within it."""
    thing = a_word(rng, known)
    if rng.random() < 0.5:
        form = rng.choice(("Spell {x} backwards.", "Write {x} in reverse."))
        return _made(rng, level, [thing], form, form, "short", lambda word: word[::-1], (thing.answer,))
    index = rng.randrange(1, min(len(thing.answer), len(ORDINALS)))
    return _letter(rng, level, thing, ORDINALS[index], index)


def _no_vowels(word: str) -> str:
    return "".join(letter for letter in word if letter.lower() not in VOWELS)


def _of_word_hard(rng: random.Random, level: int, known: Sequence[Fact]) -> Compound:
    """Its letters sorted, its vowels left out, or a letter counted from the end."""
    while True:
        thing = a_word(rng, known)
        word, form = thing.answer, rng.randrange(3)
        if form == 0 and word.islower():
            text = rng.choice(("Sort the letters of {x}.", "Put the letters of {x} in order."))
            return _made(rng, level, [thing], text, text, "short", lambda w: "".join(sorted(w)), (word, word[::-1]))
        if form == 1 and "y" not in word.lower() and word != _no_vowels(word) != "":
            text = rng.choice(("Remove all vowels from {x}.", "Write {x} without its vowels."))
            return _made(rng, level, [thing], text, text, "short", _no_vowels, (word,))
        index = rng.randrange(1, 4)
        if form == 2 and index < len(word):
            text = f"What is the {ORDINALS[index]} letter from the end of {{x}}?"
            ends = (*word, "z", "x")
            return _made(rng, level, [thing], text, text, "short", lambda w, i=index: w[-1 - i : -i], ends)


def _of_number(rng: random.Random, level: int, thing: Thing) -> Compound:
    """A sum, a difference, a product, a Roman numeral, a comparison."""
    value, most = int(thing.answer), 20 if level == 1 else 100
    n = rng.randrange(2, most)
    form = rng.randrange(5)
    if form == 0 or (form == 1 and n >= value) or (form == 3 and value > ROMAN_MAX):
        text, last = f"Add {n} to {{x}}.", f"Add {{x}} and {n}."
        return _made(rng, level, [thing], text, last, "number", lambda x: str(int(x) + n), _around(value + n))
    if form == 1:
        text, near = f"Subtract {n} from {{x}}.", (*_around(value - n), str(value + n))
        return _made(rng, level, [thing], text, text, "number", lambda x: str(max(int(x) - n, 0)), near)
    if form == 2:
        factor = rng.randrange(2, 10)
        text, near = f"Multiply {{x}} by {factor}.", _around(value * factor)
        return _made(rng, level, [thing], text, text, "number", lambda x: str(int(x) * factor), near)
    if form == 3:
        text = rng.choice(("Write {x} as a Roman numeral.", "Convert {x} to Roman.", "What is {x} in Roman numerals?"))
        near = (roman(value + 1), roman(value + 10))
        return _made(rng, level, [thing], text, text, "short", lambda x: roman(int(x)), near)
    n = max(value + rng.choice((-5, -3, -2, -1, 1, 2, 3, 5)), 0)
    text = rng.choice((f"Is {{x}} greater than {n}?", f"Is {{x}} more than {n}?"))
    return _made(rng, level, [thing], text, text, "choice", lambda x: "yes" if int(x) > n else "no")


def _of_easy_number(rng: random.Random, level: int, _known: Sequence[Fact]) -> Compound:
    return _of_number(rng, level, an_easy_number(rng))


def _of_any_number(rng: random.Random, level: int, _known: Sequence[Fact]) -> Compound:
    return _of_number(rng, level, a_number(rng))


def _of_length(rng: random.Random, level: int, known: Sequence[Fact]) -> Compound:
    """Three parts in a row: a word, how many letters it has, what is done with that number."""
    return _of_number(rng, level, length_of(a_word(rng, known)))


def _of_month(rng: random.Random, level: int, _known: Sequence[Fact]) -> Compound:
    """How long it is in some year."""
    thing, year = a_month(rng), rng.randrange(1900, 2101)
    text = rng.choice((f"How many days has {{x}} in {year}?", f"In {year}, how many days has {{x}}?"))
    last = f"How many days has {{x}} {year}?"

    def days(month: str) -> str:
        length = LENGTHS[MONTHS.index(month)]
        return str(length + (month == "February" and is_leap(year)))

    return _made(rng, level, [thing], text, last, "number", days, ("30", "31", "28", "29"))


def _of_two_numbers(rng: random.Random, level: int, _known: Sequence[Fact]) -> Compound:
    """A sum, a difference, a product or a comparison of both."""
    x, y = an_easy_number(rng), an_easy_number(rng)
    a, b = int(x.answer), int(y.answer)
    form = rng.randrange(4)
    if form == 1 and a > b:
        text, near = "Subtract {y} from {x}.", (*_around(a - b), str(a + b))
        return _made(rng, level, [x, y], text, text, "number", lambda p, q: str(max(int(p) - int(q), 0)), near)
    if form == 2 and b < 10:
        text, near = "Multiply {x} by {y}.", (*_around(a * b), str(a + b))
        return _made(rng, level, [x, y], text, text, "number", lambda p, q: str(int(p) * int(q)), near)
    if form == 3 and a != b:
        text = "Is {x} greater than {y}?"
        return _made(rng, level, [x, y], text, text, "choice", lambda p, q: "yes" if int(p) > int(q) else "no")
    text = "Add {x} to {y}."
    return _made(
        rng, level, [x, y], text, "Add {x} and {y}.", "number", lambda p, q: str(int(p) + int(q)), _around(a + b)
    )


def _of_two_words(rng: random.Random, level: int, known: Sequence[Fact]) -> Compound:
    """Both joined."""
    x, y = an_easy_word(rng, known), a_word(rng, known)
    text = rng.choice(("Join {x} and {y}.", "Write {x} and {y} as one word."))
    return _made(rng, level, [x, y], text, text, "short", lambda p, q: p + q, (y.answer + x.answer,))


Form = Callable[[random.Random, int, Sequence[Fact]], Compound]

FORMS: dict[int, dict[Form, int]] = {
    1: {_of_easy_word: 1, _of_easy_number: 4},
    2: {_of_word: 2, _of_any_number: 6, _of_month: 4},
    3: {_of_word_hard: 3, _of_length: 6, _of_two_numbers: 8, _of_two_words: 4},
}
"""Level: what is asked at it, and how often. Facts make fewer questions than numbers do, so they come up less."""


def compose(rng: random.Random, level: int, known: Sequence[Fact] = FACTS) -> Compound:
    """One question of two or three parts; of the facts, only those known come up."""
    forms = FORMS[level]
    while True:
        (form,) = rng.choices(list(forms), list(forms.values()))
        made = form(rng, level, known)
        if len(made.text) <= TEXT_LENGTH_MAX:
            return made


def ask(rng: random.Random, level: int, known: Sequence[Fact] = FACTS) -> Task:
    """One question made of others, as `compose` makes it."""
    return compose(rng, level, known)
