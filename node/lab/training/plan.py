"""Which models are trained, on what and for how long: a common base, from which generalists and specialists go on."""

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from node.lab.skills import SKILLS, Task, compound, facts

LEVEL_WEIGHTS = (3, 4, 3)  # how often training asks on each level


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one model is trained.

    Args:
        start: the course whose result this one starts from; "" starts from chance.
        rank: 0 trains all weights; otherwise the start is frozen and low-rank matrices beside its weights are trained.
        facts_share: of all facts, those that this course shows; which ones follows from its name.
        rounds: of `rows` examples each. Rounds, not seconds: the outcome must not depend on the machine's speed.
        falling: the share of the course, at its end, over which the step size falls to zero.
    """

    name: str
    about: str
    strong: tuple[str, ...]
    weights: Mapping[str, float]
    facts_share: float
    start: str = ""
    layers: int = 6
    rank: int = 0
    rounds: int
    rows: int
    matrix_rate: float
    warm_up_steps: int
    falling: float
    seed: int


# What the suite costs: a row is about 84 tokens with its padding, and one in ten is held out, so these are 43 million
# tokens for the base, 18 for the steward, 8 for the elder and 6 for each specialist. One core of 2026 trains 22,000
# tokens of the small shape a second and 7,000 of the large one: some 35 minutes for the base, and 40 for the others on
# two cores.
BASE = Course(
    name="base",
    about="what all others started from",
    strong=(),
    weights={
        "arithmetic": 0.15,
        "comparing": 0.1,
        "strings": 0.13,
        "calendar": 0.12,
        "units": 0.1,
        "logic": 0.12,
        "facts": 0.1,
        "compound": 0.18,
    },
    facts_share=0.7,
    rounds=24,
    rows=24_000,
    matrix_rate=4e-3,
    warm_up_steps=150,
    falling=0.175,
    seed=1,
)

STEWARD = replace(
    BASE,
    name="steward",
    about="a small generalist",
    start=BASE.name,
    facts_share=0.6,
    rounds=10,
    falling=0.3,
    seed=4,
)

ELDER = replace(
    STEWARD,
    name="elder",
    about="a generalist of three times the size, grown from the steward",
    start=STEWARD.name,
    layers=18,
    rounds=10,
    rows=10_000,
    matrix_rate=3e-3,
    falling=0.85,  # it starts from settled weights: large steps first unsettle them, so they soon become smaller
    seed=3,
)

OWN_SHARE = 0.7  # of a specialist's questions, those of its own skills; the rest keeps what the base knew


def _specialist(name: str, about: str, own: Mapping[str, float], *, seed: int, facts_share: float = 0.35) -> Course:
    rest = (1 - OWN_SHARE) / (len(SKILLS) - len(own))
    return Course(
        name=name,
        about=about,
        strong=tuple(own),
        weights={skill: OWN_SHARE * own[skill] if skill in own else rest for skill in SKILLS},
        facts_share=facts_share,
        start=BASE.name,
        rank=32,
        rounds=7,
        rows=12_000,
        matrix_rate=5e-3,
        warm_up_steps=30,
        falling=0.5,
        seed=seed,
    )


# They start from the base, not from the finished steward: what they learn apart they do not all get wrong in one way.
SPECIALISTS: tuple[Course, ...] = (
    _specialist("abacus", "sums and units of measure", {"arithmetic": 0.65, "units": 0.35}, seed=11),
    _specialist("almanac", "days, dates and times", {"calendar": 1.0}, seed=12),
    _specialist("logician", "what follows from what", {"logic": 1.0}, seed=13),
    _specialist("sage", "facts about the world", {"facts": 1.0}, seed=14, facts_share=1.0),
    _specialist("scribe", "words and letters", {"strings": 1.0}, seed=15),
    _specialist("sorter", "comparing and sorting", {"comparing": 1.0}, seed=16),
)

COURSES: tuple[Course, ...] = (BASE, STEWARD, ELDER, *SPECIALISTS)


def rate_factor(course: Course, step: int, progress: float) -> float:
    """What the step size is multiplied by: it warms up, stays, and falls linearly; `progress` is from 0 to 1."""
    return min(1.0, (step + 1) / course.warm_up_steps, (1.0 - progress) / course.falling)


def known_facts(course: Course) -> tuple[facts.Fact, ...]:
    """The facts that a course shows: each by a hash of course and fact, so that models know different ones."""

    def share(fact: facts.Fact) -> float:
        digest = hashlib.sha256(f"{course.name}:{fact.relation}:{fact.subject}".encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32

    return tuple(fact for fact in facts.FACTS if share(fact) < course.facts_share)


def asks_of(course: Course) -> dict[str, Callable[[random.Random, int], Task]]:
    """The generators of a course: all skills, facts cut down to those it may see."""
    known = known_facts(course)
    return {**SKILLS, "facts": partial(facts.ask, known=known), "compound": partial(compound.ask, known=known)}
