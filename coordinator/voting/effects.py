"""What one slot of federated voting asks its caller to do, and what it notes for tests and people."""

from dataclasses import dataclass

from coordinator.voting.driver import Timer
from coordinator.voting.statement import Statement


@dataclass(frozen=True, slots=True)
class Emit:
    """Sign the statement, write the slot's state to disk, send it; in that order, as what was sent is never unsaid."""

    statement: Statement


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Wake the slot at `at_ms` on the caller's clock; replaces an earlier time for the same timer."""

    timer: Timer
    at_ms: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    timer: Timer


@dataclass(frozen=True, slots=True)
class Externalized:
    """The slot is decided. Once per slot and life of the process; again only from `resume` after a restart."""

    slot: int
    value: bytes
    n_c: int
    n_h: int


@dataclass(frozen=True, slots=True)
class HeardFromQuorum:
    """A quorum is at this counter or beyond, so the ballot's timer runs."""

    slot: int
    counter: int


@dataclass(frozen=True, slots=True)
class LeadersChosen:
    """A nomination round began; `leaders` are those of all rounds so far."""

    slot: int
    round: int
    leaders: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class NewCandidate:
    """A value is confirmed nominated: the node votes for no further one."""

    slot: int
    value: bytes


@dataclass(frozen=True, slots=True)
class NewComposite:
    """The candidates now combine to this value, for the next ballot."""

    slot: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Befouled:
    """The node had to accept what contradicts something it accepted: more members lie than its slices tolerate."""

    slot: int
    value: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """The statement changed nothing and was not kept."""

    reason: str


Note = HeardFromQuorum | LeadersChosen | NewCandidate | NewComposite | Befouled | Ignored
Effect = Emit | SetTimer | CancelTimer | Externalized | Note
