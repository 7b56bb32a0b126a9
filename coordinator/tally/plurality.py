"""Plurality: each member's whole weight goes to the one candidate that it gave most points."""

from collections import Counter
from collections.abc import Sequence

from coordinator.signed import Digest
from coordinator.tally.outcome import Outcome, Weighed, outcome, tie_key


def by_plurality(question: Digest, profile: Sequence[Weighed]) -> Outcome | None:
    scores: Counter[str] = Counter()
    for preference in profile:
        given = [
            (-points, tie_key(question, candidate), candidate) for candidate, points in preference.points if points > 0
        ]
        if given:
            scores[min(given)[2]] += preference.weight
    return outcome(question, scores)
