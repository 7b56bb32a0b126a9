"""Small logic: orderings, syllogisms, conditionals, truth values, who lies, number sequences."""

import random
from collections.abc import Callable, Mapping
from itertools import accumulate, cycle, islice, pairwise

from node.lab.skills.arithmetic import difference_work, product_work, sum_work
from node.lab.skills.task import Task, choice, number, short

SKILL = "logic"

NAMES = (
    *("Ann", "Bob", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hal", "Ida", "Jon", "Kim", "Leo", "Mia", "Ned", "Oli", "Pam"),
    *("Rex", "Sue", "Tom", "Una", "Vic", "Wes", "Yan", "Zoe"),
)  # each with an initial of its own
# (comparative, its contrary, superlative, superlative of the other end)
ORDERS = (
    ("taller", "shorter", "tallest", "shortest"),
    ("older", "younger", "oldest", "youngest"),
    ("faster", "slower", "fastest", "slowest"),
    ("richer", "poorer", "richest", "poorest"),
    ("stronger", "weaker", "strongest", "weakest"),
)
# Made-up kinds: of real ones one knows more than the premises say.
KINDS = tuple(
    "wugs gorps blips zams dax vups mims tofs lorks nibs pliks droms fends gaxes hoks jabs kells rumps sibs trods vims "
    "yops zibs chems".split()
)
CAUSES = tuple(
    "it rains;the lamp is on;the bell rings;the dog barks;it snows;the key fits;the sun shines;the light is red;"
    "the wind blows;the cat is hungry;the tea is hot;the moon is full;the train is late;the river is high;"
    "the shop is open;the king laughs;the soup boils;the clock stops;the horn sounds;the bus comes".split(";")
)
EFFECTS = tuple(
    "the flag is up;the room is lit;the class ends;the baby wakes;the school shuts;the door opens;"
    "the cat sleeps;the cars stop;the boat sails;the road is wet;the gate is shut;the fish bite;the band plays;"
    "the owl calls;bread is cheap;the cook sings;the pond is calm;the bees fly;the rope holds;the mill turns".split(";")
)
SEQUENCE = ("What comes next: {l}?", "Continue: {l}.", "Which number follows {l}?")
TRUTH = ("Is it true or false: {e}?", "What is {e}?", "Evaluate: {e}.")
UNKNOWN = ("yes", "no", "unknown")
# Whether a claim of a speaker holds, given that (the speaker, the other) tells the truth.
CLAIMS: Mapping[str, Callable[[bool, bool], bool]] = {
    "{other} lies": lambda _, other: not other,
    "{other} tells the truth": lambda _, other: other,
    "we both lie": lambda me, other: not me and not other,
    "we both tell the truth": lambda me, other: me and other,
    "just one of us lies": lambda me, other: me != other,
    "at least one of us lies": lambda me, other: not (me and other),
}
LIARS = (
    "{a} and {b} each always lie or never do. {a}: {p}. {b}: {q}. Who lies?",
    "Liars always lie, others never. {a}: {p}. {b}: {q}. Who lies?",
)
WORLDS = ((True, True), (True, False), (False, True), (False, False))  # who of two tells the truth


def _ordered(rng: random.Random, level: int, count: int) -> Task:
    """Who stands at an end of an order, of which each neighbouring pair is told; at level 3 from either side."""
    comparative, contrary, most, least = rng.choice(ORDERS)
    names = rng.sample([name for name in NAMES if len(name) == 3 or level < 3], count)
    claims = [
        f"{b} is {contrary} than {a}." if level == 3 and rng.random() < 0.3 else f"{a} is {comparative} than {b}."
        for a, b in pairwise(names)
    ]
    rng.shuffle(claims)
    top = rng.random() < 0.5
    text = f"{' '.join(claims)} Who is the {most if top else least}?"
    answer, work = names[0] if top else names[-1], ">".join(name[0] for name in names)
    if level == 3:  # five names in the text are enough
        near = rng.sample([name for name in names if name != answer], 3)
        return short(SKILL, text, answer, work, level=level, near=near)
    return choice(rng, SKILL, text, names, answer, work, level=level)


def _order_of_3(rng: random.Random) -> Task:
    return _ordered(rng, 1, 3)


def _order_of_4(rng: random.Random) -> Task:
    return _ordered(rng, 2, 4)


def _order_of_5(rng: random.Random) -> Task:
    return _ordered(rng, 3, 5)


def _syllogism(rng: random.Random) -> Task:
    """The worked step lists what follows for the one who is asked about: `wugs, not gorps`."""
    name = rng.choice(NAMES)
    a, b = rng.sample(KINDS, 2)
    premise, given, asked, answer, work = rng.choice(
        (
            (f"All {a} are {b}.", a, b, "yes", f"{a}, {b}"),
            (f"All {a} are {b}.", b, a, "unknown", b),
            (f"No {a} are {b}.", a, b, "no", f"{a}, not {b}"),
            (f"No {a} are {b}.", b, a, "no", f"{b}, not {a}"),
            (f"Some {a} are {b}.", a, b, "unknown", a),
        )
    )
    text = f"{premise} {name} is one of the {given}. Is {name} one of the {asked}?"
    return choice(rng, SKILL, text, UNKNOWN, answer, work, level=1)


def _chained_syllogism(rng: random.Random) -> Task:
    """Of two premises, in either order; the worked step as in `_syllogism`."""
    name = rng.choice(NAMES)
    a, b, c = rng.sample(KINDS, 3)
    first, second, given, asked, answer, work = rng.choice(
        (
            (f"All {a} are {b}.", f"All {b} are {c}.", a, c, "yes", f"{a}, {b}, {c}"),
            (f"All {a} are {b}.", f"No {b} are {c}.", a, c, "no", f"{a}, {b}, not {c}"),
            (f"No {a} are {b}.", f"All {c} are {a}.", c, b, "no", f"{c}, {a}, not {b}"),
            (f"All {a} are {b}.", f"All {b} are {c}.", c, a, "unknown", c),
            (f"All {a} are {b}.", f"All {c} are {b}.", a, c, "unknown", f"{a}, {b}"),
            (f"Some {a} are {b}.", f"All {b} are {c}.", a, c, "unknown", a),
        )
    )
    premises = f"{first} {second}" if rng.random() < 0.5 else f"{second} {first}"
    text = f"{premises} {name} is one of the {given}. Is {name} one of the {asked}?"
    return choice(rng, SKILL, text, UNKNOWN, answer, work, level=2)


def _negated(claim: str) -> str:
    return f"it is not so that {claim}"


def _conditional(rng: random.Random) -> Task:
    """The worked step says which clause is given, and which is asked for: `not 2, 1?`."""
    cause, effect = rng.choice(CAUSES), rng.choice(EFFECTS)
    given, asked, answer, work = rng.choice(
        (
            (cause, effect, "yes", "1, 2?"),
            (_negated(effect), cause, "no", "not 2, 1?"),
            (effect, cause, "unknown", "2, 1?"),
            (_negated(cause), effect, "unknown", "not 1, 2?"),
        )
    )
    opening = rng.choice(("If {c}, {e}.", "If {c}, then {e}.", "When {c}, {e}."))
    opening = opening.format(c=cause, e=effect)
    text = f"{opening} {given[0].upper()}{given[1:]}. Does it follow that {asked}?"
    return choice(rng, SKILL, text, UNKNOWN, answer, work, level=2)


def _word(value: bool) -> str:
    return "true" if value else "false"


def _letter(value: bool) -> str:
    return "T" if value else "F"


def _atom(rng: random.Random, compared: float) -> tuple[str, bool]:
    if rng.random() >= compared:
        value = rng.random() < 0.5
        return _word(value), value
    a, b = rng.sample(range(1, 21), 2)
    return (f"{a} > {b}", a > b) if rng.random() < 0.5 else (f"{a} < {b}", a < b)


def _expression(rng: random.Random, depth: int, compared: float) -> tuple[str, bool, list[str]]:
    """A truth-valued expression, its value, and its steps from the inside out: `T&F=F`, `!F=T`.

    It is fully bracketed, so that no precedence has to be known. Of its atoms, the share `compared` compare numbers.
    """
    if depth == 0:
        text, value = _atom(rng, compared)
        return text, value, []
    form = rng.randrange(3) if depth < 3 else rng.randrange(1, 3)
    left, a, steps = _expression(rng, depth - 1, compared)
    left = f"({left})" if " " in left else left
    if form == 0:
        return f"not {left}", not a, [*steps, f"!{_letter(a)}={_letter(not a)}"]
    right, b, more = _expression(rng, rng.randrange(depth), compared)
    right = f"({right})" if " " in right else right
    word, sign, value = ("and", "&", a and b) if form == 1 else ("or", "|", a or b)
    step = f"{_letter(a)}{sign}{_letter(b)}={_letter(value)}"
    return f"{left} {word} {right}", value, [*steps, *more, step]


def _truth(rng: random.Random, level: int) -> Task:
    text, value, steps = _expression(rng, level, compared=1.0 if level == 2 else 0.4)
    text = rng.choice(TRUTH).format(e=text)
    return choice(rng, SKILL, text, ("true", "false"), _word(value), " ".join(steps), level=level)


def _truth_of_2(rng: random.Random) -> Task:
    return _truth(rng, 2)


def _truth_of_3(rng: random.Random) -> Task:
    return _truth(rng, 3)


def _who_lies(rng: random.Random) -> Task:
    """Two speakers, each a liar or not; drawn until just one world fits what they say.

    The work goes through the worlds and writes how the two claims come out in each, up to the one where they come out
    as their speakers are: `TT:FT TF:TF` says that only the second lies.
    """
    a, b = rng.sample([name for name in NAMES if len(name) == 3], 2)
    while True:
        (p, first), (q, second) = rng.choice(tuple(CLAIMS.items())), rng.choice(tuple(CLAIMS.items()))
        outcomes = [(first(x, y), second(y, x)) for x, y in WORLDS]
        fitting = [i for i, world in enumerate(WORLDS) if outcomes[i] == world]
        if len(fitting) == 1:
            break
    options = ("nobody", b, a, "both")
    shown = range(fitting[0] + 1)
    work = " ".join(":".join("".join(map(_letter, pair)) for pair in (WORLDS[i], outcomes[i])) for i in shown)
    text = rng.choice(LIARS).format(a=a, b=b, p=p.format(other=b), q=q.format(other=a))
    return choice(rng, SKILL, text, options, options[fitting[0]], work, level=3)


def _next(rng: random.Random, items: list[int], step: str, level: int) -> Task:
    """The last item is asked for; near are a step too many or too few, and one beside it.

    The worked step says how the step was found, if the items differ by the same each time, and how it is taken.
    """
    *shown, last = items
    before, now = shown[-2:]
    found = difference_work(max(before, now), min(before, now)) if " " not in step and "*" not in step else ""
    taken = _taken(now, last, step)
    work = " ".join(part for part in (found, step, taken) if part)
    text = rng.choice(SEQUENCE).format(l=", ".join(map(str, shown)))
    near = (2 * last - now, last + rng.choice((-1, 1)), 2 * now - before, now)
    return number(SKILL, text, last, work, level=level, near=[n for n in near if n >= 0])


def _taken(now: int, last: int, step: str) -> str:
    """How one comes from an item to the next."""
    if "*" in step:
        return product_work(now, last // now)
    return sum_work(now, last - now) if last > now else difference_work(now, now - last)


def _arithmetic(rng: random.Random) -> Task:
    step, count = rng.randrange(2, 13), rng.randint(4, 5)
    start = rng.randrange(1, 150)
    items = [start + step * i for i in range(count)]
    if rng.random() < 0.4:
        items.reverse()
    return _next(rng, items, f"{items[1] - items[0]:+d}", 1)


def _steep(rng: random.Random) -> Task:
    """Large steps, or each number a multiple of the one before."""
    if rng.random() < 0.3:
        start, factor, count = rng.randrange(2, 100), rng.randrange(2, 6), rng.randint(4, 5)
        return _next(rng, [start * factor**i for i in range(count)], f"*{factor}", 2)
    start, step = rng.randrange(1, 200), rng.randrange(13, 60)
    items = [start + step * i for i in range(5)]
    if rng.random() < 0.4:
        items.reverse()
    return _next(rng, items, f"{items[1] - items[0]:+d}", 2)


def _changing_steps(rng: random.Random) -> Task:
    """Two steps in turn, or steps that grow by a fixed number; the work lists them up to the one asked for."""
    if rng.random() < 0.5:
        steps = list(islice(cycle(rng.sample(range(1, 13), 2)), 5))
    else:
        first, growth = rng.randrange(1, 10), rng.randrange(1, 6)
        steps = [first + growth * i for i in range(5)]
    items = list(accumulate(steps, initial=rng.randrange(1, 60)))
    return _next(rng, items, " ".join(f"{step:+d}" for step in steps), 3)


FORMS: Mapping[int, tuple[Callable[[random.Random], Task], ...]] = {
    1: (_order_of_3, _syllogism, _arithmetic),
    2: (_order_of_4, _chained_syllogism, _conditional, _truth_of_2, _steep),
    3: (_order_of_5, _truth_of_3, _who_lies, _changing_steps),
}
"""Level: what is asked at it, each form equally often."""


def ask(rng: random.Random, level: int) -> Task:
    """One question of logic."""
    return rng.choice(FORMS[level])(rng)
