"""Cumulative voting: a candidate's score is the sum of all points it was given, each times its giver's weight.

A member that is sure gives all its points to one candidate, one that guesses spreads them; so who knows outweighs who
guesses, and a liar weighs no more than one member that is sure.
"""

from collections import Counter
from collections.abc import Sequence

from coordinator.signed import Digest
from coordinator.tally.outcome import Outcome, Weighed, outcome


def by_points(question: Digest, profile: Sequence[Weighed]) -> Outcome | None:
    scores: Counter[str] = Counter()
    for preference in profile:
        for candidate, given in preference.points:
            scores[candidate] += preference.weight * given
    return outcome(question, scores)
