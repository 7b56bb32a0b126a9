"""What a slot decides: the previous entry's digest, the roster epoch, and a batch of items.

Items are questions with their profiles, at most one change of the roster, and evidence against members.

The value that federated voting sees is the digest of the agenda's header. The header holds the root of a hash tree over
the items, so a certificate needs the header, one item and its path.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from coordinator.encoding import EncodingError, Reader, Writer, decode
from coordinator.ledger import merkle
from coordinator.messages import AGENDA_SIZE_MAX
from coordinator.signed import Digest, Kind, NodeId, Signed, read_signed, write_signed

ITEMS_MAX = 256
RECORDS_PER_ITEM_MAX = 2_000
PER_MEMBER_MAX = 2
"""Different records by one member about one question that an item keeps: one is normal, two prove a contradiction."""

HEADER_SIZE_MAX = 256
EVIDENCE_MAX = 64
_CHANGE_MARK, _EVIDENCE_MARK = b"CHNG", b"EVID"
"""First bytes of other items. A question's item begins with the length of an author, which is a smaller number."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question with everything that its members signed about it.

    Proposals and preferences are sorted by author and digest. A member that signed two different ones stands with both:
    that is the evidence against it, and it is not counted.
    """

    question: Signed
    proposals: tuple[Signed, ...]
    preferences: tuple[Signed, ...]

    @property
    def id(self) -> Digest:
        return self.question.digest()

    def encode(self) -> bytes:
        writer = Writer()
        write_signed(writer, self.question)
        return writer.items(self.proposals, write_signed).items(self.preferences, write_signed).done()

    @staticmethod
    def decode(data: bytes) -> "Item":
        return decode(data, _read_item)


@dataclass(frozen=True, slots=True)
class ChangeItem:
    """A change of the roster with its approvals, sorted by author, each author once."""

    change: Signed
    approvals: tuple[Signed, ...]

    @property
    def id(self) -> Digest:
        return self.change.digest()

    def encode(self) -> bytes:
        writer = Writer().fixed(_CHANGE_MARK, 4)
        write_signed(writer, self.change)
        return writer.items(self.approvals, write_signed).done()

    @staticmethod
    def decode(data: bytes) -> "ChangeItem":
        return decode(data, _read_change)


@dataclass(frozen=True, slots=True)
class Accusation:
    """Two contradicting statements by one member about one slot, sorted by digest; see `accusation_of`."""

    slot: int
    one: Signed
    other: Signed

    @property
    def accused(self) -> NodeId:
        return self.one.author

    @property
    def id(self) -> Digest:
        """Of member and slot: however many contradictions prove it, it is said once."""
        return sha256(Writer().text("moot/v1/accusation").blob(self.accused).u64(self.slot).done()).digest()

    def encode(self) -> bytes:
        writer = Writer().fixed(_EVIDENCE_MARK, 4).u64(self.slot)
        write_signed(writer, self.one)
        write_signed(writer, self.other)
        return writer.done()

    @staticmethod
    def decode(data: bytes) -> "Accusation":
        return decode(data, _read_accusation)


@dataclass(frozen=True)
class Header:
    """What the agenda's digest is over."""

    slot: int
    previous: Digest
    """Digest of the entry before; of the moot for the first one."""
    epoch: int
    """Which roster and charter hold in this slot."""
    count: int
    """Number of items of all kinds."""
    root: Digest

    def encode(self) -> bytes:
        return (
            Writer().u64(self.slot).fixed(self.previous, 32).u32(self.epoch).u32(self.count).fixed(self.root, 32).done()
        )

    @cached_property
    def digest(self) -> Digest:
        return sha256(Writer().text("moot/v1/agenda").blob(self.encode()).done()).digest()

    @staticmethod
    def read(reader: Reader) -> "Header":
        return Header(reader.u64(), reader.fixed(32), reader.u32(), reader.u32(), reader.fixed(32))


@dataclass(frozen=True)
class Agenda:
    """Items are sorted by question id, each question once; in the hash tree the change and the evidence come after."""

    header: Header
    items: tuple[Item, ...]
    change: ChangeItem | None = None
    evidence: tuple[Accusation, ...] = ()

    @staticmethod
    def of(
        slot: int,
        previous: Digest,
        epoch: int,
        items: Iterable[Item],
        changes: Iterable[ChangeItem] = (),
        evidence: Iterable[Accusation] = (),
    ) -> "Agenda":
        """Put an agenda together. Items of one question become one, and of several changes one stays."""
        merged, change, against = merge(items), merge_changes(changes), merge_evidence(evidence)
        leaves = [merkle.leaf(part) for part in _parts(merged, change, against)]
        return Agenda(Header(slot, previous, epoch, len(leaves), merkle.root(leaves)), merged, change, against)

    @property
    def digest(self) -> Digest:
        return self.header.digest

    def encode(self) -> bytes:
        return Writer().blob(self.header.encode()).items(self._parts(), Writer.blob).done()

    def path(self, index: int) -> tuple[Digest, ...]:
        """From the item at this place up to the root; the change's place is after the last question's."""
        return merkle.path([merkle.leaf(part) for part in self._parts()], index)

    def _parts(self) -> list[bytes]:
        return _parts(self.items, self.change, self.evidence)

    @staticmethod
    def digest_in(data: bytes) -> Digest:
        """What an agenda in bytes says to be, before the work of reading it. Its items are not looked at.

        Raises:
            EncodingError: it does not begin like an agenda.
        """
        return decode(Reader(data).blob(HEADER_SIZE_MAX), Header.read).digest

    @staticmethod
    def decode(data: bytes) -> "Agenda":
        """Read an agenda and check everything about it that needs no roster.

        Raises:
            EncodingError: not an agenda, not in its one order, or the header does not fit the items.
        """
        if len(data) > AGENDA_SIZE_MAX:
            raise EncodingError(f"an agenda of {len(data)} bytes, at most {AGENDA_SIZE_MAX} allowed")
        agenda = decode(data, _read_agenda)
        header = agenda.header
        changes = [agenda.change] if agenda.change else []
        if Agenda.of(header.slot, header.previous, header.epoch, agenda.items, changes, agenda.evidence) != agenda:
            raise EncodingError("an agenda whose header does not fit its items")
        return agenda


def merge(items: Iterable[Item]) -> tuple[Item, ...]:
    """The union of items by question and of their records by member: in any order, how often ever, the same result."""
    by_question: dict[Digest, list[Item]] = {}
    for item in items:
        by_question.setdefault(item.id, []).append(item)
    return tuple(_union(by_question[question]) for question in sorted(by_question))


def merge_changes(changes: Iterable[ChangeItem]) -> ChangeItem | None:
    """The change of the smallest id with everybody's approval of it: an epoch has room for one, and all take the same.

    Of equal contents with different valid signatures the smallest signature stays.
    """
    by_id: dict[Digest, list[ChangeItem]] = {}
    for item in changes:
        by_id.setdefault(item.id, []).append(item)
    if not by_id:
        return None
    same = by_id[min(by_id)]
    change = min((item.change for item in same), key=lambda record: record.signature)
    approvals = sorted((one for item in same for one in item.approvals), key=lambda one: one.signature, reverse=True)
    by_author = {one.author: one for one in approvals}
    return ChangeItem(change, tuple(by_author[author] for author in sorted(by_author)))


def merge_evidence(evidence: Iterable[Accusation]) -> tuple[Accusation, ...]:
    """Sorted by id. Of several against one member in one slot the smallest stays, the same whoever merges."""
    by_id: dict[Digest, Accusation] = {}
    for one in evidence:
        before = by_id.get(one.id)
        if before is None or one.encode() < before.encode():
            by_id[one.id] = one
    return tuple(by_id[name] for name in sorted(by_id))


def keep_records(records: Iterable[Signed]) -> tuple[Signed, ...]:
    """Sort by author and digest, and keep the two smallest of each author: the same two whoever merged first.

    Of equal contents with different valid signatures the smallest signature stays, for the same reason.
    """
    by_name: dict[tuple[bytes, Digest], Signed] = {}
    for record in sorted(records, key=lambda record: record.signature, reverse=True):
        by_name[record.author, record.digest()] = record
    kept: list[Signed] = []
    for name in sorted(by_name):
        if sum(record.author == name[0] for record in kept[-PER_MEMBER_MAX:]) < PER_MEMBER_MAX:
            kept.append(by_name[name])
    return tuple(kept)


def _union(items: Sequence[Item]) -> Item:
    question = min((item.question for item in items), key=lambda record: record.signature)
    proposals = keep_records(record for item in items for record in item.proposals)
    return Item(question, proposals, keep_records(record for item in items for record in item.preferences))


def _read_item(reader: Reader) -> Item:
    question = read_signed(reader, Kind.QUESTION)
    proposals = reader.items(RECORDS_PER_ITEM_MAX, lambda r: read_signed(r, Kind.PROPOSAL))
    return Item(question, proposals, reader.items(RECORDS_PER_ITEM_MAX, lambda r: read_signed(r, Kind.PREFERENCE)))


def _read_change(reader: Reader) -> ChangeItem:
    if reader.fixed(4) != _CHANGE_MARK:
        raise EncodingError("no change")
    change = read_signed(reader, Kind.CHANGE)
    return ChangeItem(change, reader.items(RECORDS_PER_ITEM_MAX, lambda r: read_signed(r, Kind.APPROVAL)))


def _read_accusation(reader: Reader) -> Accusation:
    if reader.fixed(4) != _EVIDENCE_MARK:
        raise EncodingError("no evidence")
    return Accusation(reader.u64(), read_signed(reader, Kind.STATEMENT), read_signed(reader, Kind.STATEMENT))


def _parts(items: tuple[Item, ...], change: ChangeItem | None, evidence: tuple[Accusation, ...]) -> list[bytes]:
    changes = [change.encode()] if change else []
    return [*(item.encode() for item in items), *changes, *(one.encode() for one in evidence)]


def _read_agenda(reader: Reader) -> Agenda:
    header = decode(reader.blob(HEADER_SIZE_MAX), Header.read)
    parts = reader.items(ITEMS_MAX + 1 + EVIDENCE_MAX, lambda r: r.blob(AGENDA_SIZE_MAX))
    changes = [ChangeItem.decode(part) for part in parts if part.startswith(_CHANGE_MARK)]
    evidence = [Accusation.decode(part) for part in parts if part.startswith(_EVIDENCE_MARK)]
    items = [Item.decode(part) for part in parts if not part.startswith((_CHANGE_MARK, _EVIDENCE_MARK))]
    if len(items) > ITEMS_MAX or len(changes) > 1 or len(evidence) > EVIDENCE_MAX:
        raise EncodingError(f"at most {ITEMS_MAX} questions, a change and {EVIDENCE_MAX} pieces of evidence allowed")
    agenda = Agenda(header, tuple(items), changes[0] if changes else None, tuple(evidence))
    if agenda._parts() != list(parts):
        raise EncodingError("an agenda whose items are not in their order")
    return agenda
