"""What a lying member of a moot keeps of what it heard, as far as it can lie with it; a little of everything."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from coordinator.encoding import EncodingError
from coordinator.ledger.agenda import Agenda, Item
from coordinator.ledger.genesis import Genesis
from coordinator.messages import Agendas, Entries, Records
from coordinator.records import Preference, Proposal, Question
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.voting import Statement, decode
from coordinator.voting.says import value_of
from coordinator.voting.statement import Confirm, Externalize
from node.lab.simulation.lies.liar import Message
from node.membership.messages import Ack, Gossip, Ping, PingReq, SyncReply, SyncRequest
from node.membership.records import MemberRecord

QUESTIONS_KEPT, OPINIONS_KEPT, AGENDAS_KEPT, SLOTS_KEPT = 24, 32, 16, 4
MESSAGES_KEPT, GOSSIP_KEPT = 64, 64

K = TypeVar("K")
V = TypeVar("V")


class Memory:
    """Nothing in it was checked: a liar need not care."""

    def __init__(self, genesis: Genesis, node: NodeId) -> None:
        self._genesis = genesis
        self._node = node
        self.questions: dict[Digest, Signed] = {}
        """Not known to be decided."""
        self.decided: dict[Digest, Signed] = {}
        self.agendas: dict[Digest, Agenda] = {}
        self.messages: deque[tuple[NodeId, Message]] = deque(maxlen=MESSAGES_KEPT)
        self.gossip: deque[Signed] = deque(maxlen=GOSSIP_KEPT)
        """Others' member records, accusations and answers to probes, the newest last."""
        self.members: dict[NodeId, tuple[Signed, MemberRecord]] = {}
        """Of each other member, the record with the highest key that it may have signed."""
        self.entries: deque[Entries] = deque(maxlen=4)
        self._opinions: dict[Digest, dict[Digest, Signed]] = {}
        """By question and digest."""
        self._slots: dict[NodeId, int] = {}
        """Of each author's newest statement."""
        self._sets: dict[NodeId, Digest] = {}
        """The quorum set that each author named last."""
        self._heads: dict[int, Digest] = {}
        """What a slot was said to have decided."""

    def hear(self, sender: NodeId, message: Message) -> None:
        self.messages.append((sender, message))
        match message:
            case Records(records):
                self.keep(records)
            case Agendas(agendas):
                for data in agendas:
                    self._agenda(data)
            case Entries(entries=entries):
                self.entries.append(message)
                for entry in entries:
                    agenda = self._agenda(entry.agenda)
                    if agenda is not None:
                        self._decide(agenda.header.slot, agenda.digest)
            case _:
                for item in signed_in(message):
                    if item.author != self._node:
                        self.gossip.append(item)
                        self._member(item)

    def keep(self, records: Iterable[Signed]) -> None:
        """Questions, answers and statements, others' or of the honest core beside the liar."""
        for record in records:
            self._record(record)

    @property
    def slot(self) -> int:
        """The one that most members work on."""
        slots = sorted(self._slots.values())
        return slots[len(slots) // 2] if slots else 0

    @property
    def quorum_set(self) -> Digest:
        """The one that most members name: it changes with the roster."""
        named = Counter(self._sets.values()).most_common(1)
        return named[0][0] if named else self._genesis.roster.quorum_set_digest

    @property
    def previous(self) -> Digest | None:
        """What that slot follows, where that was heard."""
        slot = self.slot
        if slot == 0:
            return self._genesis.moot_id
        named = [one.header.previous for one in self.agendas.values() if one.header.slot == slot]
        return self._heads.get(slot - 1, named[-1] if named else None)

    def opinions(self, question: Digest) -> list[Signed]:
        return list(self._opinions.get(question, {}).values())

    def item(self, question: Digest) -> Item:
        """A question with everything that was heard about it."""
        held = self.opinions(question)
        of = {kind: tuple(one for one in held if one.kind is kind) for kind in (Kind.PROPOSAL, Kind.PREFERENCE)}
        return Item(self.questions[question], of[Kind.PROPOSAL], of[Kind.PREFERENCE])

    def agenda(self, *items: Item) -> Agenda | None:
        """An agenda for the slot in work; None while its place is not known."""
        previous = self.previous
        if previous is None:
            return None
        epochs = [one.header.epoch for one in self.agendas.values()]
        return Agenda.of(self.slot, previous, epochs[-1] if epochs else 0, items)

    def _record(self, record: Signed) -> None:
        try:
            match record.kind:
                case Kind.QUESTION:
                    Question.decode(record.body)
                    if record.digest() not in self.decided:
                        _keep(self.questions, record.digest(), record, QUESTIONS_KEPT)
                case Kind.PROPOSAL | Kind.PREFERENCE:
                    about = (Proposal if record.kind is Kind.PROPOSAL else Preference).decode(record.body).question
                    held = self._opinions.setdefault(about, {})
                    _keep(held, record.digest(), record, OPINIONS_KEPT)
                    _keep(self._opinions, about, held, QUESTIONS_KEPT)
                case Kind.STATEMENT:
                    self._statement(decode(record.body))
                case _:
                    pass
        except ValueError:
            pass

    def _member(self, item: Signed) -> None:
        known = self.members.get(item.author)
        if item.kind is not Kind.MEMBER or (known is not None and known[0] == item):
            return
        try:
            record = MemberRecord.decode(item.body)
        except EncodingError:
            return
        if item.author in self._genesis.roster.by_node and (known is None or record.key > known[1].key):
            self.members[item.author] = item, record

    def _statement(self, statement: Statement) -> None:
        if statement.node in self._genesis.roster.by_node:
            self._slots[statement.node] = statement.slot
            self._sets[statement.node] = statement.quorum_set
        if isinstance(statement, Confirm | Externalize):
            self._decide(statement.slot, value_of(statement))

    def _agenda(self, data: bytes) -> Agenda | None:
        try:
            digest = Agenda.digest_in(data)
            agenda = self.agendas.get(digest) or Agenda.decode(data)
        except EncodingError:
            return None
        _keep(self.agendas, digest, agenda, AGENDAS_KEPT)
        return agenda

    def _decide(self, slot: int, value: Digest) -> None:
        if self._heads.get(slot) == value:
            return
        _keep(self._heads, slot, value, SLOTS_KEPT)
        agenda = self.agendas.get(value)
        for item in agenda.items if agenda is not None else ():
            self.questions.pop(item.id, None)
            _keep(self.decided, item.id, item.question, QUESTIONS_KEPT)


def signed_in(message: Message) -> tuple[Signed, ...]:
    """The signed items that a message carries."""
    match message:
        case Records(records):
            return records
        case Ping(gossip=gossip) | PingReq(gossip=gossip):
            return gossip
        case Ack(ack=ack, gossip=gossip):
            return (ack, *gossip)
        case Gossip(items) | SyncReply(items=items):
            return items
        case SyncRequest(own=own):
            return (own,)
        case _:
            return ()


def with_items(message: Message, changed: Callable[[Signed], Signed]) -> Message:
    """The message with each signed item that it carries changed."""
    match message:
        case Records(records):
            return Records(tuple(map(changed, records)))
        case Gossip(items):
            return Gossip(tuple(map(changed, items)))
        case Ping(gossip=gossip) | PingReq(gossip=gossip):
            return replace(message, gossip=tuple(map(changed, gossip)))
        case Ack(ack=ack, gossip=gossip):
            return replace(message, ack=changed(ack), gossip=tuple(map(changed, gossip)))
        case SyncReply(items=items):
            return replace(message, items=tuple(map(changed, items)))
        case SyncRequest(own=own):
            return replace(message, own=changed(own))
        case _:
            return message


def _keep(held: dict[K, V], key: K, value: V, count_max: int) -> None:
    """As the newest of so many."""
    held.pop(key, None)
    held[key] = value
    while len(held) > count_max:
        del held[next(iter(held))]
