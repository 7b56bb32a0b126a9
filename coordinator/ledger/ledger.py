"""Where this node stands in the moot's ledger: the head, what is decided, and the slots that still want a proof."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from coordinator.effects import SaveEntry, SaveStatements
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.genesis import Genesis
from coordinator.signed import Digest, NodeId, Signed
from coordinator.voting.quorum import is_quorum_slice


@dataclass(slots=True)
class Unproven:
    """A decided slot of which fewer externalize statements than a quorum are here; they are collected."""

    agenda: Agenda
    statements: dict[NodeId, Signed] = field(default_factory=dict)
    heard: tuple[Signed, ...] = ()
    """Everybody's newest statements when it was decided: what members that are still voting on it may lack."""


@dataclass(slots=True)
class Ledger:
    """`decided` holds every question id ever decided: 32 bytes each, so that no question is decided twice."""

    genesis: Genesis
    height: int = 0
    head: Digest = b""
    decided: set[Digest] = field(default_factory=set)
    unproven: dict[int, Unproven] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.head = self.head or self.genesis.moot_id

    def append(self, agenda: Agenda) -> SaveEntry:
        """Take the agenda of the next slot as decided."""
        assert agenda.header.slot == self.height, "slots are decided in order"
        assert agenda.header.previous == self.head, "an entry follows the one before"
        questions = tuple(item.id for item in agenda.items)
        assert not any(question in self.decided for question in questions), "a question is decided once"
        self.decided.update(questions)
        self.unproven[self.height] = Unproven(agenda)
        self.head = agenda.digest
        self.height += 1
        return SaveEntry(self.height - 1, agenda.digest, agenda.encode(), questions)

    def prove(self, slot: int, statements: Iterable[Signed]) -> tuple[Agenda, SaveStatements] | None:
        """Add checked externalize statements; the agenda and its proof once a quorum's are here."""
        entry = self.unproven.get(slot)
        if entry is None:
            return None
        entry.statements.update({record.author: record for record in statements})
        if not is_quorum_slice(self.genesis.quorum_set, frozenset(entry.statements)):
            return None
        del self.unproven[slot]
        return entry.agenda, SaveStatements(
            slot, tuple(entry.statements[author] for author in sorted(entry.statements))
        )
