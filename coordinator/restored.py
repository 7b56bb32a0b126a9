"""What a node starts from: everything that the core of its moot ever saved and still needs."""

from dataclasses import dataclass

from coordinator.signed import Digest, NodeId, Signed


@dataclass(frozen=True, slots=True)
class Restored:
    """What the disk held. A node that starts for the first time has none of it."""

    height: int = 0
    head: Digest = b""
    decided: frozenset[Digest] = frozenset()
    """Ids of decided questions."""
    unproven: tuple[tuple[bytes, tuple[Signed, ...]], ...] = ()
    """Agendas of decided slots without a proof, each with our own statements of that slot."""
    records: tuple[Signed, ...] = ()
    """Of open questions and changes."""
    voting: tuple[int, bytes, tuple[Signed, ...]] | None = None
    """Slot, state and own statements of the newest slot voted in."""
    agendas: tuple[bytes, ...] = ()
    """Those that our statements of that slot name."""
    changes: tuple[bytes, ...] = ()
    """Decided agendas that changed the roster, the oldest first."""
    accused: tuple[tuple[NodeId, int], ...] = ()
    """Members, with slots in which the ledger says that they contradicted themselves."""
