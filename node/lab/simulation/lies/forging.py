"""Liars with others' words: forged ones, which must have no effect at all, and old ones, which may have none either."""

from coordinator.messages import RECORDS_MAX, Records
from coordinator.records import Cost, Preference
from coordinator.signed import NODE_ID_SIZE, SIGNATURE_SIZE, Kind, NodeId, Signed
from coordinator.voting import Ballot, Externalize, encode
from node.lab.simulation.lies.liar import Message
from node.lab.simulation.lies.memory import signed_in
from node.lab.simulation.lies.mouth import MootLie, Mouth
from node.membership.messages import GOSSIP_MAX, Ack, Gossip

GOSSIPED = (Kind.MEMBER, Kind.SUSPICION)
FORGED_PER_MESSAGE = 2
REPEAT_MS = 400
REPEATED_KEPT = 200
KEPT_EVERY = 3


class Forger(MootLie):
    """Makes records that others should have signed and did not, of everything that it hears."""

    def heard(self, sender: NodeId, message: Message) -> None:
        signed = [record for record in signed_in(message) if record.author != self.mouth.node]
        if not signed:
            return
        for _ in range(FORGED_PER_MESSAGE):
            forgery = self._forged(self.rng.choice(signed), self.rng.choice(signed))
            to = self.rng.choice(self.mouth.others)
            match forgery.kind:
                case Kind.MEMBER | Kind.SUSPICION:
                    self.mouth.send(to, Gossip((forgery,)))
                case Kind.ACK:
                    probe = message.probe if isinstance(message, Ack) else 1
                    self.mouth.send(to, Ack(probe, forgery))
                case _:
                    self.mouth.send(to, Records((forgery,)))

    def _forged(self, record: Signed, other: Signed) -> Signed:
        """In the name of the author, who never signed this; or of nobody."""
        rng = self.rng
        body = bytearray(record.body)
        if body:
            body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
        changed = bytes(body)
        if record.kind is Kind.STATEMENT and rng.random() < 0.5:
            _, slot, quorum_set = self.mouth.head()
            changed = encode(Externalize(record.author, slot, quorum_set, Ballot(1, rng.randbytes(32)), 1))
        if record.kind is Kind.PREFERENCE and rng.random() < 0.5 and self.mouth.memory.questions:
            question = rng.choice(list(self.mouth.memory.questions))
            changed = Preference(question, (("666", 1),), Cost()).encode()
        if changed == record.body:
            changed += b"!"
        others = [kind for kind in Kind if kind not in (record.kind, Kind.ENVELOPE)]  # No message carries an envelope.
        return rng.choice(
            (
                Signed(record.kind, record.author, record.body, rng.randbytes(SIGNATURE_SIZE)),
                Signed(record.kind, record.author, record.body, b""),
                Signed(record.kind, record.author, changed, record.signature),
                Signed(record.kind, record.author, changed, other.signature),
                Signed(record.kind, record.author, changed, self.mouth.sign(record.kind, changed).signature),
                Signed(rng.choice(others), record.author, record.body, record.signature),
                Signed(record.kind, rng.randbytes(NODE_ID_SIZE), record.body, record.signature),
            )
        )


class Repeater(MootLie):
    """Says again what anybody said at any time, to anybody: each word is well signed, and old."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        self._kept: list[Message] = []
        self._heard = 0
        mouth.every(REPEAT_MS, self._repeat)

    def heard(self, sender: NodeId, message: Message) -> None:
        self._heard += 1
        if self._heard % KEPT_EVERY == 0:
            if len(self._kept) < REPEATED_KEPT:
                self._kept.append(message)
            else:
                self._kept[self.rng.randrange(REPEATED_KEPT)] = message

    def _repeat(self) -> None:
        if not self._kept:
            return
        for _ in range(4):
            self.mouth.send(self.rng.choice(self.mouth.others), self.rng.choice(self._kept))
        signed = [record for message in self._kept for record in signed_in(message)]
        gossip = [record for record in signed if record.kind in GOSSIPED]
        records = [record for record in signed if record.kind not in (*GOSSIPED, Kind.ACK)]
        other = self.rng.choice(self.mouth.others)
        if gossip:
            self.mouth.send(other, Gossip(tuple(self.rng.sample(gossip, min(len(gossip), GOSSIP_MAX)))))
        if records:
            self.mouth.send(other, Records(tuple(self.rng.sample(records, min(len(records), RECORDS_MAX)))))
