"""Things named by what is asked for them, such as `the capital of France`: the insides of compound questions."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from node.lab.skills.calendar import DAYS, MONTHS
from node.lab.skills.facts import FACTS, Fact, objects, others, phrased, with_articles
from node.lab.skills.units import roman
from node.lab.skills.words import any_word
from node.lab.skills.world import RELATIONS

WORDY = ("capital", "opposite", "young", "planet", "currency", "language", "plural", "past", "female")
"""Relations whose objects are words of which one may ask for letters."""
SHORTEST, LONGEST = 3, 9
"""Letters of such a word."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What the last of its parts asks for.

    Args:
        name: a noun phrase for it.
        parts: questions, `{1}` in them standing for the answer to the first, and so on.
        answers: to each part, the last being the thing itself.
        wrong: what it might be mistaken for.
    """

    name: str
    parts: tuple[str, ...]
    answers: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def answer(self) -> str:
        return self.answers[-1]

    def parts_from(self, before: int) -> tuple[str, ...]:
        """Its parts, when so many others come before them."""
        return tuple(re.sub(r"\{(\d)\}", lambda found: place(int(found[1]) + before), part) for part in self.parts)


def place(number: int) -> str:
    """What stands for the answer to the part of this number."""
    return f"{{{number}}}"


def _wordy(fact: Fact) -> bool:
    return fact.relation in WORDY and fact.object.isalpha() and SHORTEST <= len(fact.object) <= LONGEST


_WORDY_FACTS = tuple(fact for fact in FACTS if _wordy(fact))


def a_fact(rng: random.Random, known: Sequence[Fact]) -> Thing:
    """The object of a fact that is known, if it is one word; of any such fact if none is known."""
    fact = rng.choice(_WORDY_FACTS if known is FACTS else [fact for fact in known if _wordy(fact)] or _WORDY_FACTS)
    relation = RELATIONS[fact.relation]
    wrong = others(rng, [word for word in objects(fact.relation) if word.isalpha()], fact.object)
    name = with_articles(relation.whats.format(s=fact.subject))
    return Thing(name, (phrased(relation.phrasings[0], fact.subject),), (fact.object,), tuple(wrong))


def _turn(rng: random.Random, unit: str, circle: Sequence[str], most: int) -> Thing:
    start, n = rng.randrange(len(circle)), rng.randrange(2, most)
    ahead = rng.random() < 0.6
    end = start + n if ahead else start - n
    way = f"{n} {unit}s {'after' if ahead else 'before'} {circle[start]}"
    wrong = (circle[(end + 1) % len(circle)], circle[(end - 1) % len(circle)])
    return Thing(f"the {unit} {way}", (f"What {unit} is {way}?",), (circle[end % len(circle)],), wrong)


def a_month(rng: random.Random) -> Thing:
    """Some months after or before another."""
    return _turn(rng, "month", MONTHS, 25)


def an_easy_word(rng: random.Random, known: Sequence[Fact]) -> Thing:
    """A fact, or a day within a week of another."""
    return a_fact(rng, known) if rng.random() < 0.85 else _turn(rng, "day", DAYS, 7)


def a_word(rng: random.Random, known: Sequence[Fact]) -> Thing:
    """A fact, a day or a month."""
    if rng.random() < 0.5:
        return a_fact(rng, known)
    return _turn(rng, "day", DAYS, 30) if rng.random() < 0.5 else a_month(rng)


def length_of(word: Thing) -> Thing:
    """How many letters a thing has."""
    place_of_word = place(len(word.parts))
    size = len(word.answer)
    return Thing(
        f"the number of letters in {word.name}",
        (*word.parts, f"How many letters has {place_of_word}?"),
        (*word.answers, str(size)),
        (str(size + 1), str(size - 1)),
    )


def _number(name: str, question: str, value: int, *wrong: int) -> Thing:
    return Thing(name, (question,), (str(value),), tuple(str(number) for number in wrong))


def _sum(rng: random.Random, least: int, most: int) -> Thing:
    a, b = rng.randrange(least, most), rng.randrange(least, most)
    name = f"sum of {a} and {b}"
    return _number(f"the {name}", f"What is the {name}?", a + b, a + b - 10 if a + b > 20 else a + b + 1, a + b + 2)


def _largest(rng: random.Random, limit: int, count: int) -> Thing:
    items = rng.sample(range(2, limit), count)
    *first, last = map(str, items)
    ordered = sorted(items)
    if count > 3 or rng.random() < 0.5:
        name, question, value, wrong = "largest", "Which is the largest", ordered[-1], ordered[-2]
    else:
        name, question, value, wrong = "smallest", "Which is the smallest", ordered[0], ordered[1]
    listed = ", ".join(map(str, items))
    return _number(f"the {name} of {', '.join(first)} and {last}", f"{question}: {listed}?", value, wrong, ordered[1])


def _letters(rng: random.Random, least: int, most: int) -> Thing:
    word = any_word(rng, least, most)
    size = len(word)
    return _number(f"the number of letters in {word}", f"How many letters has {word}?", size, size + 1, size - 1)


def _product(rng: random.Random) -> Thing:
    a, b = rng.randrange(2, 13), rng.randrange(2, 10)
    name = f"product of {a} and {b}"
    return _number(f"the {name}", f"What is the {name}?", a * b, a * (b + 1), a * (b - 1))


def _difference(rng: random.Random) -> Thing:
    b, a = sorted(rng.sample(range(2, 100), 2))
    name = f"difference of {a} and {b}"
    return _number(f"the {name}", f"What is the {name}?", a - b, a - b + 10, a - b + 1)


def _from_roman(rng: random.Random) -> Thing:
    value = rng.randrange(2, 90)
    name = f"the Roman numeral {roman(value)}"
    return _number(name, f"What is {name}?", value, value + 1, value + 2)


def an_easy_number(rng: random.Random) -> Thing:
    """A small sum, an end of three numbers, the length of a short word."""
    form = rng.randrange(3)
    if form == 0:
        return _sum(rng, 2, 20)
    return _largest(rng, 30, 3) if form == 1 else _letters(rng, 3, 5)


def a_number(rng: random.Random) -> Thing:
    """A sum, difference or product, the largest of four, the length of a word, a Roman numeral."""
    form = rng.randrange(6)
    if form == 0:
        return _sum(rng, 10, 90)
    if form == 1:
        return _largest(rng, 200, 4)
    if form == 2:
        return _letters(rng, 6, 8)
    return (_product, _difference, _from_roman)[form - 3](rng)
