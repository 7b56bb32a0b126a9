"""Where this node stands in the moot's ledger: the head, who counts in which slot, and the slots that want a proof."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from coordinator.effects import SaveEntry, SaveStatements
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.change import Change, roster_after
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.roster import Member, Roster
from coordinator.signed import Digest, NodeId, Signed
from coordinator.voting.quorum import is_quorum_slice

PER_ACCUSED_MAX = 8
"""Slots in which the ledger says of one member that it contradicted itself. More would say nothing new."""


@dataclass(slots=True)
class Unproven:
    """A decided slot of which fewer externalize statements than a quorum are here; they are collected."""

    agenda: Agenda
    statements: dict[NodeId, Signed] = field(default_factory=dict)
    heard: tuple[Signed, ...] = ()
    """Everybody's newest statements when it was decided: what members that are still voting on it may lack."""


@dataclass(slots=True)
class Ledger:
    """`decided` holds the ids of all decided questions and changes, 32 bytes each, so that none is decided twice."""

    genesis: Genesis
    height: int = 0
    head: Digest = b""
    decided: set[Digest] = field(default_factory=set)
    unproven: dict[int, Unproven] = field(default_factory=dict)
    rosters: list[Roster] = field(default_factory=list)
    """Every epoch's."""
    seats: dict[NodeId, Member] = field(default_factory=dict)
    """The newest seat of everybody who sits in the roster or sat in it."""
    accused: dict[NodeId, set[int]] = field(default_factory=dict)
    """Slots in which the ledger says of a member that it contradicted itself."""
    _begins: list[int] = field(default_factory=list)
    """The first slot of every epoch."""
    _removed: dict[NodeId, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.head = self.head or self.genesis.moot_id
        self._begin(0, self.genesis.roster)

    @property
    def roster(self) -> Roster:
        """The one in force in the slot in work."""
        return self.rosters[-1]

    def roster_at(self, slot: int) -> Roster:
        """The one in force in a slot; of slots to come, as far as it is known now."""
        return self.rosters[bisect_right(self._begins, slot) - 1]

    def has_known(self, node: NodeId) -> bool:
        """Whether this node sits in the roster or sat in it."""
        return node in self.seats

    def removed_in(self, node: NodeId) -> int | None:
        """The slot that decided to remove this node; None while it sits in the roster."""
        return self._removed.get(node)

    def begins(self, epoch: int) -> int:
        """The first slot of an epoch."""
        return self._begins[epoch]

    def change_slots(self) -> list[int]:
        """The slots that decided a change of the roster, one for each epoch after the first."""
        return [slot - 1 for slot in self._begins[1:]]

    def repeats(self, agenda: Agenda) -> bool:
        """Whether it decides again what is decided, or says more than enough of one member."""
        if any(item.id in self.decided for item in agenda.items):
            return True
        counts = {node: len(slots) for node, slots in self.accused.items()}
        for one in agenda.evidence:
            counts[one.accused] = counts.get(one.accused, 0) + 1
            if one.slot in self.accused.get(one.accused, ()) or counts[one.accused] > PER_ACCUSED_MAX:
                return True
        return False

    def append(self, agenda: Agenda) -> SaveEntry:
        """Take the agenda of the next slot as decided."""
        assert agenda.header.slot == self.height, "slots are decided in order"
        assert agenda.header.previous == self.head, "an entry follows the one before"
        questions = tuple(item.id for item in agenda.items)
        assert not self.repeats(agenda), "a question is decided once"
        self.decided.update(questions)
        self.unproven[self.height] = Unproven(agenda)
        self.head = agenda.digest
        self.height += 1
        accused = tuple((one.accused, one.slot) for one in agenda.evidence)
        for node, slot in accused:
            self.accuse(node, slot)
        epoch = self.take_change(agenda) if agenda.change else None
        return SaveEntry(self.height - 1, agenda.digest, agenda.encode(), questions, epoch, accused)

    def take_change(self, agenda: Agenda) -> int:
        """Let the change in a decided agenda hold from the slot after it on; give the epoch that begins there."""
        assert agenda.change is not None, "only an agenda with a change changes the roster"
        assert agenda.header.epoch == self.roster.epoch, "rosters follow each other without a gap"
        after = roster_after(self.roster, Change.decode(agenda.change.change.body))
        self.decided.add(agenda.change.id)
        self._begin(agenda.header.slot + 1, after)
        return after.epoch

    def accuse(self, node: NodeId, slot: int) -> None:
        """Note what a decided agenda says of a member."""
        self.accused.setdefault(node, set()).add(slot)

    def prove(self, slot: int, statements: Iterable[Signed]) -> tuple[Agenda, SaveStatements] | None:
        """Add checked externalize statements; the agenda and its proof once a quorum's are here."""
        entry = self.unproven.get(slot)
        if entry is None:
            return None
        entry.statements.update({record.author: record for record in statements})
        if not is_quorum_slice(self.roster_at(slot).quorum_set, frozenset(entry.statements)):
            return None
        del self.unproven[slot]
        return entry.agenda, SaveStatements(
            slot, tuple(entry.statements[author] for author in sorted(entry.statements))
        )

    def _begin(self, slot: int, roster: Roster) -> None:
        for node in sorted(self.seats.keys() - roster.nodes - self._removed.keys()):
            self._removed[node] = slot - 1
        for member in roster.members:
            self.seats[member.node] = member
            self._removed.pop(member.node, None)
        self.rosters.append(roster)
        self._begins.append(slot)
