"""What can be seen in the demo, scene by scene. Whoever shows them decides how they look."""

from dataclasses import dataclass

from node.api import AskEvent, CostReport, DecisionReport


@dataclass(frozen=True, slots=True)
class Seat:
    """One node of the demo."""

    name: str
    model: str
    strong: tuple[str, ...]
    """Skills that its model was made for."""
    parameters: int
    address: str
    home: str


@dataclass(frozen=True, slots=True)
class Founded:
    """Homes and genesis are written; nothing runs yet."""

    directory: str
    moot: str
    """Its id."""
    moot_name: str
    threshold: int
    turnout: int
    seats: tuple[Seat, ...]


@dataclass(frozen=True, slots=True)
class Waits:
    """The next scene takes a moment."""

    what: str


@dataclass(frozen=True, slots=True)
class Met:
    """Every node runs and sees every other one alive."""

    pids: tuple[int, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A question was put to one node."""

    number: int
    count: int
    skill: str
    text: str
    options: tuple[str, ...]
    at: str
    expected: str
    """The right answer, normalized. The nodes do not know it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Something happened to the question."""

    event: AskEvent


@dataclass(frozen=True, slots=True)
class Ended:
    """The question ended."""

    number: int
    expected: str
    decision: DecisionReport
    seen_at: str
    """The node that reported it."""


@dataclass(frozen=True, slots=True)
class Killed:
    """A node got signal 9 while it had an open question. What the witness knew at that time."""

    name: str
    pid: int
    question: str
    witness: str
    state: str
    answered: int
    """Members that had answered."""
    after_ms: float
    """After it was asked."""


@dataclass(frozen=True, slots=True)
class SeenDead:
    """All others hold the killed node dead."""

    name: str
    by: tuple[str, ...]
    after_s: float
    """After it was killed."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The killed node runs again and knows what it missed."""

    name: str
    pid: int
    slots_missed: int
    height: int
    number: int
    """Of the question during which it was killed."""
    question: str
    answer: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Exported:
    """A certificate was written to a file."""

    number: int
    question: str
    at: str
    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Checked:
    """Another process judged a certificate."""

    command: str
    what: str
    """The change that was made to the file before, or nothing."""
    exit_code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Score:
    """Right answers of one member, of the questions that it took part in."""

    name: str
    right: int
    asked: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The sum of it."""

    right: int
    asked: int
    members: tuple[Score, ...]
    """The best first."""
    cost: CostReport
    model_ms: tuple[float, ...]
    protocol_ms: tuple[float, ...]
    seconds: float
    directory: str
    homes: tuple[str, ...]


Scene = Founded | Waits | Met | Asked | Heard | Ended | Killed | SeenDead | CaughtUp | Exported | Checked | Finished
