"""Keys that are no longer to be trusted: lists signed by the key itself, or by someone whom this node chose to heed.

Whoever holds a key may declare it void for ever, the thief too, and thereby harms only itself. Beyond that, each node
says in its own settings whose lists it heeds; so no key has power over a node that did not give it. A newer list of one
author replaces its older ones. The roster and its quorums stay as they are: revoking silences, and decides nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from coordinator.encoding import U64_MAX, Reader, Writer, decode
from coordinator.signed import NODE_ID_SIZE, NodeId, Signed

REVOKED_MAX = 128
"""Keys on one list: the longest fits in one signed record."""
REASON_SIZE_MAX = 64


@dataclass(frozen=True, slots=True)
class RevocationList:
    """All keys that its author revokes, as of this sequence number."""

    sequence: int
    reasons: tuple[tuple[NodeId, str], ...]
    """By key, ascending; a few words for people."""

    def __post_init__(self) -> None:
        nodes = [node for node, _ in self.reasons]
        if not 0 <= self.sequence <= U64_MAX or len(nodes) > REVOKED_MAX:
            raise ValueError(f"a sequence number out of range, or more than {REVOKED_MAX} keys")
        if nodes != sorted(set(nodes)):
            raise ValueError("keys that do not ascend")
        if any(len(reason.encode()) > REASON_SIZE_MAX for _, reason in self.reasons):
            raise ValueError(f"a reason of more than {REASON_SIZE_MAX} bytes")

    def encode(self) -> bytes:
        writer = Writer().u64(self.sequence)
        return writer.items(self.reasons, lambda w, entry: w.blob(entry[0]).text(entry[1])).done()

    @staticmethod
    def decode(body: bytes) -> "RevocationList":
        return decode(body, _read_list)


def _read_list(reader: Reader) -> RevocationList:
    sequence = reader.u64()
    return RevocationList(sequence, reader.items(REVOKED_MAX, _read_entry))


def _read_entry(reader: Reader) -> tuple[NodeId, str]:
    return reader.blob(NODE_ID_SIZE), reader.text(REASON_SIZE_MAX)


class Heard(Enum):
    """What a list is to us."""

    NEW = "new"
    KNOWN = "known"
    OUTDATED = "outdated"
    """We have a newer one of its author."""
    CONFLICTING = "conflicting"
    """Another of the same number. The first one stays."""
    NOT_HEEDED = "not_heeded"
    """Its author has no say here over the keys that it names."""


@dataclass(slots=True)
class Revocations:
    is_heeded: Callable[[NodeId], bool]
    """Whose lists this node heeds, whatever keys they name."""
    _newest: dict[NodeId, tuple[Signed, RevocationList]] = field(default_factory=dict)
    """By author."""
    _revoked: frozenset[NodeId] = frozenset()

    def hear(self, item: Signed, revocations: RevocationList) -> Heard:
        """Take in a list whose signature was checked."""
        author = item.author
        if not self.is_heeded(author) and [node for node, _ in revocations.reasons] != [author]:
            return Heard.NOT_HEEDED
        newest = self._newest.get(author)
        if newest is not None and newest[1].sequence >= revocations.sequence:
            if newest[1] == revocations:
                return Heard.KNOWN
            return Heard.CONFLICTING if newest[1].sequence == revocations.sequence else Heard.OUTDATED
        self._newest[author] = item, revocations
        named = [node for _, heard in self._newest.values() for node, _ in heard.reasons]
        self._revoked = frozenset(named)
        return Heard.NEW

    def holds(self, node: NodeId) -> bool:
        return node in self._revoked

    def of(self, author: NodeId) -> Signed:
        """The newest list of an author that we have one of."""
        return self._newest[author][0]

    def listed_by(self, author: NodeId) -> RevocationList | None:
        newest = self._newest.get(author)
        return None if newest is None else newest[1]

    def lists(self) -> tuple[tuple[Signed, RevocationList], ...]:
        return tuple(self._newest.values())
