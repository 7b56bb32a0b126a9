"""What may go wrong and when, said explicitly: a schedule that can be written down, played again and made smaller."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Disk(Enum):
    """What a node finds on its disk when it starts again."""

    KEPT = "kept"
    """Everything that was saved before the crash; a save that the crash hit is there whole or not at all."""
    TORN = "torn"
    """The crash hit a save that had reached the disk in part."""
    OLD = "old"
    """A copy made some time before: a backup was put back."""
    WIPED = "wiped"
    """Nothing but its key and the genesis."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The next time from `at_ms` on that the node carries effects out, it dies after so many of them.

    -1 is before its saves, 0 between saves and sends. It starts again `down_ms` later.
    """

    at_ms: int
    node: int
    effects: int
    down_ms: int
    disk: Disk = Disk.KEPT


@dataclass(frozen=True, slots=True)
class Cut:
    """The nodes of `side` and the others cannot reach each other; with `one_way`, only the others cannot be reached."""

    at_ms: int
    for_ms: int
    side: tuple[int, ...]
    one_way: bool = False


@dataclass(frozen=True, slots=True)
class Clog:
    """What `sender` sends to `receiver` waits until the time is over, then comes all at once."""

    at_ms: int
    for_ms: int
    sender: int
    receiver: int


@dataclass(frozen=True, slots=True)
class Stall:
    """The node's process does not run: what comes for it waits."""

    at_ms: int
    for_ms: int
    node: int


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The node's wall clock is set; its monotonic clock goes on as before."""

    at_ms: int
    node: int
    by_ms: int


@dataclass(frozen=True, slots=True)
class DiskFull:
    """The node's saves fail: it stops at the first one, and starts again when the time is over."""

    at_ms: int
    for_ms: int
    node: int


@dataclass(frozen=True, slots=True)
class Leave:
    """The node says goodbye, stops, and starts again `away_ms` later."""

    at_ms: int
    away_ms: int
    node: int


Fault: TypeAlias = Crash | Cut | Clog | Stall | ClockStep | DiskFull | Leave
FAULTS: tuple[type[Fault], ...] = (Crash, Cut, Clog, Stall, ClockStep, DiskFull, Leave)
