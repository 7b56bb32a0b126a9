"""How preferences become one answer: a file per voting rule, found by name."""

from collections.abc import Mapping
from types import MappingProxyType

from coordinator.tally.outcome import Outcome, Rule, Weighed
from coordinator.tally.plurality import by_plurality
from coordinator.tally.points import by_points

RULES: Mapping[str, Rule] = MappingProxyType({"points": by_points, "plurality": by_plurality})

__all__ = ["RULES", "Outcome", "Rule", "Weighed"]
