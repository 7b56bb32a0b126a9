"""How alike members err, and how many independent votes they are worth together. No I/O."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from node.lab.evaluate.case import favourite
from node.lab.evaluate.measure import Measured


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of all members on a set of questions.

    Args:
        same_wrong: [one][other]: of the questions that both got wrong, the share on which both gave the same wrong
            answer; None where they never both erred.
        mean_same_wrong: over all pairs and questions; None as above.
        correlation: of being right, between two members, the mean over all pairs; None where nobody varies.
    """

    same_wrong: tuple[tuple[float | None, ...], ...]
    mean_same_wrong: float | None
    correlation: float | None
    members: int

    @property
    def votes(self) -> float | None:
        """The effective number of independent votes: N / (1 + (N - 1) r), r the mean correlation of being right.

        N votes with that correlation average out no better than so many independent ones: the design effect of equal
        clusters, which is the same sum of variances. It is more than N where members complement each other, and None
        where their correlation is so negative that no such number exists.
        Source: L. Kish, Survey Sampling (1965), section 5.4; for votes K. Ladha, Am. J. Polit. Sci. 36 (1992), 617-634.
        """
        if self.correlation is None:
            return None
        effect = 1 + (self.members - 1) * self.correlation
        return self.members / effect if effect > 0 else None


def agreement(measured: Measured, group: str | None) -> Agreement:
    places = measured.places(group)
    said = _said(measured, places)
    rights = [measured.cases[place].item.right for place in places]
    count = len(measured.members)
    matrix: list[list[float | None]] = [[None] * count for _ in range(count)]
    same_all = both_all = 0
    correlations = []
    for one, other in combinations(range(count), 2):
        same, both = _same_wrong(said[one], said[other], rights)
        matrix[one][other] = matrix[other][one] = same / both if both else None
        same_all, both_all = same_all + same, both_all + both
        found = phi(
            [answer == right for answer, right in zip(said[one], rights, strict=True)],
            [answer == right for answer, right in zip(said[other], rights, strict=True)],
        )
        if found is not None:
            correlations.append(found)
    return Agreement(
        tuple(map(tuple, matrix)),
        same_all / both_all if both_all else None,
        math.fsum(correlations) / len(correlations) if correlations else None,
        count,
    )


def phi(one: Sequence[bool], other: Sequence[bool]) -> float | None:
    """The correlation of two series of yes and no; None where one of them never changes."""
    asked, a, b = len(one), sum(one), sum(other)
    both = sum(x and y for x, y in zip(one, other, strict=True))
    spread = a * (asked - a) * b * (asked - b)
    return (asked * both - a * b) / math.sqrt(spread) if spread else None


def _said(measured: Measured, places: Sequence[int]) -> list[list[str | None]]:
    """By member: its most frequent answer to each question."""
    cases = [measured.cases[place] for place in places]
    return [
        [favourite(case.item, case.drawn[member].counts) for case in cases] for member in range(len(measured.members))
    ]


def _same_wrong(one: Sequence[str | None], other: Sequence[str | None], rights: Sequence[str]) -> tuple[int, int]:
    """On how many questions both erred alike, and on how many both erred. No answer is like no other."""
    wrong = [(a, b) for a, b, right in zip(one, other, rights, strict=True) if right not in (a, b)]
    return sum(a == b is not None for a, b in wrong), len(wrong)
