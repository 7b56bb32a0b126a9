"""What many runs add up to, and the file that a run which failed leaves behind."""

import json
import platform
import shutil
import subprocess
from collections import Counter
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from node.lab.simulation.outcome import Outcome, Violation
from node.lab.simulation.plan import Plan

DIGITS_KEPT = 3
"""Of each time: so a summary of a million times stays small."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A plan that breaks an invariant, and how."""

    plan: Plan
    violation: Violation
    trace: str
    """The digest of everything up to the violation, if it was made."""

    @property
    def command(self) -> str:
        """What plays the seed again."""
        nodes = "" if self.sized is None else f" --nodes {self.sized}"
        return f"moot simulate {self.plan.scenario} --seed {self.plan.seed}{nodes}"

    sized: int | None = None
    """How many members were asked for, if the scenario was not left to draw that."""


@dataclass(frozen=True, slots=True)
class Played:
    """One seed, played."""

    seed: int
    seconds: float
    """Of a core."""
    slots: int
    events: int
    virtual_ms: int
    crashes: int
    decided_ms: tuple[int, ...]
    counts: dict[str, int]
    liars: tuple[str, ...]
    """The kind of each."""
    twice: bool = False
    """It was played twice, and both went alike."""
    failure: Failure | None = None

    @staticmethod
    def of(outcome: Outcome, seconds: float, failure: Failure | None, *, twice: bool = False) -> "Played":
        return Played(
            outcome.plan.seed,
            seconds,
            outcome.slots,
            outcome.events,
            outcome.virtual_ms,
            outcome.crashes,
            outcome.decided_ms,
            outcome.counts,
            tuple(liar.kind for liar in outcome.plan.liars),
            twice,
            failure,
        )


@dataclass(slots=True)
class Summary:
    """Of a campaign, so far."""

    scenario: str
    asked: int | None
    """Seeds to be played; None is without end."""
    seeds: int = 0
    slots: int = 0
    events: int = 0
    virtual_ms: int = 0
    busy_s: float = 0.0
    """Time that all cores together spent on playing."""
    wall_s: float = 0.0
    crashes: int = 0
    twice: int = 0
    lost_workers: int = 0
    liars: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    times_ms: Counter[int] = field(default_factory=Counter)
    """Of decisions, to so many digits."""

    def add(self, played: Played) -> None:
        self.seeds += 1
        self.slots += played.slots
        self.events += played.events
        self.virtual_ms += played.virtual_ms
        self.busy_s += played.seconds
        self.crashes += played.crashes
        self.twice += played.twice
        self.liars.update(played.liars)
        self.counts.update(played.counts)
        self.times_ms.update(map(_rounded, played.decided_ms))
        if played.failure is not None:
            self.violations[played.failure.violation.invariant] += 1
            self.failures.append(played.failure)

    @property
    def events_per_s(self) -> float:
        """Of one core."""
        return self.events / self.busy_s if self.busy_s else 0.0

    @property
    def speed(self) -> float:
        """Virtual time against real time, of one core."""
        return self.virtual_ms / 1000 / self.busy_s if self.busy_s else 0.0

    def decided_ms(self, share: float) -> int | None:
        """The time within which this share of the decisions was made."""
        left = share * self.times_ms.total()
        for ms in sorted(self.times_ms):
            left -= self.times_ms[ms]
            if left <= 0:
                return ms
        return None

    def document(self) -> dict[str, Any]:
        """For a program to read."""
        return {
            "scenario": self.scenario,
            "seeds": self.seeds,
            "asked": self.asked,
            "slots": self.slots,
            "events": self.events,
            "virtual_s": round(self.virtual_ms / 1000, 3),
            "busy_s": round(self.busy_s, 3),
            "wall_s": round(self.wall_s, 3),
            "events_per_s": round(self.events_per_s),
            "virtual_per_real": round(self.speed, 1),
            "decided_ms": {name: self.decided_ms(share) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))},
            "crashes": self.crashes,
            "played_twice": self.twice,
            "lost_workers": self.lost_workers,
            "liars": dict(sorted(self.liars.items())),
            "counts": dict(sorted(self.counts.items())),
            "violations": dict(sorted(self.violations.items())),
            "failures": [failure_document(failure) for failure in self.failures],
        }


def failure_document(failure: Failure) -> dict[str, Any]:
    return {"command": failure.command, "scenario": failure.plan.scenario, "seed": failure.plan.seed} | asdict(
        failure.violation
    )


def write_failure(failure: Failure, place: Path) -> None:
    """All that is needed to play it again, and to see whether it is still the same."""
    document = {
        **failure_document(failure),
        "trace": failure.trace,
        "moot": _version(),
        "commit": _commit(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "plan": json.loads(failure.plan.to_json()),
    }
    place.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def read_plan(text: str) -> Plan:
    """The plan of a failure's file, or a plan alone.

    Raises:
        ValueError: it is neither; the message says why.
    """
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise ValueError("not a plan: nested too deeply") from error
    if isinstance(document, dict) and isinstance(document.get("plan"), dict):
        return Plan.from_json(json.dumps(document["plan"]))
    return Plan.from_json(text)


def _rounded(ms: int) -> int:
    return int(float(f"{ms:.{DIGITS_KEPT - 1}e}"))


def _version() -> str:
    try:
        return version("moot")
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """Of the checkout that this runs from, if it does; marked when files differ from it."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    return ran.stdout.strip() or "unknown"
