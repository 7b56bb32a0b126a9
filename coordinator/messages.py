"""What the members of a moot send each other about questions and slots, as plain values."""

from dataclasses import dataclass
from typing import TypeAlias

from coordinator.signed import Digest, Signed

RECORDS_MAX = 256
"""Signed records in one message."""
DIGESTS_MAX = 2_048
"""Digests in one message: what is open at one time, with its proposals and preferences."""
ENTRIES_MAX = 64
"""Ledger entries in one message; a member that was away asks again for more."""
AGENDA_SIZE_MAX = 512 * 1024
"""Bytes of one agenda. Several fit into one message of a megabyte."""
AGENDAS_MAX = 4


@dataclass(frozen=True, slots=True)
class Records:
    """Signed questions, proposals, preferences, statements, changes, approvals: an author's own, or passed on."""

    records: tuple[Signed, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Where the sender stands: what it has decided and which records it holds of what is open."""

    height: int
    """The number of decided slots; the slot in work has this number."""
    have: tuple[Digest, ...]
    """Digests of the records held of open questions and changes, and of the newest statements of the slot in work,
    sorted."""


@dataclass(frozen=True, slots=True)
class Want:
    """Ask for records or agendas by digest. Who lacks one stays silent about it."""

    digests: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Agendas:
    """Agendas as bytes; each one's digest is the value that statements name."""

    agendas: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class WantEntries:
    """Ask for ledger entries from a slot on."""

    slot: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One decided slot: the agenda and the externalize statements of a quorum."""

    agenda: bytes
    statements: tuple[Signed, ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """Consecutive ledger entries, from the slot that was asked for on; each is checked before it is believed."""

    slot: int
    entries: tuple[LedgerEntry, ...]


MootMessage: TypeAlias = Records | Status | Want | Agendas | WantEntries | Entries
