"""Liars that nominate agendas which should not be decided: forged, unfetchable, huge, picked, too early."""

from collections.abc import Callable
from dataclasses import replace

from coordinator.ledger.agenda import Agenda, Item
from coordinator.messages import Agendas, Records
from coordinator.records import TEXT_LENGTH_MAX, AnswerKind, Cost, Preference, Question
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.voting import VALUES_MAX, Ballot, Confirm, Externalize, Nominate, Prepare, Statement, decode
from node.lab.simulation.lies.liar import Message
from node.lab.simulation.lies.mouth import MootLie, Mouth

OFFERS_MAX = 16
"""Agendas of its own that it names in one slot."""
OFFER_MS = 250
HUGE_QUESTIONS = 60
"""Of the longest text: together almost the largest agenda that there may be."""

Offers = Callable[[Mouth, Item], list[Digest]]
"""New agendas with this open question; they are served to whoever asks, or not."""


class AgendaLiar(MootLie):
    """Nominates what `offers` gives, again and again, and adds it to all that its honest core nominates."""

    def __init__(self, mouth: Mouth, offers: Offers, *, gives: bool = True) -> None:
        super().__init__(mouth)
        self._offers = offers
        self._gives = gives
        self._named: tuple[int, tuple[Digest, ...]] = (0, ())
        """The slot in work, and what was offered in it."""
        mouth.every(OFFER_MS, self._offer)

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        match message:
            case Agendas() if not self._gives:
                return []
            case Records(records):
                return [(to, Records(tuple(map(self._altered, records))))]
            case _:
                return [(to, message)]

    def _altered(self, record: Signed) -> Signed:
        if record.kind is not Kind.STATEMENT or record.author != self.mouth.node:
            return record
        statement = decode(record.body)
        if not isinstance(statement, Nominate) or statement.slot != self._named[0]:
            return record
        votes = tuple(sorted({*statement.votes, *self._named[1]}))
        return self.mouth.statement(replace(statement, votes=votes)) if len(votes) <= VALUES_MAX else record

    def _offer(self) -> None:
        mouth, memory = self.mouth, self.mouth.memory
        slot, named = self._named
        if slot != memory.slot:
            named = ()
        open_now = list(memory.questions)
        if not open_now or len(named) >= OFFERS_MAX:
            return
        new = self._offers(mouth, memory.item(self.rng.choice(open_now)))
        self._named = memory.slot, tuple(sorted({*named, *new}))[:OFFERS_MAX]
        if not self._named[1]:
            return
        mouth.send_all(Records((mouth.statement(Nominate(*mouth.head(), self._named[1], ())),)))
        if self.rng.random() < 0.2:
            mouth.send_all(Records((mouth.statement(self._ballot(self.rng.choice(self._named[1]))),)))

    def _ballot(self, value: Digest) -> Statement:
        head, one = self.mouth.head(), Ballot(1, value)
        lies: tuple[Statement, ...] = (
            Prepare(*head, one, one, None, 1, 1),
            Confirm(*head, one, 1, 1, 1),
            Externalize(*head, one, 1),
        )
        return self.rng.choice(lies)


def withheld(mouth: Mouth, item: Item) -> list[Digest]:
    """Names of agendas that nobody can fetch: there are none, or they are not given."""
    return [mouth.rng.randbytes(32) for _ in range(3)]


def forged(mouth: Mouth, item: Item) -> list[Digest]:
    """Agendas that break one rule each of what may stand on one."""
    rng, memory = mouth.rng, mouth.memory
    victim = rng.choice(mouth.others)
    own = _preference(mouth, item.id, "7", 1)
    records = (
        Signed(own.kind, victim, own.body, own.signature),
        Signed(own.kind, rng.randbytes(32), own.body, own.signature),
        Signed(own.kind, mouth.node, own.body, rng.randbytes(64)),
        _preference(mouth, rng.randbytes(32), "7", 1),
        _preference(mouth, item.id, "7", 60),
        mouth.sign(Kind.PREFERENCE, b"garbled"),
    )
    items = [Item(item.question, item.proposals, (*item.preferences, record)) for record in records]
    question = item.question
    items.append(Item(Signed(question.kind, question.author, question.body, rng.randbytes(64)), (), item.preferences))
    if memory.decided:
        items.append(Item(rng.choice(list(memory.decided.values())), (), ()))
    agendas = [made for one in items if (made := memory.agenda(one)) is not None]
    if not agendas:
        return []
    good = memory.agenda(item) or agendas[0]
    header = good.header
    agendas += [
        Agenda.of(header.slot, header.previous, header.epoch, ()),
        Agenda.of(header.slot + 7, header.previous, header.epoch, good.items),
        Agenda.of(header.slot, rng.randbytes(32), header.epoch, good.items),
        Agenda.of(header.slot, header.previous, header.epoch + 1, good.items),
        Agenda(replace(header, root=rng.randbytes(32)), good.items),
        Agenda(replace(header, count=header.count + 1), good.items),
    ]
    return [mouth.serve(one.digest, one.encode()) for one in rng.sample(agendas, 3)]


def huge(mouth: Mouth, item: Item) -> list[Digest]:
    """One agenda as large as they come, of questions that nobody was asked."""
    if any(len(agenda) > 400_000 for agenda in mouth.serves.values()) and mouth.rng.random() < 0.9:
        return []  # Others have work with it: one at a time will do.
    questions = (
        Question(
            chr(0x1F600 + number) * TEXT_LENGTH_MAX,
            AnswerKind.SHORT,
            (),
            1,
            "",
            mouth.stage.wall_ms,
            mouth.rng.randbytes(16),
        )
        for number in range(HUGE_QUESTIONS)
    )
    items = [Item(mouth.sign(Kind.QUESTION, question.encode()), (), ()) for question in questions]
    agenda = mouth.memory.agenda(*items, item)
    return [] if agenda is None else [mouth.serve(agenda.digest, agenda.encode())]


def picked(mouth: Mouth, item: Item) -> list[Digest]:
    """The question with those preferences that the liar likes, and its own."""
    kept = tuple(one for one in item.preferences if one.author != mouth.node and mouth.rng.random() < 0.5)
    own = _preference(mouth, item.id, str(mouth.rng.randrange(10)), 1)
    return _served(mouth, Item(item.question, item.proposals, (*kept, own)))


def hurried(mouth: Mouth, item: Item) -> list[Digest]:
    """The question, ended before anybody has answered."""
    return _served(mouth, Item(item.question, (), ()))


def _served(mouth: Mouth, item: Item) -> list[Digest]:
    agenda = mouth.memory.agenda(item)
    return [] if agenda is None else [mouth.serve(agenda.digest, agenda.encode())]


def _preference(mouth: Mouth, question: Digest, answer: str, points: int) -> Signed:
    return mouth.sign(Kind.PREFERENCE, Preference(question, ((answer, points),), Cost()).encode())
