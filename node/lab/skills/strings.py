"""Words as strings of letters: picking, counting, reversing, sorting, joining, leaving out."""

import random
from collections.abc import Callable, Mapping

from node.lab.skills.task import Task, choice, number, other_than, short
from node.lab.skills.words import LETTERS, VOWELS, any_name, any_word, misspelt

SKILL = "strings"

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")

REVERSE = (
    "Reverse the word {w}.",
    "Spell {w} backwards.",
    "What is {w} read backwards?",
    "Write {w} in reverse.",
    "Turn {w} round.",
)
PICK = (
    "What is the {o} letter of {w}?",
    "Give the {o} letter of {w}.",
    "Which letter of {w} is the {o}?",
    "Name the {o} letter of {w}.",
)
PICK_FROM_END = (
    "What is the {o} letter from the end of {w}?",
    "Give the {o} letter from the end of {w}.",
    "Counted from the end, what is the {o} letter of {w}?",
)
LENGTH = (
    "How many letters has {w}?",
    "How long is the word {w}?",
    "Count the letters in {w}.",
    "How many letters are in {w}?",
)
CONTAINS = ("Does {w} have the letter {c}?", "Does {w} contain the letter {c}?", "Is the letter {c} in {w}?")
HOW_OFTEN = (
    "How many times does {c} occur in {w}?",
    "How often is {c} in {w}?",
    "Count the letter {c} in {w}.",
)
JOIN = ("Join {v} and {w}.", "Write {v} and {w} as one word.", "What is {v} followed by {w}?")
CAPITALS = ("Write {w} in capitals.", "Put {w} in upper case.", "Spell {w} in capitals.", "What is {w} in capitals?")
STARTS = ("Does {w} start with {c}?", "Is {c} the first letter of {w}?", "Does {w} begin with {c}?")
SORT = (
    "Sort the letters of {w}.",
    "Put the letters of {w} in order.",
    "Write the letters of {w} from a to z.",
    "What are the letters of {w} in order?",
)
NO_VOWELS = (
    "Remove all vowels from {w}.",
    "Write {w} without its vowels.",
    "What is {w} without vowels?",
    "Leave the vowels out of {w}.",
)
SWAP_ENDS = (
    "Swap the first and last letter of {w}.",
    "Write {w} with its first and last letter swapped.",
    "Exchange the first and last letter of {w}.",
)


def _ends(rng: random.Random) -> Task:
    """The first or the last letter: asked for, or whether the word starts with one."""
    word = any_name(rng)
    if rng.random() < 0.3:
        word = word.lower()
        letter = word[0] if rng.random() < 0.5 else other_than(rng, LETTERS, word[0])
        answer = "yes" if letter == word[0] else "no"
        return choice(rng, SKILL, rng.choice(STARTS).format(c=letter, w=word), ("yes", "no"), answer, level=1)
    place = rng.choice((0, -1))
    text = rng.choice(PICK).format(o="last" if place else "first", w=word)
    return short(SKILL, text, word[place], level=1, near=_other_letters(rng, word, place))


def _other_letters(rng: random.Random, word: str, place: int) -> tuple[str, ...]:
    """Letters beside a place, the other end, and some letter at last."""
    at = place % len(word)
    beside = [word[i] for i in (at - 1, at + 1) if 0 <= i < len(word)]
    return (*beside, word[-1 - at], other_than(rng, LETTERS, word[at].lower()))


def _length(rng: random.Random, level: int) -> Task:
    word = any_name(rng, 3, 5) if level == 1 else any_name(rng, 6, 8)
    work = "" if level == 1 else " ".join(f"{letter}{i}" for i, letter in enumerate(word, 1))
    near = (len(word) + rng.choice((-1, 1)), len(word) + 2)
    return number(SKILL, rng.choice(LENGTH).format(w=word), len(word), work, level=level, near=near)


def _short_length(rng: random.Random) -> Task:
    return _length(rng, 1)


def _long_length(rng: random.Random) -> Task:
    return _length(rng, 2)


def _capitals(rng: random.Random) -> Task:
    word = any_name(rng)
    text = rng.choice(CAPITALS).format(w=word)
    return short(SKILL, text, word.upper(), level=1, near=misspelt(rng, word.upper()))


def _join(rng: random.Random) -> Task:
    first, second = any_name(rng, 3, 6), any_name(rng, 3, 6)
    text = rng.choice(JOIN).format(v=first, w=second)
    near = (second + first, *misspelt(rng, first + second))
    return short(SKILL, text, first + second, level=1, near=near)


def _reversed(rng: random.Random, word: str, level: int) -> Task:
    text = rng.choice(REVERSE).format(w=word)
    return short(SKILL, text, word[::-1], level=level, near=(*misspelt(rng, word[::-1]), word))


def _reverse_short(rng: random.Random) -> Task:
    return _reversed(rng, any_name(rng, 3, 5), 2)


def _reverse_long(rng: random.Random) -> Task:
    return _reversed(rng, any_name(rng, 6, 8), 3)


def _pick(rng: random.Random) -> Task:
    """A letter by its place; the work spells the word up to it."""
    word = any_name(rng, 4, 8)
    place = rng.randrange(1, min(len(word), len(ORDINALS)))
    text = rng.choice(PICK).format(o=ORDINALS[place], w=word)
    return short(SKILL, text, word[place], " ".join(word[: place + 1]), level=2, near=_other_letters(rng, word, place))


def _pick_from_end(rng: random.Random) -> Task:
    """A letter by its place counted from the end; the work spells the word backwards up to it."""
    word = any_name(rng, 5, 8)
    place = rng.randrange(1, 5)
    text = rng.choice(PICK_FROM_END).format(o=ORDINALS[place], w=word)
    work = " ".join(word[: -place - 2 : -1])
    return short(SKILL, text, word[-place - 1], work, level=3, near=_other_letters(rng, word, -place - 1))


def _contains(rng: random.Random) -> Task:
    word = any_word(rng)
    letter = rng.choice(word) if rng.random() < 0.5 else other_than(rng, LETTERS, *word)
    text = rng.choice(CONTAINS).format(c=letter, w=word)
    return choice(rng, SKILL, text, ("yes", "no"), "yes" if letter in word else "no", level=2)


def _how_often(rng: random.Random) -> Task:
    """How many times a letter occurs; the work spells them out, each with its number."""
    word = any_word(rng, 4, 8)
    letter = max(rng.sample(word, 3), key=word.count) if rng.random() < 0.85 else rng.choice(LETTERS)
    count = word.count(letter)
    work = " ".join(f"{letter}{i}" for i in range(1, count + 1))
    near = (abs(count - 1), count + 1)
    return number(SKILL, rng.choice(HOW_OFTEN).format(c=letter, w=word), count, work, level=2, near=near)


def _sort(rng: random.Random) -> Task:
    word = any_word(rng, 4, 7)
    answer = "".join(sorted(word))
    text = rng.choice(SORT).format(w=word)
    return short(SKILL, text, answer, level=3, near=(*misspelt(rng, answer), answer[::-1]))


def _no_vowels(rng: random.Random) -> Task:
    """Words with a y are left out: whether it is a vowel depends on the word."""
    while True:
        word = any_name(rng, 5, 8)
        answer = "".join(letter for letter in word if letter.lower() not in VOWELS)
        if answer and answer != word and "y" not in word.lower():
            break
    gone = next(i for i, letter in enumerate(word) if letter.lower() in VOWELS)
    one_left = "".join(letter for i, letter in enumerate(word) if i == gone or letter.lower() not in VOWELS)
    text = rng.choice(NO_VOWELS).format(w=word)
    return short(SKILL, text, answer, level=3, near=(one_left, *misspelt(rng, answer)))


def _swap_ends(rng: random.Random) -> Task:
    word = any_word(rng, 5, 8)
    answer = word[-1] + word[1:-1] + word[0]
    text = rng.choice(SWAP_ENDS).format(w=word)
    work = f"{word[0]} {word[-1]}"
    return short(SKILL, text, answer, work, level=3, near=(word, *misspelt(rng, answer), word[::-1]))


FORMS: Mapping[int, tuple[Callable[[random.Random], Task], ...]] = {
    1: (_ends, _short_length, _capitals, _join, _join),
    2: (_reverse_short, _reverse_short, _pick, _pick, _long_length, _contains, _how_often),
    3: (_reverse_long, _pick_from_end, _sort, _no_vowels, _swap_ends),
}
"""Level: what is asked at it, each form equally often."""


def ask(rng: random.Random, level: int) -> Task:
    """One question about the letters of words."""
    return rng.choice(FORMS[level])(rng)
