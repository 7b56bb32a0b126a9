"""Make a failing plan smaller for as long as it fails with the same invariant: what is left is what it takes."""

from collections.abc import Callable
from dataclasses import dataclass

from node.lab.simulation import smaller
from node.lab.simulation.limits import is_tolerable, problems
from node.lab.simulation.outcome import Outcome, Violation
from node.lab.simulation.plan import Plan

PLAYS_MAX = 400
"""Plays are most of what shrinking costs; after so many a plan is about as small as it gets."""

Player = Callable[[Plan], Outcome]


@dataclass(frozen=True, slots=True)
class Shrunk:
    before: Plan
    plan: Plan
    violation: Violation
    plays: int
    complete: bool
    """Nothing that was tried makes it smaller; else the plays, or the patience of a person, ran out."""

    def lines(self) -> list[str]:
        """How far it came: one line for each thing that got less."""
        before, after = size_of(self.before), size_of(self.plan)
        return [f"{before[name]} -> {after[name]} {name}" for name in before if before[name] != after[name]]


def shrink(
    plan: Plan,
    violation: Violation,
    play: Player,
    plays_max: int = PLAYS_MAX,
    tell: Callable[[int, Plan], None] = lambda plays, plan: None,
) -> Shrunk:
    """The smallest plan found that breaks the same invariant.

    Each round tries every way to make it smaller; it ends with the round in which none of them does, or on Ctrl-C.
    `tell` hears the plays so far and the smallest plan.
    """
    search = _Search(plan, violation, play, plays_max, tell)
    try:
        complete = search.run()
    except KeyboardInterrupt:  # What was found is worth keeping.
        complete = False
    return Shrunk(plan, search.plan, search.violation, search.plays, complete)


def kind_of(violation: Violation) -> str:
    """What stays the same when a plan breaks for the same reason: of a crash, what was raised and where."""
    first = violation.detail.split("\n", 1)[0] if violation.invariant == "crash" else ""
    return f"{violation.invariant} {first}"


def size_of(plan: Plan) -> dict[str, int]:
    return {
        "members": plan.members,
        "liars": len(plan.liars),
        "faults": len(plan.faults),
        "questions": len(plan.asks),
        "roster changes": len(plan.seats),
        "slots": plan.slots,
        "seconds of faults": plan.heal_ms // 1_000,
        "kinds of network trouble": smaller.troubles(plan.network),
    }


class _Search:
    def __init__(
        self, plan: Plan, violation: Violation, play: Player, plays_max: int, tell: Callable[[int, Plan], None]
    ) -> None:
        self.plan, self.violation, self.plays = plan, violation, 0
        self._kind = kind_of(violation)
        self._sound = is_tolerable(plan)
        self._play, self._plays_max, self._tell = play, plays_max, tell
        self._tried: set[Plan] = {plan}

    def run(self) -> bool:
        while True:
            begun_with = self.plan
            for way in smaller.WAYS:
                if not self._follow(way):
                    return False
            if self.plan == begun_with:
                return True

    def _follow(self, way: smaller.Way) -> bool:
        """Try all that it proposes; False when the plays ran out."""
        trial = way(self.plan)
        fails: bool | None = None  # What starts a generator.
        while True:
            try:
                candidate = next(trial) if fails is None else trial.send(fails)
            except StopIteration:
                return True
            fails = False
            if candidate in self._tried or problems(candidate) or (self._sound and not is_tolerable(candidate)):
                continue  # Where nothing is promised, it would break for a reason of its own.
            if self.plays >= self._plays_max:
                return False
            fails = self._fails(candidate)

    def _fails(self, candidate: Plan) -> bool:
        self.plays += 1
        self._tried.add(candidate)
        violation = self._play(candidate).violation
        if violation is None or kind_of(violation) != self._kind:
            return False
        self.plan, self.violation = candidate, violation
        self._tell(self.plays, candidate)
        return True
