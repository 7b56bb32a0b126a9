"""Liars about where they stand: heights and entries of a ledger that is none, digests of nothing, wants without end."""

from coordinator.encoding import EncodingError
from coordinator.ledger.agenda import Agenda, Item
from coordinator.messages import DIGESTS_MAX, Entries, LedgerEntry, Status, Want, WantEntries
from coordinator.records import AnswerKind, Cost, Preference, Question
from coordinator.signed import SIGNATURE_SIZE, Kind, NodeId, Signed
from coordinator.voting import Ballot, Externalize, encode
from node.lab.simulation.lies.liar import Message
from node.lab.simulation.lies.mouth import MootLie, Mouth

FAR = 1 << 40
LURE_MS = 700
WANT_MS, WANTS = 500, 8


class FalseHeights(MootLie):
    """Shows a ledger that is far longer than all others', or empty, and holds every record that there is not."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        mouth.every(LURE_MS, self._show)

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        match message:
            case Status(have=have):
                return [(to, Status(self._height(), have))]
            case Entries():
                return []
            case _:
                return [(to, message)]

    def _show(self) -> None:
        rng = self.rng
        count = rng.choice((0, 10, DIGESTS_MAX))
        have = tuple(sorted(rng.randbytes(32) for _ in range(count)))
        self.mouth.send(rng.choice(self.mouth.others), Status(self._height(), have))

    def _height(self) -> int:
        slot = self.mouth.memory.slot
        return self.rng.choice((0, slot + 1, slot + 2, slot + 1_000, FAR))


class Wanter(MootLie):
    """Asks everybody for everything, there or not, far faster than it could read."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        mouth.every(WANT_MS, self._want)

    def _want(self) -> None:
        rng, memory = self.rng, self.mouth.memory
        there = [*memory.agendas, *memory.questions, *(one.digest() for one in self._opinions())]
        for _ in range(WANTS):
            other = rng.choice(self.mouth.others)
            junk = [rng.randbytes(32) for _ in range(rng.choice((0, 5, DIGESTS_MAX - len(there))))]
            self.mouth.send(other, Want(tuple(sorted([*there, *junk]))))
            self.mouth.send(other, WantEntries(rng.choice((0, max(0, memory.slot - 1), memory.slot, FAR))))

    def _opinions(self) -> list[Signed]:
        memory = self.mouth.memory
        return [record for question in memory.questions for record in memory.opinions(question)]


class EntryForger(MootLie):
    """Lures with a longer ledger, and gives entries that no quorum has decided."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        mouth.every(LURE_MS, self._lure)

    def heard(self, sender: NodeId, message: Message) -> None:
        if isinstance(message, WantEntries):
            for _ in range(2):
                self.mouth.send(sender, self._forged(message.slot))

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        match message:
            case Status(height=height, have=have):
                return [(to, Status(height + 1, have))]
            case Entries(slot, entries):
                return [(to, self._spoiled(slot, entries))]
            case _:
                return [(to, message)]

    def _lure(self) -> None:
        memory = self.mouth.memory
        other = self.rng.choice(self.mouth.others)
        self.mouth.send(other, Status(memory.slot + 1, ()))
        self.mouth.send(other, self._forged(memory.slot))
        if memory.entries:
            old = self.rng.choice(memory.entries)
            self.mouth.send(other, self._spoiled(old.slot, old.entries))

    def _forged(self, slot: int) -> Entries:
        """An entry of its own, with proofs that are forged, too short, or of something else."""
        mouth, rng, memory = self.mouth, self.rng, self.mouth.memory
        previous = memory.previous if slot == memory.slot else None
        question = Question(
            "who pays?", AnswerKind.SHORT, (), 1_000, "", max(0, mouth.stage.wall_ms), rng.randbytes(16)
        )
        asked = mouth.sign(Kind.QUESTION, question.encode())
        mine = mouth.sign(Kind.PREFERENCE, Preference(asked.digest(), (("you", 1),), Cost()).encode())
        agenda = Agenda.of(slot, previous or rng.randbytes(32), 0, [Item(asked, (), (mine,))])
        _, _, quorum_set = mouth.head()
        said = [Externalize(node, slot, quorum_set, Ballot(1, agenda.digest), 1) for node in mouth.others]
        own = Externalize(mouth.node, slot, quorum_set, Ballot(1, agenda.digest), 1)
        ours = mouth.sign(Kind.STATEMENT, encode(own))
        proofs: list[tuple[Signed, ...]] = [
            (),
            (ours,),
            (ours,) * (len(mouth.others) + 1),
            (ours, *(Signed(Kind.STATEMENT, one.node, encode(one), rng.randbytes(SIGNATURE_SIZE)) for one in said)),
            (ours, *(Signed(Kind.STATEMENT, one.node, ours.body, ours.signature) for one in said)),
            (ours, *(mouth.sign(Kind.STATEMENT, encode(one)) for one in said)),
        ]
        if memory.entries and memory.entries[-1].entries:
            proofs.append(memory.entries[-1].entries[0].statements)
        data = agenda.encode()
        return Entries(slot, (LedgerEntry(data if rng.random() < 0.9 else data[:-1], rng.choice(proofs)),))

    def _spoiled(self, slot: int, entries: tuple[LedgerEntry, ...]) -> Entries:
        """True entries with one thing changed: a signature, the slot, an agenda without one of its records."""
        if not entries:
            return Entries(slot, entries)
        first, rng = entries[0], self.rng
        if rng.random() < 0.3:
            return Entries(slot + rng.choice((1, 2)), entries)
        if rng.random() < 0.5 and first.statements:
            one = first.statements[0]
            forged = Signed(one.kind, one.author, one.body, rng.randbytes(SIGNATURE_SIZE))
            return Entries(slot, (LedgerEntry(first.agenda, (forged, *first.statements[1:])), *entries[1:]))
        try:
            agenda = Agenda.decode(first.agenda)
        except EncodingError:
            return Entries(slot, entries)
        items = [Item(item.question, item.proposals, item.preferences[1:]) for item in agenda.items]
        header = agenda.header
        less = Agenda.of(header.slot, header.previous, header.epoch, items)
        return Entries(slot, (LedgerEntry(less.encode(), first.statements), *entries[1:]))
