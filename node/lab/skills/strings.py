"""Words as strings of letters: reversing, picking a letter, counting, looking for one, joining, capitals."""

import random
from collections.abc import Callable

from node.lab.skills.task import Task, choice, number, other_than, short
from node.lab.skills.words import WORDS

SKILL = "strings"

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOWELS = "aeiou"
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")

REVERSE = ("Reverse the word {w}.", "Spell {w} backwards.", "What is {w} read backwards?", "Write {w} in reverse.")
PICK = ("What is the {o} letter of {w}?", "Give the {o} letter of {w}.", "Which letter of {w} is the {o}?")
LENGTH = ("How many letters has {w}?", "How long is the word {w}?", "Count the letters in {w}.")
CONTAINS = ("Does {w} have the letter {c}?", "Does {w} contain the letter {c}?")
JOIN = ("Join {v} and {w}.", "Write {v} and {w} as one word.", "What is {v} followed by {w}?")
CAPITALS = ("Write {w} in capitals.", "Put {w} in upper case.")
STARTS = ("Does {w} start with {c}?", "Is {c} the first letter of {w}?")


def _word(rng: random.Random) -> str:
    """A real word or, as often, made-up letters, so that spelling must be read and not remembered."""
    if rng.random() < 0.5:
        return rng.choice(WORDS)
    length = rng.randint(3, 8)
    return "".join(rng.choice(VOWELS if rng.random() < 0.4 else LETTERS) for _ in range(length))


def _reverse(rng: random.Random) -> Task:
    word = _word(rng)
    return short(SKILL, rng.choice(REVERSE).format(w=word), word[::-1])


def _pick(rng: random.Random) -> Task:
    word = _word(rng)
    place = rng.randrange(min(len(word), len(ORDINALS)) + 1)
    if place == min(len(word), len(ORDINALS)):
        return short(SKILL, rng.choice(PICK).format(o="last", w=word), word[-1])
    return short(SKILL, rng.choice(PICK).format(o=ORDINALS[place], w=word), word[place])


def _length(rng: random.Random) -> Task:
    word = _word(rng)
    return number(SKILL, rng.choice(LENGTH).format(w=word), len(word))


def _yes_or_no(rng: random.Random) -> Task:
    word = _word(rng)
    if rng.random() < 0.5:
        letter = word[0] if rng.random() < 0.5 else other_than(rng, LETTERS, word[0])
        text, truth = rng.choice(STARTS).format(c=letter, w=word), word[0] == letter
    else:
        letter = rng.choice(word) if rng.random() < 0.5 else other_than(rng, LETTERS, *word)
        text, truth = rng.choice(CONTAINS).format(c=letter, w=word), letter in word
    return choice(rng, SKILL, text, ("yes", "no"), "yes" if truth else "no")


def _join(rng: random.Random) -> Task:
    first, second = _word(rng), _word(rng)
    return short(SKILL, rng.choice(JOIN).format(v=first, w=second), first + second)


def _capitals(rng: random.Random) -> Task:
    word = _word(rng)
    return short(SKILL, rng.choice(CAPITALS).format(w=word), word.upper())


FORMS: tuple[Callable[[random.Random], Task], ...] = (_reverse, _reverse, _pick, _length, _yes_or_no, _join, _capitals)


def ask(rng: random.Random) -> Task:
    """One question about the letters of words."""
    return rng.choice(FORMS)(rng)
