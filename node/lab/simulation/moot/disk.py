"""The disk of a simulated machine: what `node.store` would have kept, and what a backup of it holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from coordinator.effects import ForgetRecords, Save, SaveAgenda, SaveEntry, SaveRecord, SaveStatements, SaveVoting
from coordinator.messages import LedgerEntry
from coordinator.restored import Restored
from coordinator.signed import Digest, NodeId, Signed
from node.store import SLOTS_KEPT


class DiskIsFull(Exception):
    """Nothing of the save was kept."""


@dataclass(slots=True)
class HostDisk:
    """A crash loses nothing that was saved, and all else: a save is one transaction, there whole or not at all."""

    epoch: int = 0
    head: Digest = b""
    entries: list[tuple[bytes, tuple[Signed, ...]]] = field(default_factory=list)
    """Agenda and proof of each slot; no proof yet is an empty one."""
    questions: dict[Digest, int] = field(default_factory=dict)
    """Slots of decided questions."""
    records: dict[Digest, tuple[Digest, Signed]] = field(default_factory=dict)
    """Of open questions and changes, with the id of the question or change."""
    changes: dict[int, bytes] = field(default_factory=dict)
    """Agendas that changed the roster, by the epoch that they began."""
    accused: tuple[tuple[NodeId, int], ...] = ()
    """Members, with slots in which the ledger proves that they contradicted themselves."""
    voting: dict[int, SaveVoting] = field(default_factory=dict)
    agendas: dict[Digest, SaveAgenda] = field(default_factory=dict)
    members: tuple[Signed, ...] = ()
    written: set[Digest] = field(default_factory=set)
    """Every record and statement ever saved, also those let go since."""
    full: bool = False

    @property
    def height(self) -> int:
        return len(self.entries)

    def copy(self) -> "HostDisk":
        return HostDisk(
            self.epoch,
            self.head,
            list(self.entries),
            dict(self.questions),
            dict(self.records),
            dict(self.changes),
            self.accused,
            dict(self.voting),
            dict(self.agendas),
            self.members,
            set(self.written),
        )

    def next_epoch(self, wall_ms: int) -> int:
        self._check_room()
        self.epoch = max(self.epoch + 1, wall_ms)
        return self.epoch

    def remember_members(self, records: tuple[Signed, ...]) -> None:
        self._check_room()
        self.members = records

    def save(self, writes: Sequence[Save]) -> None:
        """Carry out all saves in order, as one.

        Raises:
            DiskIsFull: there is no room; nothing was kept.
        """
        self._check_room()
        for write in writes:
            match write:
                case SaveRecord(question, record):
                    self.written.add(record.digest())
                    if question not in self.questions:
                        self.records.setdefault(record.digest(), (question, record))
                case ForgetRecords(subjects):
                    self.records = {name: row for name, row in self.records.items() if row[0] not in subjects}
                case SaveVoting(slot, _, statements):
                    self.written.update(statement.digest() for statement in statements)
                    self.voting[slot] = write
                case SaveAgenda(_, digest):
                    self.agendas.setdefault(digest, write)
                case SaveEntry():
                    self._append(write)
                case SaveStatements(slot, statements):
                    self.entries[slot] = self.entries[slot][0], statements

    def proven_from(self, slot: int, count: int, bytes_max: int) -> tuple[LedgerEntry, ...]:
        """Proven entries, consecutive from `slot` on: the first whatever its size, others as far as they fit."""
        found: list[LedgerEntry] = []
        size = 0
        for agenda, statements in self.entries[slot : slot + count]:
            size += len(agenda) + sum(len(one.body) + len(one.signature) for one in statements)
            if not statements or (found and size > bytes_max):
                break
            found.append(LedgerEntry(agenda, statements))
        return tuple(found)

    def restored(self) -> Restored:
        """What a start continues from, as `node.parts.restored` puts it together."""
        newest = self.voting.get(self.height)
        unproven = []
        for slot, (agenda, statements) in enumerate(self.entries):
            if not statements:
                own = self.voting.get(slot)
                unproven.append((agenda, own.statements if own else ()))
        return Restored(
            self.height,
            self.head,
            frozenset(self.questions),
            tuple(unproven),
            tuple(record for _, record in self.records.values()),
            (newest.slot, newest.state, newest.statements) if newest else None,
            tuple(one.agenda for one in self.agendas.values() if one.slot >= self.height),
            tuple(self.changes[epoch] for epoch in sorted(self.changes)),
            tuple(sorted(self.accused)),
        )

    def _append(self, entry: SaveEntry) -> None:
        assert entry.slot == self.height, "slots are decided in order"
        self.entries.append((entry.agenda, ()))
        self.head = entry.digest
        if entry.epoch is not None:
            self.changes[entry.epoch] = entry.agenda
        self.accused += entry.accused
        self.questions.update(dict.fromkeys(entry.questions, entry.slot))
        self.records = {name: row for name, row in self.records.items() if row[0] not in self.questions}
        oldest = entry.slot - SLOTS_KEPT
        self.voting = {
            slot: row for slot, row in self.voting.items() if slot > oldest or not self.entries[slot : slot + 1][0][1]
        }
        self.agendas = {name: row for name, row in self.agendas.items() if row.slot > oldest}

    def _check_room(self) -> None:
        if self.full:
            raise DiskIsFull
