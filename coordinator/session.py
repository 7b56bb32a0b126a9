"""One question at one member, from asked to ready: the records held about it, and when they are enough."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from coordinator.charter import Charter
from coordinator.ledger.agenda import Item, keep_records
from coordinator.records import Preference, Question
from coordinator.signed import Digest, Kind, NodeId, Signed


@dataclass(slots=True)
class Session:
    """Deadlines run on this node's own clock, from when it first heard of the question."""

    record: Signed
    question: Question
    deadline_at_ms: int
    late: bool
    """It was over by the asker's clock when it came here; this member answers it no more."""
    proposals: tuple[Signed, ...] = ()
    preferences: tuple[Signed, ...] = ()
    generating: bool = False
    enough_at_ms: int | None = None
    """When a quorum had sent preferences; from then on stragglers have the charter's grace."""
    announced: bool = False
    """Those who watch were told that it is ready."""
    reported_open: bool = False
    """The asker was told that there is no quorum. It may still be decided when members return."""
    _known: set[Digest] = field(default_factory=set)
    _answered: dict[NodeId, bool] = field(default_factory=dict)
    """Who sent a preference, and whether it gave points."""

    @property
    def id(self) -> Digest:
        return self.record.digest()

    def holds(self, digest: Digest) -> bool:
        return digest in self._known

    def add(self, record: Signed) -> bool:
        """Take a checked proposal or preference; False when it was here, or its author has contradicted itself before."""
        digest = record.digest()
        if digest in self._known:
            return False
        if record.kind is Kind.PROPOSAL:
            kept = self.proposals = keep_records((*self.proposals, record))
        else:
            kept = self.preferences = keep_records((*self.preferences, record))
            self._answered[record.author] = bool(Preference.decode(record.body).points)
        self._known = {self.id, *(one.digest() for one in (*self.proposals, *self.preferences))}
        return record in kept

    def records(self) -> Iterator[Signed]:
        yield self.record
        yield from self.proposals
        yield from self.preferences

    def own(self, kind: Kind, author: NodeId) -> Signed | None:
        held = self.proposals if kind is Kind.PROPOSAL else self.preferences
        return next((record for record in held if record.author == author), None)

    def item(self) -> Item:
        return Item(self.record, self.proposals, self.preferences)

    def sent(self) -> frozenset[NodeId]:
        """The members of which a preference is here, abstentions included."""
        return frozenset(self._answered)

    def answered(self) -> int:
        return sum(self._answered.values())

    def note_time(self, charter: Charter, now_ms: int) -> None:
        if self.enough_at_ms is None and len(self._answered) >= charter.threshold:
            self.enough_at_ms = now_ms

    def ready(self, roster: frozenset[NodeId], reachable: frozenset[NodeId], charter: Charter, now_ms: int) -> bool:
        """Whether voting may begin: nobody is left to wait for, or waiting longer is not worth it."""
        sent = self.sent()
        if roster <= sent or now_ms >= self.deadline_at_ms:
            return True
        if self.answered() < charter.turnout:
            return False
        graced = self.enough_at_ms is not None and now_ms >= self.enough_at_ms + charter.grace_ms
        return graced or reachable <= sent

    def next_deadline_ms(self, charter: Charter, now_ms: int) -> int | None:
        """When `ready` may turn true by time alone."""
        dues = [self.deadline_at_ms]
        if self.enough_at_ms is not None:
            dues.append(self.enough_at_ms + charter.grace_ms)
        return min((due for due in dues if due > now_ms), default=None)
