"""A roster member that runs no core: it hears everything and says whatever a test wants, with valid signatures."""

from collections.abc import Callable, Iterable, Sequence

from coordinator.effects import Send
from coordinator.events import Received
from coordinator.ledger.agenda import Agenda, Item
from coordinator.messages import RECORDS_MAX, Agendas, MootMessage, Records, Want
from coordinator.records import Cost, Preference, Proposal, Question
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.voting import Nominate, Statement, encode
from tests.coordinator.network import Network


class Liar:
    """Collects what it receives. `act` is called with each message, after it was collected."""

    def __init__(self, network: Network, node: NodeId, act: "Callable[[Liar, Received], None] | None" = None) -> None:
        self.network, self.node, self.act = network, node, act
        self.honest = [other for other in network.ids if other != node]
        self.records: dict[Digest, Signed] = {}
        self.serves: dict[Digest, Agenda] = {}
        self.heard: list[Received] = []
        network.puppets[node] = self._receive

    @property
    def quorum_set(self) -> bytes:
        return self.network.genesis.roster.quorum_set_digest

    def sign(self, kind: Kind, body: bytes) -> Signed:
        return self.network.signer(self.node).sign(kind, body)

    def send(self, message: MootMessage, *to: NodeId) -> None:
        for other in to or self.honest:
            self.network.inject(self.node, Send(other, message))

    def say(self, statement: Statement, *to: NodeId) -> None:
        self.send(Records((self.sign(Kind.STATEMENT, encode(statement)),)), *to)

    def nominate(self, agendas: Sequence[Agenda], *to: NodeId) -> None:
        """Vote for these agendas, and give them to whoever asks."""
        self.serves.update({agenda.digest: agenda for agenda in agendas})
        values = tuple(sorted(agenda.digest for agenda in agendas))
        self.say(Nominate(self.node, agendas[0].header.slot, self.quorum_set, values, ()), *to)

    def prefer(self, question: Digest, points: tuple[tuple[str, int], ...]) -> Signed:
        return self.sign(Kind.PREFERENCE, Preference(question, points, Cost()).encode())

    def ask(self, questions: Iterable[Question], *to: NodeId) -> list[Digest]:
        records = [self.sign(Kind.QUESTION, question.encode()) for question in questions]
        for start in range(0, len(records), RECORDS_MAX):
            self.send(Records(tuple(records[start : start + RECORDS_MAX])), *to)
        return [record.digest() for record in records]

    def of(self, kind: Kind) -> list[Signed]:
        return [record for record in self.records.values() if record.kind is kind]

    def item(self, question: Digest, authors: Iterable[NodeId] | None = None) -> Item | None:
        """What this member could put on an agenda: the question with the records of these authors, or of all."""
        asked = self.records.get(question)
        chosen = set(self.network.ids if authors is None else authors)
        if asked is None:
            return None
        proposals = [
            one
            for one in self.of(Kind.PROPOSAL)
            if one.author in chosen and Proposal.decode(one.body).question == question
        ]
        preferences = [
            one
            for one in self.of(Kind.PREFERENCE)
            if one.author in chosen and Preference.decode(one.body).question == question
        ]
        return Item(asked, tuple(proposals), tuple(preferences))

    def agenda(self, *items: Item, slot: int | None = None, previous: Digest | None = None) -> Agenda:
        """An agenda that follows what the first honest member has decided."""
        disk = self.network.disks[self.honest[0]]
        head = disk.head or self.network.genesis.moot_id
        return Agenda.of(disk.height if slot is None else slot, head if previous is None else previous, 0, items)

    def _receive(self, event: Received) -> None:
        self.heard.append(event)
        match event.message:
            case Records(records):
                self.records.update({record.digest(): record for record in records})
            case Want(digests):
                for digest in digests:
                    if digest in self.serves:
                        self.send(Agendas((self.serves[digest].encode(),)), event.sender)
            case _:
                pass
        if self.act is not None:
            self.act(self, event)
