"""What the core of a moot may ask of its shell. Performed in order: a save is on disk before a later send leaves."""

from dataclasses import dataclass
from typing import TypeAlias

from coordinator.ledger.agenda import Item
from coordinator.ledger.roster import Roster
from coordinator.messages import MootMessage
from coordinator.signed import Digest, NodeId, Signed


@dataclass(frozen=True, slots=True)
class SaveRecord:
    """Keep a signed record of what is open, our own or another's, until that is decided or forgotten."""

    question: Digest
    """Or the change, or the evidence."""
    record: Signed


@dataclass(frozen=True, slots=True)
class ForgetRecords:
    """The records of these questions, changes and pieces of evidence are no longer needed."""

    subjects: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class SaveVoting:
    """Keep our voting state of a slot in place of the one before: what we may never contradict after a crash."""

    slot: int
    state: bytes
    statements: tuple[Signed, ...]
    """Our newest signed statements of the slot."""


@dataclass(frozen=True, slots=True)
class SaveAgenda:
    """Keep an agenda that a statement of ours names or is about to name."""

    slot: int
    digest: Digest
    agenda: bytes


@dataclass(frozen=True, slots=True)
class SaveEntry:
    """Append a decided agenda to the ledger; records of its questions and agendas of its slot are no longer needed."""

    slot: int
    digest: Digest
    agenda: bytes
    questions: tuple[Digest, ...]
    epoch: int | None = None
    """Of the roster that holds after this slot, where this entry changes it."""
    accused: tuple[tuple[NodeId, int], ...] = ()
    """Members, with the slots in which this entry proves that they contradicted themselves."""


@dataclass(frozen=True, slots=True)
class SaveStatements:
    """Keep the externalize statements of a quorum: what proves a ledger entry."""

    slot: int
    statements: tuple[Signed, ...]


Save: TypeAlias = SaveRecord | ForgetRecords | SaveVoting | SaveAgenda | SaveEntry | SaveStatements


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message to one member. It may get lost; whoever misses something asks again."""

    to: NodeId
    message: MootMessage


@dataclass(frozen=True, slots=True)
class SendEntries:
    """Answer a member that was away with ledger entries from a slot on, read from the store."""

    to: NodeId
    slot: int
    until: int | None = None
    """Only entries of slots below this: who was removed may read what was decided while it sat in the roster."""


@dataclass(frozen=True, slots=True)
class Generate:
    """Let the model answer a question: `samples` independent answers. It comes back as Generated or ModelFailed."""

    question: Digest
    prompt: str
    samples: int
    seed: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person or a metric may want to know: ids, numbers and short words, never a model's text."""

    event: str
    fields: tuple[tuple[str, str | int | bytes], ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """An open question changed: for those who watch it. Steps are asked, proposed, preferred, ready and voted."""

    question: Digest
    step: str
    member: NodeId | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A question is decided and certified in this slot; or, with no slot, cannot be while too few members vote."""

    question: Digest
    slot: int | None


@dataclass(frozen=True, slots=True)
class Dropped:
    """An open question will not be decided: who asked it was removed from the roster."""

    item: Item


@dataclass(frozen=True, slots=True)
class RosterChanged:
    """This roster holds from the slot in work on: ask the roster who is admitted, and say anew who is reachable."""

    roster: Roster


Effect: TypeAlias = Save | Send | SendEntries | Generate | Note | Progress | Ended | Dropped | RosterChanged
