"""How preferences become one answer: a file per voting rule, found by name."""

from collections.abc import Mapping
from types import MappingProxyType

from coordinator.tally.only import by_only, is_counted, named, only, turnout_of
from coordinator.tally.outcome import Outcome, Rule, Weighed
from coordinator.tally.plurality import by_plurality
from coordinator.tally.points import by_points

RULES: Mapping[str, Rule] = MappingProxyType({"points": by_points, "plurality": by_plurality})
"""What a charter may adopt. A question may name one of these, or one member, of which alone the points count."""


def rule(name: str) -> Rule | None:
    """The voting rule of this name; None when there is none."""
    return by_only(name) if named(name) is not None else RULES.get(name)


__all__ = ["RULES", "Outcome", "Rule", "Weighed", "is_counted", "named", "only", "rule", "turnout_of"]
