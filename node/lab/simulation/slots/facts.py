"""Where a node stands in a slot, and what it may count as said by itself."""

from dataclasses import dataclass, field

from coordinator.voting import INFINITY, Ballot, Phase, Slot
from node.lab.simulation.slots.definitions import below


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a node stands in a slot, as it shows itself."""

    phase: Phase
    b: Ballot | None
    p: Ballot | None
    q: Ballot | None
    h: Ballot | None
    c: Ballot | None
    z: bytes | None
    voted: frozenset[bytes]
    accepted: frozenset[bytes]
    candidates: frozenset[bytes]
    round: int
    leaders: tuple[bytes, ...]

    @classmethod
    def of(cls, slot: Slot) -> "Stand":
        return cls(
            slot.phase,
            slot.b,
            slot.p,
            slot.p_prime,
            slot.h,
            slot.c,
            slot.value_override,
            frozenset(slot.voted),
            frozenset(slot.accepted),
            frozenset(slot.candidates),
            slot.round,
            slot.leaders,
        )


@dataclass(slots=True)
class Own:
    """What the node may count as said by itself."""

    votes: list[Ballot]
    """To prepare."""
    accepted: list[Ballot]
    """As prepared."""
    commits: list[tuple[Ballot, Ballot]] = field(default_factory=list)
    """Ranges that it votes to commit."""
    committed: list[tuple[Ballot, Ballot]] = field(default_factory=list)
    """Ranges that it accepts as committed."""

    @classmethod
    def of(cls, before: Stand, after: Stand) -> "Own":
        """What it had said before this step, and its votes of this step, which are its own to choose."""
        own = cls(
            [ballot for ballot in (before.b, after.b, after.h) if ballot is not None],
            [ballot for ballot in (before.p, before.q) if ballot is not None],
        )
        if before.c is None or before.h is None:
            return own
        top = Ballot(INFINITY, before.c.value)
        if before.phase is Phase.PREPARE:
            own.commits.append((before.c, before.h))
        else:
            own.votes.append(top)
            own.commits.append((before.c, top))
            own.committed.append((before.c, before.h if before.phase is Phase.CONFIRM else top))
        return own

    def has_voted(self, ballot: Ballot) -> bool:
        return any(below(ballot, x) for x in self.votes)

    def has_accepted(self, ballot: Ballot) -> bool:
        return any(below(ballot, x) for x in self.accepted)

    def has_voted_commit(self, ballot: Ballot) -> bool:
        return any(below(low, ballot) and below(ballot, high) for low, high in self.commits)

    def has_committed(self, ballot: Ballot) -> bool:
        return any(below(low, ballot) and below(ballot, high) for low, high in self.committed)
