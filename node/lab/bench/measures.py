"""Small sums over measurements: quantiles, confidence intervals, the score of members and of the moot. No I/O."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from node.api import DecisionReport

Z_95 = 1.96


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed (nearest rank)."""
    assert values, "no values"
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def wilson(right: int, asked: int) -> tuple[float, float]:
    """95 % confidence interval of a share. Source: E. B. Wilson, JASA 22 (1927), 209-212."""
    if asked == 0:
        return 0.0, 1.0
    share, spread = right / asked, Z_95**2 / asked
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 * math.sqrt(share * (1 - share) / asked + spread / (4 * asked)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(slots=True)
class Score:
    """Right answers on the same questions: the moot's by voting rule, each member's, and those that anybody had."""

    asked: int = 0
    decided: Counter[str] = field(default_factory=Counter)
    """By voting rule."""
    members: Counter[str] = field(default_factory=Counter)
    """By name: its most frequent sample was right."""
    anybody: int = 0
    """Some member's most frequent sample was right: what a perfect choice among members could reach."""
    forward_passes: int = 0
    generated_tokens: int = 0
    same_wrong: int = 0
    """Pairs of members that erred alike."""
    wrong_pairs: int = 0
    """Pairs of members that both erred."""

    def add(self, right: str, decisions: Mapping[str, DecisionReport]) -> None:
        """Count one question, asked once under each voting rule. Members are judged by the first rule's decision."""
        first = next(iter(decisions.values()))
        self.asked += 1
        answers = [member["answer"] for member in first["members"]]
        for rule, decision in decisions.items():
            self.decided[rule] += decision["answer"] == right
        for member in first["members"]:
            self.members[member["name"]] += member["answer"] == right
        self.anybody += right in answers
        self.forward_passes += first["cost"]["forward_passes"]
        self.generated_tokens += first["cost"]["generated_tokens"]
        wrong = [answer for answer in answers if answer != right]
        pairs = [(one, other) for number, one in enumerate(wrong) for other in wrong[:number]]
        self.wrong_pairs += len(pairs)
        self.same_wrong += sum(one == other is not None for one, other in pairs)

    def best_member(self) -> tuple[str, int]:
        return min(self.members.items(), key=lambda entry: (-entry[1], entry[0]))

    def report(self) -> dict[str, int | dict[str, int]]:
        """Every count, as JSON values."""
        return {
            "asked": self.asked,
            "decided": dict(self.decided),
            "members": dict(self.members),
            "anybody": self.anybody,
            "forward_passes": self.forward_passes,
            "generated_tokens": self.generated_tokens,
            "same_wrong": self.same_wrong,
            "wrong_pairs": self.wrong_pairs,
        }

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.asked + other.asked,
            self.decided + other.decided,
            self.members + other.members,
            self.anybody + other.anybody,
            self.forward_passes + other.forward_passes,
            self.generated_tokens + other.generated_tokens,
            self.same_wrong + other.same_wrong,
            self.wrong_pairs + other.wrong_pairs,
        )
