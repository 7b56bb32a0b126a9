"""Logic questions worked out anew, by trying every world that fits what is said."""

import itertools
import re


def integers(text: str) -> list[int]:
    """All whole numbers in a text, in order."""
    return [int(n) for n in re.findall(r"\d+", text)]


def part(pattern: str, text: str) -> str:
    """The first group of a pattern that must be there."""
    match = re.search(pattern, text)
    assert match is not None, f"{pattern!r} is not in {text!r}"
    return str(match[1])


def solved(text: str) -> str:
    """The answer to a question of logic."""
    if re.search(r"What comes next|Continue|follows \d", text):
        return str(continued(integers(text)))
    if match := re.search(r"(?:false: |What is |Evaluate: )([a-z0-9<>() ]+)[?.]", text):
        value = eval(match[1].replace("true", "True").replace("false", "False"), {"__builtins__": {}})
        return str(value).lower()
    if "Who lies" in text:
        return _liars(text)
    if re.search(r"Who is the", text):
        return _end_of_order(text)
    if "one of the" in text:
        return _possible_worlds(text)
    return _conditional(text)


def continued(items: list[int]) -> int:
    """The next number by the simplest rule that fits: one step, one factor, two steps in turn, steps that grow."""
    steps = [b - a for a, b in itertools.pairwise(items)]
    if len(set(steps)) == 1:
        return items[-1] + steps[0]
    if all(b * items[0] == a * items[1] for a, b in itertools.pairwise(items)):
        return items[-1] * items[1] // items[0]
    assert len(steps) == 4, "two steps in turn, or growing ones, show only in two rounds"
    if steps[:2] == steps[2:]:
        return items[-1] + steps[0]
    growth = {b - a for a, b in itertools.pairwise(steps)}
    assert len(growth) == 1, f"no rule continues {items}"
    return items[-1] + steps[-1] + growth.pop()


def _end_of_order(text: str) -> str:
    """The one who stands at an end in every order that fits; there must be just one."""
    contrary = {"taller": "short", "older": "young", "faster": "slow", "richer": "poor", "stronger": "weak"}
    positive = {"tall": "taller", "old": "older", "fast": "faster", "rich": "richer", "strong": "stronger"}
    claims: list[tuple[str, str, str]] = re.findall(r"(\w+) is (\w+) than (\w+)\.", text)
    more = [(a, b) if how in contrary else (b, a) for a, how, b in claims]
    assert len({how if how in contrary else _contrary_of(how, contrary) for _, how, _ in claims}) == 1
    names = sorted({n for pair in more for n in pair})
    asked = part(r"Who is the (\w+)est\?", text)
    fitting = [o for o in itertools.permutations(names) if all(o.index(a) < o.index(b) for a, b in more)]
    (end,) = {order[0] if asked in positive else order[-1] for order in fitting}
    return end


def _contrary_of(word: str, contrary: dict[str, str]) -> str:
    return next(how for how, other in contrary.items() if word.startswith(other))


def _liars(text: str) -> str:
    """Both speakers are tried as liars and not; a claim counts as said by its speaker."""
    (a, p), (b, q) = re.findall(r"(\w+): ([a-zA-Z ]+)\.", text)
    fitting = [
        (x, y)
        for x, y in itertools.product((True, False), repeat=2)
        if _holds(p, {a: x, b: y}) is x and _holds(q, {a: x, b: y}) is y
    ]
    assert len(fitting) == 1, "just one world fits"
    match fitting[0]:
        case (True, True):
            return "nobody"
        case (False, False):
            return "both"
        case (a_is_truthful, _):
            return str(b if a_is_truthful else a)


def _holds(claim: str, truthful: dict[str, bool]) -> bool:
    liars = [name for name, is_truthful in truthful.items() if not is_truthful]
    match claim.split():
        case [name, "lies"]:
            return name in liars
        case [name, "tells", "the", "truth"]:
            return name not in liars
        case ["we", "both", "lie"]:
            return len(liars) == 2
        case ["we", "both", "tell", "the", "truth"]:
            return not liars
        case ["just", "one", "of", "us", "lies"]:
            return len(liars) == 1
        case ["at", "least", "one", "of", "us", "lies"]:
            return len(liars) >= 1
        case _:
            raise AssertionError(claim)


def _possible_worlds(text: str) -> str:
    """Place the named one in every possible combination of kinds; see whether the premises settle the question."""
    rules = re.findall(r"(All|No|Some) (\w+) are (\w+)\.", text)
    given = part(r"is one of the (\w+)\.", text)
    asked = part(r"one of the (\w+)\?", text)
    kinds = sorted({k for _, a, b in rules for k in (a, b)})
    found = set()
    for inside in itertools.product((False, True), repeat=len(kinds)):
        world = dict(zip(kinds, inside, strict=True))
        fits = all(
            {"All": not world[a] or world[b], "No": not (world[a] and world[b]), "Some": True}[how]
            for how, a, b in rules
        )
        if world[given] and fits:
            found.add(world[asked])
    return "unknown" if len(found) == 2 else "yes" if found == {True} else "no"


def _conditional(text: str) -> str:
    match = re.search(r"(?:If|When|Whenever) (.*?), (?:then )?(.*?)\. (.*?)\. Does it follow that (.*?)\?", text)
    assert match is not None, text
    cause, effect, given, asked = match.groups()
    negated = given.lower().startswith("it is not so that ")
    given = given[0].lower() + given[1:]
    given = given.removeprefix("it is not so that ")
    found = set()
    for c, e in itertools.product((False, True), repeat=2):
        world = {cause: c, effect: e}
        if (not c or e) and world[given] is not negated:
            found.add(world[asked])
    return "unknown" if len(found) == 2 else "yes" if found == {True} else "no"
