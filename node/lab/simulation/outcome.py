"""How a run ended: what was decided at what cost, or which invariant broke, where and how."""

from dataclasses import dataclass, field

from node.lab.simulation.plan import Plan


class Violated(Exception):
    """An invariant does not hold. `invariant` is its short name, for instance "agreement"."""

    def __init__(self, invariant: str, detail: str) -> None:
        self.invariant, self.detail = invariant, detail
        super().__init__(f"{invariant}: {detail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """The first invariant that broke."""

    invariant: str
    detail: str
    at_ms: int
    event: int
    """The how manieth event it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One plan, played."""

    plan: Plan
    violation: Violation | None
    slots: int
    """Different slots decided by honest nodes."""
    events: int
    virtual_ms: int
    crashes: int
    decided_ms: tuple[int, ...] = ()
    """How long each question, or slot, took."""
    trace: str = ""
    """The digest of everything that happened, where it was asked for."""
    counts: dict[str, int] = field(default_factory=dict)
    """Whatever else is worth adding up over many runs, by name."""
