"""A moot of one liar and four members that a test speaks for: what it hears is well signed, what it says is kept."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from coordinator.ledger.agenda import Agenda, Item
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.roster import Member
from coordinator.messages import Agendas, Entries, LedgerEntry, Records, Status, Want, WantEntries
from coordinator.records import AnswerKind, Cost, Preference, Proposal, Question
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.voting import Externalize, Statement, encode
from node.lab.simulation.keys import Keyring
from node.lab.simulation.lies import moot_liar
from node.lab.simulation.lies.equivocation import life
from node.lab.simulation.lies.liar import Message
from node.lab.simulation.lies.memory import signed_in
from node.membership.events import Status as Reach
from node.membership.messages import NONCE_SIZE, Ack, Gossip, Ping, PingReq, SyncReply, SyncRequest
from node.membership.records import AckBody, MemberRecord, Suspicion
from tests.node.lab.simulation.stages import Clock

COUNT = 5
WALL_MS = 1_700_000_000_000
NONCE = b"n" * NONCE_SIZE


class Moot:
    """Keys and records of five members; the last of them lies."""

    def __init__(self, seed: int = 0) -> None:
        self.keys = Keyring(seed, COUNT, ed25519=False)
        self.ids = self.keys.ids
        self.liar, self.others = self.ids[-1], self.ids[:-1]
        members = [Member(node, f"m{n}", "o", 1, f"host{n}:1") for n, node in enumerate(self.ids)]
        self.genesis = Genesis.found("moot", 0, members)
        self.verifier = self.keys.verifier(self.genesis.moot_id)
        self.signers = {node: self.keys.signer(n, self.genesis.moot_id) for n, node in enumerate(self.ids)}
        asked = Question("what is 3 + 4?", AnswerKind.NUMBER, (), 5_000, "", WALL_MS, b"q" * 16)
        self.question = self.sign(self.others[0], Kind.QUESTION, asked.encode())
        self.item = self.item_with(self.others)
        self.agenda = Agenda.of(0, self.genesis.moot_id, 0, [self.item])

    def sign(self, node: NodeId, kind: Kind, body: bytes) -> Signed:
        return self.signers[node].sign(kind, body)

    def opinions(self, node: NodeId) -> tuple[Signed, Signed]:
        name, samples = self.question.digest(), self.genesis.charter.samples
        proposal = Proposal(name, (("7", samples),), samples, b"m" * 32, 1, 700, Cost())
        preference = Preference(name, (("7", samples),), Cost())
        return self.sign(node, Kind.PROPOSAL, proposal.encode()), self.sign(node, Kind.PREFERENCE, preference.encode())

    def item_with(self, nodes: Iterable[NodeId]) -> Item:
        pairs = [self.opinions(node) for node in sorted(nodes)]
        return Item(self.question, tuple(one for one, _ in pairs), tuple(other for _, other in pairs))

    def said(self, statement: Statement) -> Signed:
        return self.sign(statement.node, Kind.STATEMENT, encode(statement))

    def story(self, node: NodeId, value: Digest | None = None) -> list[Signed]:
        """All statements of a member on its way to the decision."""
        head = node, 0, self.genesis.roster.quorum_set_digest
        return [self.said(statement) for statement in life(head, value or self.agenda.digest)]

    def member(self, node: NodeId, incarnation: int = 0) -> Signed:
        record = MemberRecord(WALL_MS, incarnation, Reach.ALIVE, f"{node.hex()[:4]}:1", b"", WALL_MS, 3_600)
        return self.sign(node, Kind.MEMBER, record.encode())

    def entry(self) -> LedgerEntry:
        head = self.genesis.roster.quorum_set_digest
        said = [
            Externalize(node, 0, head, life((node, 0, head), self.agenda.digest)[-1].commit, 1)  # type: ignore[union-attr]
            for node in self.others
        ]
        return LedgerEntry(self.agenda.encode(), tuple(map(self.said, said)))

    def conversation(self) -> list[tuple[NodeId, Message]]:
        """What a member hears in the life of one question."""
        said: list[tuple[NodeId, Message]] = []
        for node in self.others:
            said += [(node, SyncRequest(self.member(node), b"")), (node, Gossip((self.member(node),)))]
            said += [(node, Ping(1, NONCE, node, (self.member(node, 1),)))]
            accused = Suspicion(self.others[0], WALL_MS, 0, WALL_MS)
            said += [(node, Gossip((self.sign(node, Kind.SUSPICION, accused.encode()),)))]
            ack = self.sign(node, Kind.ACK, AckBody(self.liar, NONCE, WALL_MS, 0).encode())
            said += [(node, Ack(1, ack)), (node, PingReq(3, NONCE, self.others[0], 400)), (node, SyncReply((), ()))]
            said += [(node, Status(0, ())), (node, Records((self.question, *self.opinions(node))))]
        stories = [self.story(node) for node in self.others]
        for step in zip(*stories, strict=True):
            said += [(one.author, Records((one,))) for one in step]
            said += [(self.others[0], Agendas((self.agenda.encode(),)))]
        said += [(self.others[1], Want((self.agenda.digest,))), (self.others[1], WantEntries(0))]
        return [*said, (self.others[2], Entries(0, (self.entry(),)))]

    def own(self) -> list[Message]:
        """What the liar's honest core has to say meanwhile."""
        said: list[Message] = [Gossip((self.member(self.liar),)), SyncRequest(self.member(self.liar), b"x" * 42)]
        said += [Ping(1, NONCE, self.liar, (self.member(self.liar),)), Ping(2, NONCE, self.others[0])]
        said += [Status(0, (b"d" * 32,)), Records(self.opinions(self.liar)), Agendas((self.agenda.encode(),))]
        said += [Records((statement,)) for statement in self.story(self.liar)]
        return [*said, Entries(0, (self.entry(),))]


@dataclass(frozen=True)
class Told:
    at_ms: int
    to: NodeId
    message: Message


class MootStage(Clock):
    """Where a lying member stands."""

    epoch = WALL_MS

    def __init__(self, moot: Moot, seed: int = 0) -> None:
        super().__init__()
        self.moot = moot
        self.node: NodeId = moot.liar
        self.others: tuple[NodeId, ...] = moot.others
        self.rng = random.Random(seed)
        self.genesis = moot.genesis
        self.told: list[Told] = []

    @property
    def wall_ms(self) -> int:
        return WALL_MS + self.now_ms

    def sign(self, kind: Kind, body: bytes) -> Signed:
        return self.moot.sign(self.node, kind, body)

    def send(self, to: NodeId, message: Message) -> None:
        self.told.append(Told(self.now_ms, to, message))


class LyingMember:
    """A liar on its stage."""

    def __init__(self, kind: str, seed: int = 0) -> None:
        self.moot = Moot()
        self.stage = MootStage(self.moot, seed)
        self.liar = moot_liar(kind, self.stage)

    def hear(self, sender: NodeId, message: Message) -> list[Told]:
        before = len(self.stage.told)
        self.liar.hear(sender, message)
        return self.stage.told[before:]

    def tell(self, message: Message) -> list[Told]:
        """Its honest core says this to everybody."""
        before = len(self.stage.told)
        for other in self.moot.others:
            for to, altered in self.liar.alter(other, message):
                self.stage.send(to, altered)
        return self.stage.told[before:]

    def play(self, *, step_ms: int = 40, then_ms: int = 3_000) -> "LyingMember":
        """Live through the life of one question."""
        own = self.moot.own()
        for sender, message in self.moot.conversation():
            self.stage.pass_ms(step_ms)
            self.hear(sender, message)
            if own:
                self.tell(own.pop(0))
        self.stage.pass_ms(then_ms)
        return self

    def to(self, member: NodeId) -> list[Message]:
        return [told.message for told in self.stage.told if told.to == member]

    def signed(self) -> list[Signed]:
        """Every signed item that it sent."""
        return [item for told in self.stage.told for item in signed_in(told.message)]
