"""One core, `a`, among peers of which only the signatures are real: for tables, scripts and properties."""

import random
from collections.abc import Callable, Sequence

from coordinator.effects import Note
from coordinator.signed import Kind, NodeId, Signed
from node.membership.core import Membership
from node.membership.digest import line_of
from node.membership.events import Effect, Event, MemberView, Received, Seed, Send, Status, Tick
from node.membership.members import NOBODY, Known
from node.membership.messages import Ack, Gossip, MembershipMessage, Ping
from node.membership.records import PROTOCOL_MAX, PROTOCOL_MIN, AckBody, MemberRecord, Suspicion
from node.membership.settings import MembershipSettings
from tests.node.membership.keys import TestVerifier

WALL_MS = 1_750_000_000_000
EPOCH = WALL_MS
"""Of `a` and of its peers."""
SELF = b"a"


class Solo:
    """`a` begins at time 0 with health 0 and knows nobody, unless `meet` tells it.

    Peers named in `answering` answer every ping at once; all others are silent.
    """

    def __init__(
        self,
        *,
        admit: Callable[[NodeId], bool] = lambda node: True,
        seeds: Sequence[tuple[NodeId | None, str]] = (),
        remembered: Sequence[Signed] = (),
        meta: bytes = b"",
        settings: MembershipSettings | None = None,
        known: Known = NOBODY,
        operator_of: Callable[[NodeId], str] = lambda node: "",
        is_heeded: Callable[[NodeId], bool] = lambda author: False,
        rng: random.Random | None = None,
        **numbers: int,
    ) -> None:
        self.verifier = TestVerifier()
        self.now_ms = 0
        self.answering: frozenset[NodeId] = frozenset()
        self.settings = settings or MembershipSettings(**numbers)
        self.core = Membership(
            signer=self.verifier.signer(SELF),
            verifier=self.verifier,
            settings=self.settings,
            rng=rng or random.Random(0),
            epoch=EPOCH,
            address="a:1",
            meta=meta,
            admit=admit,
            seeds=[Seed(node, address) for node, address in seeds],
            remembered=remembered,
            wall_offset_ms=WALL_MS,
            now_ms=0,
            known=known,
            operator_of=operator_of,
            is_heeded=is_heeded,
        )

    def meet(self, *nodes: NodeId) -> list[Effect]:
        """Let `a` hear each one's record from itself."""
        effects = []
        for node in nodes:
            effects += self.receive(node, Gossip((self.record(node),)))
        return effects

    def step(self, event: Event) -> list[Effect]:
        return self.core.step(event, self.now_ms)

    def receive(self, sender: NodeId, message: MembershipMessage) -> list[Effect]:
        return self.step(Received(sender, message))

    def hear(self, sender: NodeId, *items: Signed) -> list[Effect]:
        return self.receive(sender, Gossip(items))

    def advance(self, to_ms: int) -> list[Effect]:
        """Wake the core at each of its deadlines up to this time, as a shell would."""
        return [effect for _, effect in self.advance_timed(to_ms)]

    def advance_timed(self, to_ms: int) -> list[tuple[int, Effect]]:
        effects = []
        while (due_ms := self.core.next_deadline_ms()) is not None and due_ms <= to_ms:
            self.now_ms = max(self.now_ms, due_ms)
            effects += [(self.now_ms, effect) for effect in self._answered(self.step(Tick(0)))]
        self.now_ms = max(self.now_ms, to_ms)
        return effects

    def advance_until(self, wanted: Callable[[Effect], bool], limit_ms: int = 60_000) -> list[Effect]:
        """Wake the core at its deadlines until a step gives a wanted effect; gives all effects until then."""
        effects: list[Effect] = []
        while (due_ms := self.core.next_deadline_ms()) is not None and due_ms <= limit_ms:
            self.now_ms = max(self.now_ms, due_ms)
            effects += self._answered(self.step(Tick(0)))
            if any(wanted(effect) for effect in effects):
                return effects
        raise AssertionError(f"not within {limit_ms} ms")

    def _answered(self, effects: list[Effect]) -> list[Effect]:
        """Let those that answer pings do so."""
        done = list(effects)
        for effect in effects:
            match effect:
                case Send(to=bytes() as to, message=Ping(probe=probe, nonce=nonce, prober=prober)) if (
                    to in self.answering
                ):
                    view = self.view(to)
                    ack = self.ack(to, prober, nonce, view.incarnation, epoch=view.epoch)
                    done += self.receive(to, Ack(probe, ack))
        return done

    def record(
        self,
        node: NodeId,
        incarnation: int = 0,
        status: Status = Status.ALIVE,
        *,
        epoch: int = EPOCH,
        meta: bytes = b"",
        issued_ms: int = WALL_MS,
        ttl_s: int = 3_600,
        protocol: tuple[int, int] = (PROTOCOL_MIN, PROTOCOL_MAX),
    ) -> Signed:
        record = MemberRecord(epoch, incarnation, status, f"{node.decode()}:1", meta, issued_ms, ttl_s, *protocol)
        return self.verifier.signer(node).sign(Kind.MEMBER, record.encode())

    def suspicion(self, by: NodeId, target: NodeId, incarnation: int = 0, *, epoch: int = EPOCH) -> Signed:
        body = Suspicion(target, epoch, incarnation, WALL_MS + self.now_ms).encode()
        return self.verifier.signer(by).sign(Kind.SUSPICION, body)

    def ack(self, by: NodeId, prober: NodeId, nonce: bytes, incarnation: int = 0, *, epoch: int = EPOCH) -> Signed:
        return self.verifier.signer(by).sign(Kind.ACK, AckBody(prober, nonce, epoch, incarnation).encode())

    def line(self, node: NodeId, incarnation: int = 0, rank: int = 0, *, epoch: int = EPOCH) -> bytes:
        """What another's digest says of a member whose record is the usual one."""
        body = self.record(node, incarnation, epoch=epoch).body
        if node == SELF and (epoch, incarnation) == self.core._local.own.key:
            body = self.core._local.own.signed.body
        return line_of(node, epoch, incarnation, rank, body).encode()

    def prove(self, *nodes: NodeId) -> None:
        """Let them answer a probe, so that they may get large answers."""
        self.core._local.members.strangers.difference_update(nodes)

    def view(self, node: NodeId) -> MemberView:
        return next(view for view in self.core.members() if view.node == node)

    def status(self, node: NodeId) -> Status | None:
        return next((view.status for view in self.core.members() if view.node == node), None)


def sends(effects: list[Effect], to: NodeId | None = None) -> list[MembershipMessage]:
    """The messages of some effects, to one receiver or to all."""
    return [effect.message for effect in effects if isinstance(effect, Send) and (to is None or effect.to == to)]


def gossiped(effects: list[Effect], to: NodeId | None = None) -> list[Signed]:
    """The signed items on gossip messages, each once."""
    items = [item for message in sends(effects, to) if isinstance(message, Gossip) for item in message.items]
    return list(dict.fromkeys(items))


def notes(effects: list[Effect]) -> list[str]:
    return [effect.event for effect in effects if isinstance(effect, Note)]
