"""What can happen to the core of a moot. Time comes with every event, as an argument of `step`."""

from dataclasses import dataclass
from typing import TypeAlias

from coordinator.ledger.change import Change
from coordinator.messages import MootMessage
from coordinator.records import Cost, Question
from coordinator.signed import Digest, NodeId


@dataclass(frozen=True, slots=True)
class Received:
    """A message from somebody who sits in the roster or sat in it; the transport has checked that it is from it."""

    sender: NodeId
    message: MootMessage


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody put a question to this node."""

    question: Question


@dataclass(frozen=True, slots=True)
class Proposed:
    """Somebody at this node wants the roster changed; that is this member's approval too."""

    change: Change


@dataclass(frozen=True, slots=True)
class Approved:
    """Somebody at this node wants a change that is open."""

    change: Digest


@dataclass(frozen=True, slots=True)
class Generated:
    """The model answered: raw texts, untrusted like any model's."""

    question: Digest
    texts: tuple[str, ...]
    model: Digest
    seed: int
    temperature_milli: int
    cost: Cost


@dataclass(frozen=True, slots=True)
class ModelFailed:
    """The model could not answer; this member abstains."""

    question: Digest
    reason: str


@dataclass(frozen=True, slots=True)
class Reachable:
    """The nodes that membership holds alive or suspect, in place of those named before."""

    nodes: frozenset[NodeId]


@dataclass(frozen=True, slots=True)
class ClockSet:
    """The wall clock was set, or the machine slept: so far it is ahead of the monotonic clock now."""

    wall_offset_ms: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A deadline may have passed."""


Event: TypeAlias = Received | Asked | Proposed | Approved | Generated | ModelFailed | Reachable | ClockSet | Tick
