"""What every lying member of a moot needs: its key, an allowance, a memory; and to be honest but for its one lie."""

from collections.abc import Callable
from dataclasses import replace

from coordinator.messages import AGENDAS_MAX, Agendas, Records, Want
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.voting import Nominate, Statement, encode, problem
from node.lab.simulation.lies.allowance import Allowance
from node.lab.simulation.lies.liar import Message, MootStage
from node.lab.simulation.lies.memory import Memory

SERVED_MAX = 256


class Mouth:
    """Speaks for the liar, as much as is allowed."""

    def __init__(self, stage: MootStage) -> None:
        self.stage = stage
        self.node = stage.node
        self.others = stage.others
        self.rng = stage.rng
        self.memory = Memory(stage.genesis, stage.node)
        self.serves: dict[Digest, bytes] = {}
        """Agendas that were made up, for whoever asks."""
        self._allowance = Allowance()
        self._founding_set = stage.genesis.roster.quorum_set_digest

    def hear(self, sender: NodeId, message: Message) -> None:
        """Remember it, and give out what was asked for."""
        self.memory.hear(sender, message)
        if isinstance(message, Want):
            asked = [self.serves[name] for name in message.digests if name in self.serves][:AGENDAS_MAX]
            for agenda in asked:
                self.send(sender, Agendas((agenda,)))

    def send(self, to: NodeId, message: Message) -> None:
        if to != self.node and self._allowance.take(self.stage.now_ms):
            self.stage.send(to, message)

    def send_all(self, message: Message) -> None:
        for other in self.others:
            self.send(other, message)

    def sign(self, kind: Kind, body: bytes) -> Signed:
        return self.stage.sign(kind, body)

    def statement(self, statement: Statement) -> Signed:
        """Signed, under the quorum set in force; what has no encoding becomes bytes that almost are one."""
        if statement.quorum_set == self._founding_set:
            statement = replace(statement, quorum_set=self.memory.quorum_set)
        if problem(statement) is None:
            return self.sign(Kind.STATEMENT, encode(statement))
        value = self.rng.randbytes(32)
        slot = max(0, min(statement.slot, 2**64 - 1))
        body = bytearray(encode(Nominate(self.node, slot, self._founding_set, (value,), (value,))))
        body[self.rng.randrange(len(body))] ^= 1 << self.rng.randrange(8)
        return self.sign(Kind.STATEMENT, bytes(body[: self.rng.choice((len(body), len(body) - 1))]))

    def say(self, to: NodeId, statement: Statement) -> None:
        self.send(to, Records((self.statement(statement),)))

    def head(self) -> tuple[NodeId, int, bytes]:
        """How a statement about the slot in work begins."""
        return self.node, self.memory.slot, self.memory.quorum_set

    def serve(self, digest: Digest, agenda: bytes) -> Digest:
        self.serves[digest] = agenda
        while len(self.serves) > SERVED_MAX:
            del self.serves[next(iter(self.serves))]
        return digest

    def every(self, interval_ms: int, act: Callable[[], None]) -> None:
        """Do this again and again; the first time somewhere within the first interval."""

        def again() -> None:
            act()
            self.stage.after(interval_ms, again)

        self.stage.after(1 + self.rng.randrange(interval_ms), again)


class MootLie:
    """An honest member so far. Each kind adds what is not."""

    runs_core = True

    def __init__(self, mouth: Mouth) -> None:
        self.mouth = mouth
        self.rng = mouth.rng

    def hear(self, sender: NodeId, message: Message) -> None:
        self.mouth.hear(sender, message)
        self.heard(sender, message)

    def heard(self, sender: NodeId, message: Message) -> None:
        """It was remembered; lie about it."""

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        return [(to, message)]
