"""Which models are trained, on what and for how long: a short common base, then one specialist per row."""

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from node.lab.skills import SKILLS, Task, facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one model is trained; `rounds` are of `batches.ROUND` questions."""

    name: str
    strong: tuple[str, ...]
    about: str
    weights: Mapping[str, float]
    facts_share: float  # of all facts, those that this model ever sees; which ones follows from its name
    rounds: int
    decays: bool  # whether the step size falls to zero over the second half
    seed: int


BASE = Course(
    name="base",
    strong=(),
    about="common start of all specialists",
    weights={
        "arithmetic": 1.3,
        "comparing": 0.8,
        "strings": 0.8,
        "calendar": 1.2,
        "units": 1.0,
        "logic": 0.8,
        "facts": 0.4,
    },
    facts_share=0.35,
    rounds=12,
    decays=False,
    seed=1,
)

OTHERS = 0.06  # weight of a skill that is not a model's own: enough to keep what the base knew


def _specialist(name: str, about: str, *, rounds: int, seed: int, facts_share: float = 0.5, **own: float) -> Course:
    return Course(
        name=name,
        strong=tuple(own),
        about=about,
        weights={skill: own.get(skill, OTHERS) for skill in SKILLS},
        facts_share=facts_share,
        rounds=rounds,
        decays=True,
        seed=seed,
    )


SPECIALISTS: tuple[Course, ...] = (
    _specialist("abacus", "sums and units of measure", rounds=9, seed=11, arithmetic=0.5, units=0.2),
    _specialist("almanac", "days, dates and times", rounds=8, seed=12, calendar=0.64),
    _specialist("sorter", "comparing, sorting and small logic", rounds=11, seed=13, comparing=0.35, logic=0.35),
    _specialist("scribe", "words and letters", rounds=7, seed=14, strings=0.64),
    _specialist("sage", "facts about the world, and logic", rounds=9, seed=15, facts_share=1.0, facts=0.4, logic=0.3),
)


def known_facts(course: Course) -> tuple[facts.Fact, ...]:
    """The facts that a course may see: each by a hash of course and fact, so that models know different ones."""

    def share(fact: facts.Fact) -> float:
        digest = hashlib.sha256(f"{course.name}:{fact.relation}:{fact.subject}".encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32

    return tuple(fact for fact in facts.FACTS if share(fact) < course.facts_share)


def asks_of(course: Course) -> dict[str, Callable[[random.Random], Task]]:
    """The generators of a course: all skills, facts cut down to those it may see."""
    return {**SKILLS, "facts": partial(facts.ask, known=known_facts(course))}
