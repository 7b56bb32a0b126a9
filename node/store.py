"""What one node must not forget, in SQLite: its votes, its records of what is open, and the ledger.

A save is on disk when it returns, or has not happened at all: write-ahead log, synchronous=FULL, one transaction for
all writes of a save.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.effects import ForgetRecords, Save, SaveAgenda, SaveEntry, SaveRecord, SaveStatements, SaveVoting
from coordinator.encoding import EncodingError, Reader, Writer, decode
from coordinator.messages import LedgerEntry
from coordinator.signed import Digest, Kind, NodeId, Signed, read_signed, write_signed
from node.errors import StoreCorrupt, StoreFull
from node.store_file import open_database

SLOTS_KEPT = 12
"""Decided slots of which our own votes and agendas stay, for members still voting on them; longer while not proven."""
SLOT_MAX = 2**63 - 1
"""SQLite's largest integer; a peer may ask for a larger slot."""
STATEMENTS_MAX = 4_096
"""In one row. A quorum of the largest roster has fewer."""
PREFIX_LENGTH_MIN = 4
_ID_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Stored:
    """What a core continues from after a start."""

    height: int
    """The number of decided slots."""
    head: Digest | None
    """The digest of the newest ledger entry; None before the first."""
    records: tuple[tuple[Digest, Signed], ...]
    """(id of the question, change or evidence, record) of what is open, in the order in which they were saved."""
    voting: tuple[SaveVoting, ...]
    """Our voting state of the newest slots, ascending."""
    agendas: dict[Digest, bytes]
    """Agendas of undecided slots."""
    decided: frozenset[Digest]
    """Ids of all decided questions."""
    unproven: tuple[tuple[int, bytes], ...]
    """(slot, agenda) of ledger entries of which the quorum's statements are not saved yet, ascending."""
    changes: tuple[bytes, ...]
    """Agendas of the ledger entries that changed the roster, ascending."""
    accused: tuple[tuple[NodeId, int], ...]
    """Members, with the slots in which the ledger proves that they contradicted themselves."""


class Store:
    """One node's store of one moot. One connection, and one call at a time, from any thread.

    Every method raises StoreCorrupt when the file turns out damaged, and every one that writes StoreFull when the disk
    does not take the write; then nothing of it was kept, and the store can be used on.
    """

    def __init__(self, path: Path, database: sqlite3.Connection, *, created: bool) -> None:
        self._path = path
        self._database = database
        self.created = created
        """Whether this start made the file. A node that voted before and now has a new store may contradict itself."""

    @staticmethod
    def open(path: Path, moot: Digest, node: NodeId) -> "Store":
        """Open the store, or make it where there is no file.

        Raises:
            StoreCorrupt: the file is damaged, of another owner, of a newer version, or no store. It is left as it is.
            StoreFull: a new file cannot be made.
        """
        with _errors(path):
            database, created = open_database(path, moot, node)
        return Store(path, database, created=created)

    def close(self) -> None:
        """Move the write-ahead log into the file. Closing twice is no error."""
        self._database.close()

    def next_epoch(self, wall_ms: int) -> int:
        """A number above all that this returned before, even when the clock was set back; on disk before it returns."""
        with self._transaction():
            [(before,)] = self._rows("SELECT number FROM epoch")
            epoch = max(int(before) + 1, wall_ms)
            self._run("UPDATE epoch SET number = ?", epoch)
        return epoch

    def save(self, writes: Sequence[Save]) -> None:
        """Carry out all saves in order, as one: when this returns they are on disk, when it raises none is."""
        if not writes:
            return
        with self._transaction():
            for write in writes:
                self._save(write)

    def load(self) -> Stored:
        """Everything that a start needs, in one consistent view."""
        with _errors(self._path):
            newest = self._rows("SELECT slot, digest FROM entries ORDER BY slot DESC LIMIT 1")
            height, head = (int(newest[0][0]) + 1, bytes(newest[0][1])) if newest else (0, None)
            records = self._rows("SELECT question, kind, author, body, signature FROM records ORDER BY rowid")
            voting = self._rows("SELECT slot, state, statements FROM voting ORDER BY slot")
            agendas = self._rows("SELECT digest, agenda FROM agendas WHERE slot >= ? ORDER BY slot, rowid", height)
            unproven = self._rows("SELECT slot, agenda FROM entries WHERE statements IS NULL ORDER BY slot")
            decided = self._rows("SELECT question FROM questions")
            accused = self._rows("SELECT member, slot FROM accused ORDER BY member, slot")
            changes = self._rows("SELECT agenda FROM rosters JOIN entries USING (slot) ORDER BY epoch")
            return Stored(
                height,
                head,
                tuple((question, Signed(Kind(kind), *fields)) for question, kind, *fields in records),
                tuple(SaveVoting(slot, state, _unpack(statements)) for slot, state, statements in voting),
                dict(agendas),
                frozenset(question for (question,) in decided),
                tuple(unproven),
                tuple(agenda for (agenda,) in changes),
                tuple(accused),
            )

    def entry(self, slot: int) -> LedgerEntry | None:
        """A decided slot; without statements while it is not proven. None: not decided."""
        with _errors(self._path):
            rows = self._rows("SELECT agenda, statements FROM entries WHERE slot = ?", min(slot, SLOT_MAX))
            return LedgerEntry(rows[0][0], _unpack(rows[0][1]) if rows[0][1] else ()) if rows else None

    def entries(self, from_slot: int, count: int, bytes_max: int) -> tuple[LedgerEntry, ...]:
        """Proven entries, consecutive from `from_slot` on: at most `count`, and no more than fit in `bytes_max`.

        The first is given whatever its size, or whoever asks would never get past it.
        """
        found: list[LedgerEntry] = []
        size = 0
        query = "SELECT agenda, statements FROM entries WHERE slot >= ? ORDER BY slot LIMIT ?"  # Slots have no gaps.
        with _errors(self._path), closing(self._database.execute(query, (min(from_slot, SLOT_MAX), count))) as cursor:
            for agenda, statements in cursor:
                if statements is None:
                    break
                size += len(agenda) + len(statements)
                if found and size > bytes_max:
                    break
                found.append(LedgerEntry(agenda, _unpack(statements)))
        return tuple(found)

    def slot_of(self, question: Digest) -> int | None:
        """The slot that decided a question."""
        with _errors(self._path):
            rows = self._rows("SELECT slot FROM questions WHERE question = ?", question)
            return rows[0][0] if rows else None

    def find(self, prefix: str, limit: int = 8) -> list[Digest]:
        """Ids of questions, open or decided, that begin so in hexadecimal, sorted. Fewer than 4 digits find nothing."""
        prefix = prefix.lower()
        if not PREFIX_LENGTH_MIN <= len(prefix) <= _ID_LENGTH or prefix.strip("0123456789abcdef"):
            return []
        first, last = (bytes.fromhex(prefix.ljust(_ID_LENGTH, digit)) for digit in "0f")
        query = """SELECT question FROM questions WHERE question BETWEEN ?1 AND ?2
            UNION SELECT question FROM records WHERE question BETWEEN ?1 AND ?2
                AND kind NOT IN ('change', 'approval', 'statement')
            ORDER BY question LIMIT ?3"""
        with _errors(self._path):
            return [question for (question,) in self._rows(query, first, last, limit)]

    def recent(self, limit: int, before_slot: int | None = None) -> list[tuple[int, Digest]]:
        """(slot, question id) of decided questions, the newest first; only of slots below `before_slot` where given."""
        query = "SELECT slot, question FROM questions WHERE slot < ? ORDER BY slot DESC, place DESC LIMIT ?"
        with _errors(self._path):
            return self._rows(query, SLOT_MAX if before_slot is None else min(before_slot, SLOT_MAX), limit)

    def remember_members(self, records: Sequence[Signed]) -> None:
        """Keep these members' records in place of those before, so that a start finds peers without its seeds."""
        with self._transaction():
            self._run("DELETE FROM members")
            for record in records:
                row = (record.kind.value, record.author, record.body, record.signature)
                self._run("INSERT INTO members (kind, author, body, signature) VALUES (?, ?, ?, ?)", *row)

    def remembered_members(self) -> tuple[Signed, ...]:
        with _errors(self._path):
            rows = self._rows("SELECT kind, author, body, signature FROM members ORDER BY rowid")
            return tuple(Signed(Kind(kind), *fields) for kind, *fields in rows)

    def _save(self, write: Save) -> None:
        match write:
            case SaveRecord(question, record):
                # A straggler's record of a question that is decided by now would stay for ever.
                self._run(
                    """INSERT OR IGNORE INTO records (digest, question, kind, author, body, signature)
                    SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM questions WHERE question = ?2)""",
                    *(record.digest(), question, record.kind.value, record.author, record.body, record.signature),
                )
            case ForgetRecords(subjects):
                for subject in subjects:
                    self._run("DELETE FROM records WHERE question = ?", subject)
            case SaveVoting(slot, state, statements):
                self._run("INSERT OR REPLACE INTO voting VALUES (?, ?, ?)", slot, state, _pack(statements))
            case SaveAgenda(slot, digest, agenda):
                self._run("INSERT OR IGNORE INTO agendas (slot, digest, agenda) VALUES (?, ?, ?)", slot, digest, agenda)
            case SaveEntry():
                self._append(write)
            case SaveStatements(slot, statements):
                changed = self._run("UPDATE entries SET statements = ? WHERE slot = ?", _pack(statements), slot)
                assert changed == 1, f"a proof of slot {slot}, which is not decided"

    def _append(self, entry: SaveEntry) -> None:
        [(height,)] = self._rows("SELECT coalesce(max(slot) + 1, 0) FROM entries")
        assert entry.slot == height, f"slot {entry.slot} decided at height {height}"
        self._run("INSERT INTO entries VALUES (?, ?, ?, NULL)", entry.slot, entry.digest, entry.agenda)
        if entry.epoch is not None:
            self._run("INSERT INTO rosters VALUES (?, ?)", entry.epoch, entry.slot)
        for member, slot in entry.accused:
            self._run("INSERT INTO accused VALUES (?, ?)", member, slot)
        for place, question in enumerate(entry.questions):
            self._run("INSERT OR IGNORE INTO questions VALUES (?, ?, ?)", question, entry.slot, place)
            self._run("DELETE FROM records WHERE question = ?", question)
        # Members that have not decided an old slot can finish it only with the votes of those who have.
        unproven = "SELECT slot FROM entries WHERE statements IS NULL"
        self._run(f"DELETE FROM voting WHERE slot <= ? AND slot NOT IN ({unproven})", entry.slot - SLOTS_KEPT)  # noqa: S608
        self._run("DELETE FROM agendas WHERE slot <= ?", entry.slot - SLOTS_KEPT)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _errors(self._path):
            self._run("BEGIN IMMEDIATE")
            try:
                yield
                self._run("COMMIT")
            finally:
                if self._database.in_transaction:  # SQLite itself has ended it after some errors.
                    self._run("ROLLBACK")

    def _rows(self, query: str, *values: object) -> list[Any]:
        return self._database.execute(query, values).fetchall()

    def _run(self, query: str, *values: object) -> int:
        return self._database.execute(query, values).rowcount


def _pack(statements: Sequence[Signed]) -> bytes:
    assert all(statement.kind is Kind.STATEMENT for statement in statements), "only statements are kept as statements"
    return Writer().items(statements, write_signed).done()


def _unpack(data: bytes) -> tuple[Signed, ...]:
    def read(reader: Reader) -> tuple[Signed, ...]:
        return reader.items(STATEMENTS_MAX, lambda one: read_signed(one, Kind.STATEMENT))

    return decode(data, read)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Say in words for people what SQLite and the disk report."""
    try:
        yield
    except sqlite3.Error as error:
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF  # The upper bits only say where it happened.
        if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise StoreCorrupt(
                f"{path}: the store is damaged ({error}). Nothing was changed; keep it and try to recover a copy."
                " A node that has lost its votes, or has old ones, must not vote again under this identity"
            ) from error
        if primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            raise StoreFull(f"{path}: the disk does not take the write ({error}); nothing of it was kept") from error
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreFull(f"{path}: another program holds the store ({error}); close it") from error
        raise
    except OSError as error:
        raise StoreFull(f"{path}: cannot be written ({error.strerror}); make room or check its permissions") from error
    except (EncodingError, ValueError) as error:
        raise StoreCorrupt(f"{path}: the store holds a row that cannot be read ({error})") from error
