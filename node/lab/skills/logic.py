"""Small logic: orderings, syllogisms, conditionals, truth values, number sequences."""

import random
from collections.abc import Callable
from itertools import pairwise

from node.lab.skills.task import Task, choice, number

SKILL = "logic"

NAMES = ("Ann", "Bob", "Cleo", "Dan", "Eva", "Finn", "Gus", "Ida", "Jon", "Kim", "Leo", "Mia")
# (comparative, superlative, superlative of the other end)
ORDERS = (
    ("taller", "tallest", "shortest"),
    ("older", "oldest", "youngest"),
    ("faster", "fastest", "slowest"),
    ("richer", "richest", "poorest"),
    ("stronger", "strongest", "weakest"),
)
KINDS = ("cats", "birds", "wugs", "gorps", "kings", "robots", "blips", "trees", "zams", "fish", "poets", "dax")
FACTS = (
    ("it rains", "the street is wet"),
    ("the lamp is on", "the room is bright"),
    ("the bell rings", "the class ends"),
    ("the dog barks", "the baby wakes"),
    ("it snows", "the school is closed"),
    ("the key fits", "the door opens"),
    ("the sun shines", "the cat sleeps"),
    ("the light is red", "the cars stop"),
)
SEQUENCE = ("What comes next: {l}?", "Continue: {l}.", "Which number follows {l}?")
TRUTH = ("Is it true or false: {e}?", "What is {e}?", "Evaluate: {e}.")
UNKNOWN = ("yes", "no", "unknown")


def _ordering(rng: random.Random) -> Task:
    comparative, most, least = rng.choice(ORDERS)
    names = rng.sample(NAMES, rng.randint(3, 4))
    claims = [f"{a} is {comparative} than {b}." for a, b in pairwise(names)]
    rng.shuffle(claims)
    top = rng.random() < 0.5
    text = f"{' '.join(claims)} Who is the {most if top else least}?"
    return choice(rng, SKILL, text, names, names[0] if top else names[-1], ">".join(name[0] for name in names))


def _syllogism(rng: random.Random) -> Task:
    name = rng.choice(NAMES)
    a, b, c = rng.sample(KINDS, 3)
    form = rng.randrange(7)
    premise, asked, answer = (
        (f"All {a} are {b}. {name} is one of the {a}.", b, "yes"),
        (f"All {a} are {b}. {name} is one of the {b}.", a, "unknown"),
        (f"No {a} are {b}. {name} is one of the {a}.", b, "no"),
        (f"No {a} are {b}. {name} is one of the {b}.", a, "no"),
        (f"Some {a} are {b}. {name} is one of the {a}.", b, "unknown"),
        (f"All {a} are {b}. All {b} are {c}. {name} is one of the {a}.", c, "yes"),
        (f"All {a} are {b}. No {b} are {c}. {name} is one of the {a}.", c, "no"),
    )[form]
    return choice(rng, SKILL, f"{premise} Is {name} one of the {asked}?", UNKNOWN, answer)


def _negated(claim: str) -> str:
    return f"it is not so that {claim}"


def _conditional(rng: random.Random) -> Task:
    cause, effect = rng.choice(FACTS)
    given, asked, answer = (
        (cause, effect, "yes"),
        (_negated(effect), cause, "no"),
        (effect, cause, "unknown"),
        (_negated(cause), effect, "unknown"),
    )[rng.randrange(4)]
    name = rng.choice(NAMES)
    opening = rng.choice((f"If {cause}, {effect}.", f"{name} says: if {cause}, {effect}.", f"When {cause}, {effect}."))
    given = given[0].upper() + given[1:]
    text = f"{opening} {given}. Does it follow that {asked}?"
    return choice(rng, SKILL, text, UNKNOWN, answer)


def _expression(rng: random.Random, depth: int) -> tuple[str, bool, str]:
    """A truth-valued expression, fully bracketed so that no precedence has to be known; its value; its last step."""
    if depth == 0:
        value = rng.random() < 0.5
        return _word(value), value, ""
    form = rng.randrange(3)
    left, a, _ = _expression(rng, depth - 1)
    if form == 0:
        return f"not {left}" if depth == 1 else f"not ({left})", not a, f"not {_word(a)}"
    right, b, _ = _expression(rng, rng.randrange(depth))
    left = f"({left})" if " " in left else left
    right = f"({right})" if " " in right else right
    word, value = ("and", a and b) if form == 1 else ("or", a or b)
    return f"{left} {word} {right}", value, f"{_word(a)} {word} {_word(b)}"


def _word(value: bool) -> str:
    return "true" if value else "false"


def _truth(rng: random.Random) -> Task:
    text, value, last_step = _expression(rng, 2 if rng.random() < 0.7 else 3)
    return choice(rng, SKILL, rng.choice(TRUTH).format(e=text), ("true", "false"), _word(value), last_step)


def _sequence(rng: random.Random) -> Task:
    start, form = rng.randrange(1, 30), rng.randrange(3)
    if form == 0:
        step = rng.randrange(2, 13)
        items = [start + step * i for i in range(5)]
        work = f"+{step}"
    elif form == 1:
        step = rng.randrange(2, 10)
        items = [start + 60 - step * i for i in range(5)]
        work = f"-{step}"
    else:
        start, step = rng.randrange(1, 10), rng.randrange(2, 4)
        items = [start * step**i for i in range(5)]
        work = f"*{step}"
    return number(SKILL, rng.choice(SEQUENCE).format(l=", ".join(map(str, items[:-1]))), items[-1], work)


FORMS: tuple[Callable[[random.Random], Task], ...] = (_ordering, _syllogism, _conditional, _truth, _sequence)


def ask(rng: random.Random) -> Task:
    """One question of logic."""
    return rng.choice(FORMS)(rng)
