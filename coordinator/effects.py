"""What the core of a moot may ask of its shell. Performed in order: a save is on disk before a later send leaves."""

from dataclasses import dataclass
from typing import TypeAlias

from coordinator.messages import MootMessage
from coordinator.signed import Digest, NodeId, Signed


@dataclass(frozen=True, slots=True)
class SaveRecord:
    """Keep a signed record of an open question, our own or another's, until the question is decided."""

    question: Digest
    record: Signed


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


@dataclass(frozen=True, slots=True)
class SaveStatements:
    """Keep the externalize statements of a quorum: what proves a ledger entry."""

    slot: int
    statements: tuple[Signed, ...]


Save: TypeAlias = SaveRecord | SaveVoting | SaveAgenda | SaveEntry | SaveStatements


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


Effect: TypeAlias = Save | Send | SendEntries | Generate | Note | Progress | Ended
