"""Refuses a grammar that would make llama.cpp hang, run out of memory or end the process.

Found by trying: {5,2} repeats 2^64 times; a long text repeated takes gigabytes; rules that begin with two of the next
are walked through 2^n times; left recursion behind a rule that may be empty is not noticed there and grows for ever.
"""

import graphlib
from collections import Counter
from collections.abc import Iterator, Mapping

from node.model.errors import GrammarInvalid
from node.model.llamacpp.gbnf import Alternatives, Group, Item, Letters, Reference, Repeated, read

ELEMENTS_MAX = 200_000  # letters and names, after repetitions are written out as llama.cpp does
VISITS_MAX = 1_000_000  # of rules, in llama.cpp's search for left recursion; it remembers nothing


def check(text: str) -> None:
    """Raises: GrammarInvalid: it is no grammar, or one that llama.cpp cannot be given; the message says why."""
    rules = read(text)
    if "root" not in rules:
        raise GrammarInvalid("it has no rule called root, where it would begin")
    for name, alternatives in rules.items():
        for wanted in _references(alternatives):
            if wanted not in rules:
                raise GrammarInvalid(f"the rule {name} names {wanted}, which there is not")
    if sum(1 + _size(alternatives) for alternatives in rules.values()) > ELEMENTS_MAX:
        raise GrammarInvalid(f"with repetitions written out it has more than {ELEMENTS_MAX} parts")
    _check_beginnings(rules)


def _size(alternatives: Alternatives) -> int:
    """How many elements llama.cpp makes of it."""
    return sum(_width(item) + _inside(item) for sequence in alternatives for item in sequence)


def _width(item: Item) -> int:
    """How many elements of the rule it stands in. A group is a rule of its own there."""
    match item:
        case Letters(size=size):
            return size
        case Reference() | Group():
            return 1
        case Repeated(item=inner):
            return item.times * _width(inner)


def _inside(item: Item) -> int:
    """How many elements of further rules; a repetition with an end has one for each time."""
    match item:
        case Letters() | Reference():
            return 0
        case Group(alternatives=alternatives):
            return _size(alternatives)
        case Repeated(item=inner):
            return item.times * (_width(inner) + 1) + _inside(inner)


def _references(alternatives: Alternatives) -> Iterator[str]:
    for sequence in alternatives:
        for item in sequence:
            yield from _references_of(item)


def _references_of(item: Item) -> Iterator[str]:
    match item:
        case Reference(name=name):
            yield name
        case Group(alternatives=alternatives):
            yield from _references(alternatives)
        case Repeated(item=inner):
            yield from _references_of(inner)
        case Letters():
            return


def _check_beginnings(rules: Mapping[str, Alternatives]) -> None:
    empty = _may_be_empty(rules)
    first = {name: _first(alternatives, empty) for name, alternatives in rules.items()}
    try:
        order = list(graphlib.TopologicalSorter({name: list(found) for name, found in first.items()}).static_order())
    except graphlib.CycleError as cycle:
        raise GrammarInvalid(f"left recursion: {' begins with '.join(cycle.args[1][::-1])}") from None
    visits: dict[str, int] = {}
    for name in order:
        visits[name] = min(VISITS_MAX, 1 + sum(count * visits[begun] for begun, count in first[name].items()))
    again = sum(
        count * visits[begun] for alternatives in rules.values() for begun, count in _again(alternatives, empty)
    )
    if sum(visits.values()) + again > VISITS_MAX:
        raise GrammarInvalid("its rules begin with one another in too many ways")


def _may_be_empty(rules: Mapping[str, Alternatives]) -> set[str]:
    users: dict[str, set[str]] = {name: set() for name in rules}
    for name, alternatives in rules.items():
        for used in _references(alternatives):
            users[used].add(name)
    empty: set[str] = set()
    waiting = sorted(rules)
    while waiting:
        name = waiting.pop()
        if name not in empty and _is_empty(rules[name], empty):
            empty.add(name)
            waiting += sorted(users[name] - empty)
    return empty


def _is_empty(alternatives: Alternatives, empty: set[str]) -> bool:
    return any(all(_item_is_empty(item, empty) for item in sequence) for sequence in alternatives)


def _item_is_empty(item: Item, empty: set[str]) -> bool:
    match item:
        case Letters():
            return False
        case Reference(name=name):
            return name in empty
        case Group(alternatives=alternatives):
            return _is_empty(alternatives, empty)
        case Repeated(item=inner, least=least):
            return least == 0 or _item_is_empty(inner, empty)


def _first(alternatives: Alternatives, empty: set[str]) -> Counter[str]:
    """The rules that something may begin with, and how often llama.cpp looks at each."""
    found: Counter[str] = Counter()
    for sequence in alternatives:
        for item in sequence:
            found.update(_item_first(item, empty))
            if not _item_is_empty(item, empty):
                break
    return found


def _item_first(item: Item, empty: set[str]) -> Counter[str]:
    match item:
        case Letters():
            return Counter()
        case Reference(name=name):
            return Counter([name])
        case Group(alternatives=alternatives):
            return _first(alternatives, empty)
        case Repeated(item=inner):
            times = item.times if _item_is_empty(inner, empty) else 1
            return Counter({name: count * times for name, count in _item_first(inner, empty).items()})


def _again(alternatives: Alternatives, empty: set[str]) -> Iterator[tuple[str, int]]:
    """What the rules begin with that a repetition is made of, one for each time."""
    for sequence in alternatives:
        for item in sequence:
            while isinstance(item, Repeated):
                inner = item.item
                yield from ((name, count * item.times) for name, count in _item_first(inner, empty).items())
                item = inner
            if isinstance(item, Group):
                yield from _again(item.alternatives, empty)
