"""What a slot decides: the previous entry's digest, the roster epoch, questions with their profiles, a roster change.

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
from coordinator.signed import Digest, Kind, Signed, read_signed, write_signed

ITEMS_MAX = 256
RECORDS_PER_ITEM_MAX = 2_000
PER_MEMBER_MAX = 2
"""Different records by one member about one question that an item keeps: one is normal, two prove a contradiction."""

HEADER_SIZE_MAX = 256
_CHANGE_MARK = b"CHNG"
"""First bytes of a change's item. A question's item begins with the length of an author, which is a smaller number."""


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


@dataclass(frozen=True)
class Header:
    """What the agenda's digest is over."""

    slot: int
    previous: Digest
    """Digest of the entry before; of the moot for the first one."""
    epoch: int
    """Which roster and charter hold in this slot."""
    count: int
    """Number of items, the change included."""
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
    """Items are sorted by question id, each question once; in the hash tree the change comes after them."""

    header: Header
    items: tuple[Item, ...]
    change: ChangeItem | None = None

    @staticmethod
    def of(
        slot: int, previous: Digest, epoch: int, items: Iterable[Item], changes: Iterable[ChangeItem] = ()
    ) -> "Agenda":
        """Put an agenda together. Items of one question become one, and of several changes one stays."""
        merged, change = merge(items), merge_changes(changes)
        leaves = [merkle.leaf(part) for part in _parts(merged, change)]
        return Agenda(Header(slot, previous, epoch, len(leaves), merkle.root(leaves)), merged, change)

    @property
    def digest(self) -> Digest:
        return self.header.digest

    def encode(self) -> bytes:
        return Writer().blob(self.header.encode()).items(_parts(self.items, self.change), Writer.blob).done()

    def path(self, index: int) -> tuple[Digest, ...]:
        """From the item at this place up to the root; the change's place is after the last question's."""
        return merkle.path([merkle.leaf(part) for part in _parts(self.items, self.change)], index)

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
        if Agenda.of(header.slot, header.previous, header.epoch, agenda.items, changes) != agenda:
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


def _parts(items: tuple[Item, ...], change: ChangeItem | None) -> list[bytes]:
    return [item.encode() for item in items] + ([change.encode()] if change else [])


def _read_agenda(reader: Reader) -> Agenda:
    header = decode(reader.blob(HEADER_SIZE_MAX), Header.read)
    parts = reader.items(ITEMS_MAX + 1, lambda r: r.blob(AGENDA_SIZE_MAX))
    change = ChangeItem.decode(parts[-1]) if parts and parts[-1].startswith(_CHANGE_MARK) else None
    items = parts[:-1] if change else parts
    if len(items) > ITEMS_MAX:
        raise EncodingError(f"an agenda of {len(items)} questions, at most {ITEMS_MAX} allowed")
    return Agenda(header, tuple(map(Item.decode, items)), change)
