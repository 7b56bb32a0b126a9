"""Ways in which members answer together: what more each is asked, which points that gives, and how they are counted.

Models' free text never decides: whatever they write is brought into the form of an answer and then counted by a moot's
own voting rules. Samples are drawn once per member and question; ways that only count share them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from node.lab.evaluate import exchanges
from node.lab.evaluate.case import Case, Points, decide
from node.lab.evaluate.exchanges import Request, Terms
from node.lab.evaluate.spent import Spent, total

AGREE_OF_10 = 8
"""In a cascade the small model's answer stands when so many of ten samples agree."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way for a team.

    Args:
        points: how each member spreads its points.
        rule: by which they are counted.
        asks: further requests to a member, after the samples; None for a way that only counts.
        used: the members whose samples the way needs; None for all.
    """

    about: str
    points: Callable[[Case], Sequence[Points]]
    rule: str = "points"
    asks: Callable[[Case, int, Terms], tuple[Request, ...]] | None = None
    used: Callable[[Case], Sequence[int]] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a way ended on one question."""

    answer: str | None
    spent: Spent
    before: tuple[Points, ...]
    """How each member's samples fell."""
    after: tuple[Points, ...]
    """The points that were counted."""


def apply(name: str, way: Way, case: Case) -> Verdict:
    before = tuple(draw.counts for draw in case.drawn)
    after = tuple(way.points(case))
    used = range(len(case.drawn)) if way.used is None else way.used(case)
    spent = total(case.drawn[member].spent for member in used)
    spent += total(reply.spent for replies in case.replies.get(name, ()) for reply in replies)
    return Verdict(decide(case.item, way.rule, after), spent, before, after)


def _counts(case: Case) -> list[Points]:
    return [draw.counts for draw in case.drawn]


def _consistent(case: Case) -> list[Points]:
    """Only who agrees most with itself."""
    counts = _counts(case)
    surest = max((points[0][1] for points in counts if points), default=0)
    return [points if points and points[0][1] == surest else () for points in counts]


def _cascade(case: Case) -> list[int]:
    """Who is asked: the smallest alone if its samples agree, else the largest too; of equals the first."""
    smallest, largest = case.sizes.index(min(case.sizes)), case.sizes.index(max(case.sizes))
    small = case.drawn[smallest]
    needed = -(-len(small.answers) * AGREE_OF_10 // 10)
    agree = small.counts[0][1] if small.counts else 0
    return [smallest] if small.answers and agree >= needed else [smallest, largest]


def _cascaded(case: Case) -> list[Points]:
    last = _cascade(case)[-1]
    return [points if member == last else () for member, points in enumerate(_counts(case))]


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "plurality": Way("each member's most frequent answer, counted", _counts, "plurality"),
        "points": Way("each member's samples as points: what a moot does by default", _counts),
        "consistent": Way(
            "the answer of the member that agrees most with itself (SLM-MUX, arXiv 2510.05077)",
            _consistent,
            "plurality",
        ),
        "cascade": Way(
            "the smallest model first, the largest only where its samples disagree",
            _cascaded,
            "plurality",
            used=_cascade,
        ),
        "scored": Way(
            "each member spreads its points by how likely it finds everybody's answers",
            exchanges.scored,
            asks=exchanges.ask_scores,
        ),
        "revise": Way(
            "each member answers once more, knowing the others' answers",
            exchanges.revised,
            asks=exchanges.ask_revisions,
        ),
        "judge": Way(
            "each member says of everybody's answers which are right", exchanges.judged, asks=exchanges.ask_verdicts
        ),
    }
)
