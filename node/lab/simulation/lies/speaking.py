"""Liars about statements as members of a moot: honest in all else, with agendas behind the values that they invent."""

from coordinator.ledger.agenda import Item
from coordinator.messages import Records
from coordinator.records import Cost, Preference, Question
from coordinator.signed import Kind, NodeId, Signed
from coordinator.voting import QuorumSet, Statement, decode
from node.lab.simulation.lies.liar import Message, StatementLiar
from node.lab.simulation.lies.mouth import MootLie, Mouth
from node.lab.simulation.lies.statements import statement_liar

REPEATED_MS = 1_500
"""Members say their newest statements again and again; the same one is heard again after this time."""
HEARD_KEPT = 512
WAIT_MS = 400
"""How long a liar waits in each slot for a second open question, before it makes do with one."""


class Forum:
    """A stage for a liar about statements, within a moot."""

    def __init__(self, mouth: Mouth) -> None:
        self._mouth = mouth
        self.node: NodeId = mouth.node
        self.others: tuple[NodeId, ...] = mouth.others
        self.rng = mouth.rng
        quorum_set = mouth.stage.genesis.roster.quorum_set
        self.quorum_sets: dict[NodeId, QuorumSet] = dict.fromkeys((*mouth.others, mouth.node), quorum_set)
        self.after = mouth.stage.after

    @property
    def now_ms(self) -> int:
        return self._mouth.stage.now_ms

    @property
    def slot(self) -> int:
        return self._mouth.memory.slot

    def send(self, to: NodeId, statement: Statement) -> None:
        self._mouth.say(to, statement)


class InventedAgendas:
    """Values for the slot in work with agendas that anyone may fetch; some with none."""

    def __init__(self, mouth: Mouth) -> None:
        self._mouth = mouth
        self._told: dict[tuple[int, NodeId], bytes] = {}
        self._waited_for, self._since_ms = -1, 0

    def for_member(self, slot: int, member: NodeId) -> bytes | None:
        """An agenda that leaves out nobody who answered, so that this member votes for it.

        Of several open questions it holds one, another for the next member; liars that heard the same agree on that.
        With one question open it has the liar's own preference as it is told to this member alone.
        """
        found = self._told.get((slot, member))
        if found is not None:
            return found
        if slot != self._waited_for:
            self._waited_for, self._since_ms = slot, self._mouth.stage.now_ms
        found = self._one_of_several(slot, member)
        if found is None and self._mouth.stage.now_ms >= self._since_ms + WAIT_MS:
            found = self._agenda(slot, member)
        if found is not None:
            self._told[slot, member] = found
            while len(self._told) > 4 * len(self._mouth.others):
                del self._told[next(iter(self._told))]
        return found

    def invented(self, slot: int) -> bytes:
        if self._mouth.rng.random() < 0.3:
            return self._mouth.rng.randbytes(32)
        return self._agenda(slot, None) or self._mouth.rng.randbytes(32)

    def _one_of_several(self, slot: int, member: NodeId) -> bytes | None:
        mouth, memory = self._mouth, self._mouth.memory
        items = [memory.item(question) for question in sorted(memory.questions)]
        roster = mouth.stage.genesis.roster.by_node
        complete = [item for item in items if roster.keys() <= {one.author for one in item.preferences}]
        if slot != memory.slot or len(complete) < 2:
            return None
        agenda = memory.agenda(complete[sorted(roster).index(member) % len(complete)])
        return None if agenda is None else mouth.serve(agenda.digest, agenda.encode())

    def _agenda(self, slot: int, member: NodeId | None) -> bytes | None:
        mouth, memory = self._mouth, self._mouth.memory
        if slot != memory.slot or not memory.questions:
            return None
        item = memory.item(mouth.rng.choice(list(memory.questions)))
        others = tuple(one for one in item.preferences if one.author != mouth.node)
        if member is None:
            others = tuple(one for one in others if mouth.rng.random() < 0.7)
        answer = str(mouth.rng.randrange(1_000)) if member is None else str(1_000 + mouth.others.index(member))
        options = Question.decode(item.question.body).options
        points = ((options[int(answer) % len(options)] if options else answer, 1),)
        own = mouth.sign(Kind.PREFERENCE, Preference(item.id, points, Cost()).encode())
        agenda = memory.agenda(Item(item.question, item.proposals, (*others, own)))
        return None if agenda is None else mouth.serve(agenda.digest, agenda.encode())


class Speaking(MootLie):
    """Its statements are those of the liar within; its agendas, questions and answers are a member's."""

    def __init__(self, mouth: Mouth, kind: str) -> None:
        super().__init__(mouth)
        self.liar: StatementLiar = statement_liar(kind, Forum(mouth), InventedAgendas(mouth))
        self._heard_ms: dict[bytes, int] = {}

    def heard(self, sender: NodeId, message: Message) -> None:
        if isinstance(message, Records):
            for record in message.records:
                if record.kind is Kind.STATEMENT and record.author != self.mouth.node:
                    self._statement(record)

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        """Statements of the honest core are the liar's to change, or not to say at all."""
        if not isinstance(message, Records):
            return [(to, message)]
        self.mouth.memory.keep(message.records)
        records: list[Signed] = []
        for record in message.records:
            if record.kind is not Kind.STATEMENT or record.author != self.mouth.node:
                records.append(record)
            elif self.liar.runs_core:
                said = self.liar.alter(to, decode(record.body))
                records += [self.mouth.statement(statement) for statement in said]
        return [(to, Records(tuple(records)))] if records else []

    def _statement(self, record: Signed) -> None:
        now_ms = self.mouth.stage.now_ms
        name = record.digest()
        if now_ms < self._heard_ms.get(name, now_ms - REPEATED_MS) + REPEATED_MS:
            return
        self._heard_ms.pop(name, None)
        self._heard_ms[name] = now_ms
        if len(self._heard_ms) > HEARD_KEPT:
            del self._heard_ms[next(iter(self._heard_ms))]
        try:
            statement = decode(record.body)
        except ValueError:
            return
        if statement.node == record.author and statement.node in self.mouth.others:
            self.liar.hear(statement)
