"""One question at one member, from asked to ready: the records held about it, and when they are enough."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from coordinator.charter import Charter
from coordinator.ledger.agenda import PER_MEMBER_MAX, Item, keep_records
from coordinator.ledger.resolution import Stand, part_of, resolve, total
from coordinator.ledger.room import trimmed
from coordinator.ledger.roster import Roster
from coordinator.records import Preference, Proposal, Question
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.tally import is_counted, turnout_of

COMPLETE_MS = 5_000
"""How long after a question became ready here only agendas are voted for that leave nobody out whom this member had
heard. Several rounds have new leaders in that time. Afterwards any profile will do: it is better than no decision."""

Authors = Mapping[tuple[Kind, NodeId], int]
"""How many different proposals and preferences there are of each member."""


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
    ready_at_ms: int | None = None
    """Once it is ready it stays so: who comes back later is not waited for again."""
    reported_open: bool = False
    """The asker was told that there is no quorum. It may still be decided when members return."""
    _needed: Authors = field(default_factory=dict)
    """Whose records were here when it became ready."""
    _known: set[Digest] = field(default_factory=set)
    _stands: dict[NodeId, Stand] = field(default_factory=dict)
    """How those stand who sent a preference."""
    _outside: tuple[Signed, ...] = ()
    """Proposals and preferences that the roster of now does not count; their authors may not say others instead."""

    def __post_init__(self) -> None:
        self._known.add(self.id)

    @property
    def id(self) -> Digest:
        return self.record.digest()

    def add(self, record: Signed) -> bool:
        """Take a checked proposal or preference; False when it was here, or two different ones by its author are.

        Two prove the contradiction. Taking more would let one member fill this node's disk.
        """
        digest, author = record.digest(), record.author
        before = self.proposals if record.kind is Kind.PROPOSAL else self.preferences
        if digest in self._known or sum(one.author == author for one in before) >= PER_MEMBER_MAX:
            return False
        self._known.add(digest)
        if record.kind is Kind.PROPOSAL:
            self.proposals = keep_records((*before, record))
        else:
            self.preferences = keep_records((*before, record))
        if author in self._stands or record.kind is Kind.PREFERENCE:
            self._stands[author] = part_of(author, self.question, self.proposals, self.preferences).stand
        return True

    def judge_by(self, roster: Roster) -> None:
        """Count from now on by this roster: only its members' records, as large as its charter allows."""
        records = [*self.proposals, *self.preferences, *self._outside]
        kept = [record for record in records if _counts(record, roster)]
        self._outside = tuple(record for record in records if record not in kept)
        self.proposals = keep_records(record for record in kept if record.kind is Kind.PROPOSAL)
        self.preferences = keep_records(record for record in kept if record.kind is Kind.PREFERENCE)
        authors = [record.author for record in self.preferences]
        self._stands = {one: part_of(one, self.question, self.proposals, self.preferences).stand for one in authors}
        here = _authors(self.item())
        self._needed = {key: min(count, here.get(key, 0)) for key, count in self._needed.items()}

    def records(self) -> Iterator[Signed]:
        yield self.record
        yield from self.proposals
        yield from self.preferences

    def own(self, kind: Kind, author: NodeId) -> Signed | None:
        held = (*self.proposals, *self.preferences, *self._outside)
        return next((record for record in held if record.kind is kind and record.author == author), None)

    def item(self) -> Item:
        return Item(self.record, self.proposals, self.preferences)

    def sent(self) -> frozenset[NodeId]:
        """The members of which a preference is here, abstentions included."""
        return frozenset(self._stands)

    def answered(self) -> int:
        """How many members would be counted now."""
        return sum(stand is Stand.ANSWERED for stand in self._stands.values())

    def turnout(self, charter: Charter) -> int:
        """How many members must have answered."""
        return turnout_of(self.question.tally, charter.turnout)

    def becomes_ready(
        self, roster: frozenset[NodeId], reachable: frozenset[NodeId], charter: Charter, now_ms: int
    ) -> bool:
        """Note the time. True once: when voting may begin, as nobody is left to wait for or waiting is not worth it."""
        if self.enough_at_ms is None and len(self._stands) >= charter.threshold:
            self.enough_at_ms = now_ms
        if self.ready_at_ms is not None or not self._is_ready(roster, reachable, charter, now_ms):
            return False
        self.ready_at_ms = now_ms
        self._needed = _authors(trimmed(self.item()))
        return True

    def accepts(self, item: Item, roster: Roster, reachable: frozenset[NodeId], now_ms: int) -> bool:
        """Whether the question may be ended with this item, now or, while that is not known yet, later.

        It may when it is ready here, or when the item itself shows that nobody is left to wait for. It must not leave
        out whom this member had heard: else a nominator could choose the answer by choosing who is counted.
        """
        if self.ready_at_ms is not None and now_ms >= self.ready_at_ms + COMPLETE_MS:
            return True
        has = _authors(item)
        needed = _authors(self.item()) if self.ready_at_ms is None else self._needed
        if any(has.get(key, 0) < count for key, count in needed.items()):
            return False
        sent = {author for kind, author in has if kind is Kind.PREFERENCE}
        if self.ready_at_ms is not None or roster.nodes <= sent:
            return True
        return reachable <= sent and resolve(item, roster).outcome is not None

    def next_deadline_ms(self, charter: Charter) -> int | None:
        """When it may become ready by time alone."""
        if self.ready_at_ms is not None:
            return None
        if self.enough_at_ms is not None and self.answered() >= self.turnout(charter):
            return min(self.deadline_at_ms, self.enough_at_ms + charter.grace_ms)
        return self.deadline_at_ms

    def _is_ready(self, roster: frozenset[NodeId], reachable: frozenset[NodeId], charter: Charter, now_ms: int) -> bool:
        if now_ms >= self.deadline_at_ms or roster <= self._stands.keys():
            return True
        if self.answered() < self.turnout(charter):
            # Nor is it worth waiting when too many have abstained for the turnout to be met by anybody.
            silent = sum(is_counted(self.question.tally, node) for node in sorted(roster - self._stands.keys()))
            return self.answered() + silent < self.turnout(charter)
        graced = self.enough_at_ms is not None and now_ms >= self.enough_at_ms + charter.grace_ms
        return graced or reachable <= self._stands.keys()


def _authors(item: Item) -> Authors:
    return Counter((record.kind, record.author) for record in (*item.proposals, *item.preferences))


def _counts(record: Signed, roster: Roster) -> bool:
    if record.author not in roster.nodes:
        return False
    if record.kind is Kind.PROPOSAL:
        return Proposal.decode(record.body).samples <= roster.charter.samples
    return total(Preference.decode(record.body)) <= roster.charter.samples
