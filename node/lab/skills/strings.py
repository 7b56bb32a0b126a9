"""Words as strings of letters: reversing, picking, counting, leaving out, replacing, joining."""

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
COUNT = ("How many times is {c} in {w}?", "How often does {w} contain {c}?", "Count the letter {c} in {w}.")
CONTAINS = ("Does {w} have the letter {c}?", "Does {w} contain the letter {c}?")
NO_VOWELS = ("Remove the vowels from {w}.", "Write {w} without its vowels.", "Leave out a, e, i, o, u in {w}.")
REMOVE = ("Remove {c} from {w}.", "Write {w} without the letter {c}.", "Delete each {c} in {w}.")
REPLACE = ("Replace {c} by {d} in {w}.", "Change each {c} to {d} in {w}.", "In {w}, write {d} for {c}.")
JOIN = ("Join {v} and {w}.", "Write {v} and {w} as one word.", "What is {v} followed by {w}?")
CAPITALS = ("Write {w} in capitals.", "Put {w} in upper case.")
INITIALS = ("What are the initials of {l}?", "Join the first letters of {l}.")
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


def _letter_of(rng: random.Random, word: str) -> str:
    """Mostly a letter of the word, sometimes one that it lacks."""
    return rng.choice(word) if rng.random() < 0.7 else rng.choice(LETTERS)


def _count(rng: random.Random) -> Task:
    word = _word(rng)
    if rng.random() < 0.5:  # Few words repeat a letter, so half of the questions make one that does.
        word = word[:5] + rng.choice(word) + rng.choice(word)
    letter = _letter_of(rng, word)
    return number(SKILL, rng.choice(COUNT).format(c=letter, w=word), word.count(letter))


def _yes_or_no(rng: random.Random) -> Task:
    word = _word(rng)
    if rng.random() < 0.5:
        letter = word[0] if rng.random() < 0.5 else other_than(rng, LETTERS, word[0])
        text, truth = rng.choice(STARTS).format(c=letter, w=word), word[0] == letter
    else:
        letter = rng.choice(word) if rng.random() < 0.5 else other_than(rng, LETTERS, *word)
        text, truth = rng.choice(CONTAINS).format(c=letter, w=word), letter in word
    return choice(rng, SKILL, text, ("yes", "no"), "yes" if truth else "no")


def _remove(rng: random.Random) -> Task:
    word = _word(rng)
    if rng.random() < 0.5 and set(word) - set(VOWELS):
        return short(SKILL, rng.choice(NO_VOWELS).format(w=word), "".join(c for c in word if c not in VOWELS))
    letter = rng.choice(word)
    word = other_than(rng, LETTERS, letter) + word  # Something must be left.
    return short(SKILL, rng.choice(REMOVE).format(c=letter, w=word), word.replace(letter, ""))


def _replace(rng: random.Random) -> Task:
    word = _word(rng)
    old, new = rng.choice(word), rng.choice(LETTERS)
    return short(SKILL, rng.choice(REPLACE).format(c=old, d=new, w=word), word.replace(old, new))


def _join(rng: random.Random) -> Task:
    if rng.random() < 0.5:
        first, second = _word(rng), _word(rng)
        return short(SKILL, rng.choice(JOIN).format(v=first, w=second), first + second)
    words = [_word(rng) for _ in range(rng.randint(3, 4))]
    return short(SKILL, rng.choice(INITIALS).format(l=", ".join(words)), "".join(w[0] for w in words))


def _capitals(rng: random.Random) -> Task:
    word = _word(rng)
    return short(SKILL, rng.choice(CAPITALS).format(w=word), word.upper())


FORMS: tuple[Callable[[random.Random], Task], ...] = (
    _reverse,
    _reverse,
    _pick,
    _length,
    _count,
    _yes_or_no,
    _remove,
    _replace,
    _join,
    _capitals,
)


def ask(rng: random.Random) -> Task:
    """One question about the letters of words."""
    return rng.choice(FORMS)(rng)
