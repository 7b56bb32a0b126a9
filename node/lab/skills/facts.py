"""Questions of facts about the world: open, as choices, turned round, and over two facts at once."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from node.lab.skills.task import Task, choice, other_than, short
from node.lab.skills.telling import NAMES
from node.lab.skills.world import RELATIONS, Relation

__all__ = ["FACTS", "RELATIONS", "Fact", "ask", "objects", "others", "phrased", "question", "with_articles"]

SKILL = "facts"
OPTIONS = 4
FEW = 8
"""Objects of a relation below which all options would often be the same ones: then their number varies, too."""
TRIES = 50
"""Facts drawn until one and the others known fill a form; who knows few may know none that does."""
OPEN = 0.2
"""Share of level 3's questions that offer no options."""
ASKED_BY = ("{p} asks: {q}", "{p} wants to know: {q}", "Quiz for {p}: {q}")
PEOPLED = 0.85
"""Share of short questions that somebody is said to ask, so that few facts still make many texts."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One pair of one relation."""

    relation: str
    subject: str
    object: str


FACTS: tuple[Fact, ...] = tuple(
    Fact(name, subject, answer) for name, relation in RELATIONS.items() for subject, answer in relation.pairs.items()
)


def phrased(phrasing: str, subject: str = "", object: str = "") -> str:  # noqa: A002 - the relation's word
    """A phrasing about a subject or object, with the article that it wants and a capital at the beginning."""
    text = with_articles(phrasing.format(s=subject, o=object))
    return text[0].upper() + text[1:]


def with_articles(text: str) -> str:
    """The text with `an` for `a` where the next word begins with a vowel."""
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def objects(relation: str) -> list[str]:
    """All objects of a relation, in alphabetical order."""
    return sorted(set(RELATIONS[relation].pairs.values()))


def _asked(rng: random.Random, text: str) -> str:
    """The question as it stands, or asked by somebody."""
    return rng.choice(ASKED_BY).format(p=rng.choice(NAMES), q=text) if rng.random() < PEOPLED else text


def question(rng: random.Random, fact: Fact) -> Task:
    """One way to ask openly for a fact."""
    text = phrased(rng.choice(RELATIONS[fact.relation].phrasings), fact.subject)
    return short(SKILL, _asked(rng, text), fact.object, level=1, near=others(rng, objects(fact.relation), fact.object))


def others(rng: random.Random, items: Sequence[str], answer: str) -> list[str]:
    """As many of the other items as a choice has wrong options."""
    wrong = [item for item in items if item != answer]
    return rng.sample(wrong, OPTIONS - 1 if len(items) >= FEW else rng.randint(1, min(OPTIONS - 1, len(wrong))))


def _open(rng: random.Random, fact: Fact, _known: Sequence[Fact]) -> Task:
    return question(rng, fact)


def _choice(rng: random.Random, fact: Fact, _known: Sequence[Fact]) -> Task:
    text = phrased(rng.choice(RELATIONS[fact.relation].phrasings), fact.subject)
    options = (fact.object, *others(rng, objects(fact.relation), fact.object))
    if len(objects(fact.relation)) < FEW:
        text = _asked(rng, text)
    return choice(rng, SKILL, text, options, fact.object, level=2)


def _truth(rng: random.Random, fact: Fact, _known: Sequence[Fact]) -> Task:
    """Whether a fact is so, or what another object makes of it; the work is the fact's own object."""
    relation = RELATIONS[fact.relation]
    true = rng.random() < 0.5
    shown = fact.object if true else other_than(rng, objects(fact.relation), fact.object)
    text = phrased(rng.choice(relation.truth), fact.subject, shown)
    return choice(rng, SKILL, _asked(rng, text), ("yes", "no"), "yes" if true else "no", fact.object, level=2)


def _turned(rng: random.Random, fact: Fact, _known: Sequence[Fact]) -> Task:
    """From the object to the subject."""
    relation = RELATIONS[fact.relation]
    text = phrased(rng.choice(relation.turned), "", fact.object)
    wrong = others(rng, list(relation.pairs), fact.subject)
    if rng.random() < OPEN:
        return short(SKILL, _asked(rng, text), fact.subject, level=3, near=wrong)
    return choice(rng, SKILL, text, (fact.subject, *wrong), fact.subject, level=3)


def _among(rng: random.Random, fact: Fact, known: Sequence[Fact]) -> Task | None:
    """The one of some subjects that has an object, or the one that has it not; all of them known."""
    relation = RELATIONS[fact.relation]
    alike = [f.subject for f in known if f.relation == fact.relation and f.object == fact.object]
    different = [f.subject for f in known if f.relation == fact.relation and f.object != fact.object]
    wanted, rest, text = fact.subject, different, relation.among
    if relation.odd and len(alike) >= OPTIONS - 1 and different and rng.random() < 0.7:
        wanted, rest, text = rng.choice(different), alike, relation.odd
    if len(rest) < OPTIONS - 1:
        return None
    options = (wanted, *rng.sample(rest, OPTIONS - 1))
    return choice(rng, SKILL, phrased(text, "", fact.object), options, wanted, level=3)


def _two_hops(rng: random.Random, fact: Fact, known: Sequence[Fact]) -> Task | None:
    """A second fact of a subject that the first one only describes; the work names it."""
    relation = RELATIONS[fact.relation]
    further = [f for f in known if f.subject == fact.subject and f.relation != fact.relation]
    if not further:
        return None
    second = rng.choice(further)
    subject = relation.whose.format(o=fact.object)
    text = phrased(rng.choice(RELATIONS[second.relation].phrasings), subject)
    wrong = others(rng, objects(second.relation), second.object)
    if rng.random() < OPEN:
        return short(SKILL, _asked(rng, text), second.object, fact.subject, level=3, near=wrong)
    return choice(rng, SKILL, text, (second.object, *wrong), second.object, fact.subject, level=3)


Form = Callable[[random.Random, Fact, Sequence[Fact]], Task | None]
_NEEDED: Mapping[Form, Callable[[Relation], object]] = {
    _truth: lambda relation: relation.truth,
    _turned: lambda relation: relation.turned,
    _among: lambda relation: relation.among,
    _two_hops: lambda relation: relation.whose,
}
"""What a relation must have for a form."""

FORMS: Mapping[int, tuple[Form, ...]] = {
    1: (_open,),
    2: (_choice, _choice, _choice, _truth),
    3: (_turned, _among, _two_hops),
}
"""Level: what is asked at it, each form equally often."""


def ask(rng: random.Random, level: int, known: Sequence[Fact] = FACTS) -> Task:
    """One question about one or more of the facts known; wrong options may be any of a relation."""
    form = rng.choice(FORMS[level])
    needed = _NEEDED.get(form)
    fitting = [fact for fact in known if needed is None or needed(RELATIONS[fact.relation])]
    for _ in range(TRIES if fitting else 0):
        task = form(rng, rng.choice(fitting), known)
        if task is not None:
            return task
    return replace(_choice(rng, rng.choice(known), known), level=level)
