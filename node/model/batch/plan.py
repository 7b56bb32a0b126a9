"""What the driver is told to do: a few operations on the model's memory, one forward pass, what to draw and read."""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Copy:
    """The empty sequence `target` begins as `source` does, in the same cells, with its positions 0 to `until` - 1."""

    source: int
    target: int
    until: int


@dataclass(frozen=True, slots=True)
class Cut:
    """The sequence forgets its positions from `start` on."""

    sequence: int
    start: int


@dataclass(frozen=True, slots=True)
class Forget:
    """The sequence becomes empty; perhaps it already is."""

    sequence: int


Operation = Copy | Cut | Forget


class Purpose(Enum):
    """What an output is wanted for."""

    DRAW = "draw"
    """Draw the branch's next token."""
    READ = "read"
    """How likely `token` is there, the branch's next."""
    END = "end"
    """How likely the answer ends there, after all tokens of the branch."""
    LOOK = "look"
    """The logits after the prompt are wanted for themselves."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One use of one output. Several may use the same: all samples of a prompt draw first from its last token's.

    Args:
        index: of the part in the pass after whose token it is wanted.
        branch: index in the job's branches; -1 for LOOK.
        token: for READ; -1 for all else.
    """

    index: int
    job_id: int
    branch: int
    purpose: Purpose
    token: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One forward pass. Do the operations in order, apply the adapters, evaluate, then serve `wanted` in order.

    Args:
        tokens: one for each part of the pass.
        positions: of each part, in its sequence.
        sequences: of each part.
        outputs: indices of the parts whose logits are wanted, rising.
        wanted: those for DRAW are answered in this order.
        begun: ids of the jobs for which this is the first pass.
    """

    operations: list[Operation]
    adapters: Hashable
    tokens: list[int]
    positions: list[int]
    sequences: list[int]
    outputs: list[int]
    wanted: list[Wanted]
    begun: list[int]
