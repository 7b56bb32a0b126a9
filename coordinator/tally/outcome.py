"""What every voting rule takes and gives, and the one way in which ties are broken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from coordinator.signed import Digest, NodeId


@dataclass(frozen=True, slots=True)
class Weighed:
    """One member's preference with the weight that the roster gives it."""

    member: NodeId
    weight: int
    points: tuple[tuple[str, int], ...]
    """(candidate, points), each candidate once. Empty: the member abstains."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the members together prefer. Integers only, so that every node computes the same."""

    answer: str
    scores: tuple[tuple[str, int], ...]
    """(candidate, score) of all with a score, highest first; equal scores in the order of their tie keys."""
    tied: tuple[str, ...]
    """The candidates that shared the highest score, the answer first; empty when it was reached by one alone."""


Rule: TypeAlias = Callable[[Digest, Sequence[Weighed]], Outcome | None]
"""From the question's id and its profile to the outcome; None when nobody gave a point."""


def tie_key(question: Digest, candidate: str) -> bytes:
    """Of equal candidates the smallest key wins. It holds the question's id, so that no text is favoured every time.

    Whoever asks can try many nonces to steer a tie, so a tie is always reported as one.
    """
    return sha256(question + candidate.encode()).digest()


def outcome(question: Digest, scores: Mapping[str, int]) -> Outcome | None:
    """Rank the candidates that scored."""
    ranked = sorted(
        ((candidate, score) for candidate, score in scores.items() if score > 0),
        key=lambda entry: (-entry[1], tie_key(question, entry[0])),
    )
    if not ranked:
        return None
    highest = ranked[0][1]
    top = tuple(candidate for candidate, score in ranked if score == highest)
    return Outcome(ranked[0][0], tuple(ranked), top if len(top) > 1 else ())
