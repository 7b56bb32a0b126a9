"""Liars about answers: another one for each member, more points than there are, answers to what nobody asked."""

from coordinator.messages import Records
from coordinator.records import SAMPLES_MAX, Cost, Preference, Proposal, sorted_points
from coordinator.signed import Digest, Kind, NodeId, Signed
from node.lab.simulation.lies.liar import Message
from node.lab.simulation.lies.mouth import MootLie, Mouth

STRAY_MS = 200
STRAY_MAX = 400
"""In a whole run."""


class TwoAnswers(MootLie):
    """Signs one answer for one half of the members and another for the other half."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        self.fooled = frozenset(self.rng.sample(mouth.others, (len(mouth.others) + 1) // 2))

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        if to not in self.fooled:
            return [(to, message)]
        return _changed(self.mouth, to, message, "13", self.mouth.stage.genesis.charter.samples)


class TooManyPoints(MootLie):
    """Spreads more points than the charter gives, as many as a record can hold."""

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        samples = self.mouth.stage.genesis.charter.samples
        return _changed(self.mouth, to, message, "13", min(SAMPLES_MAX, self.rng.choice((samples + 1, SAMPLES_MAX))))


class StrayAnswers(MootLie):
    """Answers questions that nobody asked, that are over or that it has answered before, with what is no answer."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        self._said = 0
        mouth.every(STRAY_MS, self._stray)

    def _stray(self) -> None:
        mouth, memory, rng = self.mouth, self.mouth.memory, self.rng
        if self._said >= STRAY_MAX:
            return
        self._said += 1
        question = rng.choice([rng.randbytes(32), mouth.node, *memory.questions, *memory.decided])
        answer = rng.choice(("no number", "7", str(rng.randrange(10**6)), "\N{GREEK SMALL LETTER PI}" * 20))
        points = rng.randint(1, mouth.stage.genesis.charter.samples)
        record = _preference(mouth, question, answer, points)
        if rng.random() < 0.3:
            counts = ((answer, points),)
            proposal = Proposal(question, counts, points, rng.randbytes(32), 0, 0, Cost(1 << 40, 1 << 40, 1 << 40, 0))
            record = mouth.sign(Kind.PROPOSAL, proposal.encode())
        if rng.random() < 0.2:
            record = mouth.sign(record.kind, record.body[: rng.randrange(len(record.body))])
        for other in rng.sample(mouth.others, rng.randint(1, len(mouth.others))):
            mouth.send(other, Records((record,)))


def _changed(mouth: Mouth, to: NodeId, message: Message, answer: str, points: int) -> list[tuple[NodeId, Message]]:
    """The message with another answer in the place of the liar's own, in its proposals and preferences alike."""
    if not isinstance(message, Records):
        return [(to, message)]
    records = tuple(_other(mouth, record, answer, points) for record in message.records)
    return [(to, Records(records))]


def _other(mouth: Mouth, record: Signed, answer: str, points: int) -> Signed:
    if record.author != mouth.node or record.kind not in (Kind.PROPOSAL, Kind.PREFERENCE):
        return record
    counts = sorted_points({answer: points})
    if record.kind is Kind.PREFERENCE:
        preference = Preference.decode(record.body)
        return mouth.sign(record.kind, Preference(preference.question, counts, preference.cost).encode())
    said = Proposal.decode(record.body)
    proposal = Proposal(said.question, counts, points, said.model, said.seed, said.temperature_milli, said.cost)
    return mouth.sign(record.kind, proposal.encode())


def _preference(mouth: Mouth, question: Digest, answer: str, points: int) -> Signed:
    return mouth.sign(Kind.PREFERENCE, Preference(question, ((answer, points),), Cost()).encode())
