"""What a node starts from: everything that the core of its moot ever saved and still needs."""

from dataclasses import dataclass

from coordinator.ledger.agenda import Agenda
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.ledger import Ledger, Unproven
from coordinator.signed import Digest, NodeId, Signed
from coordinator.voting.statement import Externalize, decode


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


def ledger_of(genesis: Genesis, restored: Restored) -> Ledger:
    """Where the ledger stood: its head, every roster so far, and what still wants a proof."""
    ledger = Ledger(genesis, restored.height, restored.head, set(restored.decided))
    for data in restored.changes:
        ledger.take_change(Agenda.decode(data))
    for node, slot in restored.accused:
        ledger.accuse(node, slot)
    for data, statements in restored.unproven:
        agenda = Agenda.decode(data)
        ours = {one.author: one for one in statements if isinstance(decode(one.body), Externalize)}
        ledger.unproven[agenda.header.slot] = Unproven(agenda, ours)
    return ledger
