"""What federated voting asks of the layer above: pure, deterministic answers about values, quorum sets and time."""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from coordinator.voting.quorum import QuorumSet


class Validity(Enum):
    """How far a value can be vouched for. It may move from MAYBE to either end, and never back."""

    INVALID = "invalid"
    MAYBE = "maybe"  # not known yet, for example because its bytes are not at hand
    FULL = "full"


class Timer(Enum):
    NOMINATION = "nomination"
    BALLOT = "ballot"


class Driver(Protocol):
    """The same question gets the same answer on every node, except where knowledge is still missing."""

    def validate(self, slot: int, value: bytes, nomination: bool) -> Validity:
        """Whether the slot may decide `value`; `nomination` where it is only nominated and may be judged stricter."""
        ...

    def extract_valid(self, slot: int, value: bytes) -> bytes | None:
        """A valid variation of an invalid nominated value, or None."""
        ...

    def combine(self, slot: int, values: Sequence[bytes]) -> bytes | None:
        """One value from the candidates (ascending, not empty); None while it cannot be made yet.

        It must not depend on anything but the set of values, so that nodes with equal candidates get equal composites.
        """
        ...

    def quorum_set(self, digest: bytes) -> QuorumSet | None:
        """The quorum set with this digest, or None while it is not known."""
        ...

    def weight(self, node: bytes, quorum_set: QuorumSet) -> int:
        """How often, out of 2^64, `node` may lead; see leaders.slice_weight. 0 keeps it from ever being chosen.

        The only answer that may follow what the network looks like now: it costs time at worst, never agreement.
        """
        ...

    def priority(self, slot: int, tag: int, round: int, data: bytes) -> int:  # noqa: A002 - nomination's own word
        """The hash G of 64 bits that every node can compute alike; see leaders.hash_priority."""
        ...

    def timeout_ms(self, timer: Timer, count: int) -> int:
        """How long nomination round `count`, or the ballot with that counter, may take; see growing_timeout_ms."""
        ...


def growing_timeout_ms(count: int, step_ms: int, cap_ms: int) -> int:
    """`step_ms` for the first, and as much more for each further one, up to `cap_ms`.

    Growing, so that some round lasts long enough whatever the network's delay turns out to be.
    """
    return min(cap_ms, step_ms * max(1, count))
