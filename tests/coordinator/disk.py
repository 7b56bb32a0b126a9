"""A disk in memory: what a member of a simulated moot saved."""

from dataclasses import dataclass, field

from coordinator.effects import ForgetRecords, Save, SaveAgenda, SaveEntry, SaveRecord, SaveStatements, SaveVoting
from coordinator.messages import LedgerEntry
from coordinator.restored import Restored
from coordinator.signed import Digest, NodeId, Signed


@dataclass
class Disk:
    """A crash loses nothing that was saved, and everything else."""

    height: int = 0
    head: Digest = b""
    decided: set[Digest] = field(default_factory=set)
    entries: list[tuple[bytes, tuple[Signed, ...]]] = field(default_factory=list)
    records: dict[Digest, tuple[Digest, Signed]] = field(default_factory=dict)
    voting: dict[int, SaveVoting] = field(default_factory=dict)
    agendas: dict[Digest, SaveAgenda] = field(default_factory=dict)
    changes: dict[int, bytes] = field(default_factory=dict)
    accused: list[tuple[NodeId, int]] = field(default_factory=list)
    written: int = 0
    """Records ever saved, also those let go since."""

    def save(self, write: Save) -> None:
        match write:
            case SaveRecord(question, record):
                self.written += 1
                if question not in self.decided:
                    self.records[record.digest()] = (question, record)
            case ForgetRecords(subjects):
                self.records = {k: v for k, v in self.records.items() if v[0] not in subjects}
            case SaveVoting(slot):
                self.voting[slot] = write
            case SaveAgenda(_, digest):
                self.agendas[digest] = write
            case SaveEntry(slot, digest, agenda, questions, epoch, accused):
                assert slot == self.height
                self.entries.append((agenda, ()))
                self.height, self.head = slot + 1, digest
                self.decided.update(questions)
                if epoch is not None:
                    self.changes[epoch] = agenda
                self.accused += accused
                self.records = {k: v for k, v in self.records.items() if v[0] not in self.decided}
            case SaveStatements(slot, statements):
                self.entries[slot] = (self.entries[slot][0], statements)

    def proven_from(self, slot: int, count: int) -> tuple[LedgerEntry, ...]:
        """Consecutive entries that have a proof, from `slot` on."""
        found = []
        for agenda, statements in self.entries[slot : slot + count]:
            if not statements:
                break
            found.append(LedgerEntry(agenda, statements))
        return tuple(found)

    def restored(self) -> Restored:
        newest = self.voting.get(self.height)
        unproven = []
        for slot, (agenda, statements) in enumerate(self.entries):
            if not statements:
                own = self.voting.get(slot)
                unproven.append((agenda, own.statements if own else ()))
        return Restored(
            self.height,
            self.head,
            frozenset(self.decided),
            tuple(unproven),
            tuple(record for _, record in self.records.values()),
            (newest.slot, newest.state, newest.statements) if newest else None,
            tuple(one.agenda for one in self.agendas.values() if one.slot == self.height),
            tuple(self.changes[epoch] for epoch in sorted(self.changes)),
            tuple(self.accused),
        )
