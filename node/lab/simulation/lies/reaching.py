"""Liars about who is reachable: accusers, false relays, two records of one member, old and far ones, floods."""

from dataclasses import fields, replace

from coordinator.encoding import U32_MAX
from coordinator.signed import Kind, NodeId, Signed
from node.lab.simulation.lies.liar import Message
from node.lab.simulation.lies.memory import signed_in, with_items
from node.lab.simulation.lies.mouth import MootLie, Mouth
from node.membership.messages import (
    GOSSIP_MAX,
    NONCE_SIZE,
    Ack,
    Gossip,
    MembershipMessage,
    Nack,
    Ping,
    PingReq,
    SyncReply,
    SyncRequest,
)
from node.membership.records import AckBody, Key, MemberRecord, Suspicion

ACCUSE_MS = 500
BURN_MS = 700
JUMP_MS = 5_000
RAISE_MS = 600
FLOOD_MS, FLOOD_STEP = 200, 50
"""A quiet member sends about two messages a second: this is a hundred times as many."""
FLOODS_MS, PAUSE_MS = 2_000, 4_000
FAR_MS = 10**10
SKEW_MS = 240_000
"""Into the future, and still within what clocks may differ by."""
OLD_KEPT = 3


class Accuser(MootLie):
    """Suspects everybody, again and again, of whatever incarnation each is at."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        mouth.every(ACCUSE_MS, self._accuse)

    def _accuse(self) -> None:
        known = list(self.mouth.memory.members.items())[:GOSSIP_MAX]
        suspicions = tuple(_suspicion(self.mouth, node, record.key) for node, (_, record) in known)
        if suspicions:
            self.mouth.send_all(Gossip(suspicions))


class Burner(MootLie):
    """Suspects incarnations and epochs that nobody is at yet, so that no later word of theirs should count."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        mouth.every(BURN_MS, self._burn)

    def _burn(self) -> None:
        wall_ms = self.mouth.stage.wall_ms
        suspicions = []
        for node in self.mouth.others:
            known = self.mouth.memory.members.get(node)
            epoch, incarnation = known[1].key if known is not None else (max(0, wall_ms), 0)
            keys = (
                (epoch, min(U32_MAX, incarnation + 1)),
                (epoch, U32_MAX),
                (epoch + 1, 0),
                (max(0, wall_ms) + SKEW_MS, U32_MAX),
                (max(0, wall_ms) + FAR_MS, 0),
            )
            suspicions.append(_suspicion(self.mouth, node, self.rng.choice(keys)))
        self.mouth.send_all(Gossip(tuple(suspicions[:GOSSIP_MAX])))


class LyingRelay(MootLie):
    """Is asked to probe for others, and says that nobody answered, or hands on an answer that nobody gave."""

    def heard(self, sender: NodeId, message: Message) -> None:
        if not isinstance(message, PingReq):
            return
        mouth, rng = self.mouth, self.rng
        mouth.send(sender, Nack(message.probe, message.target))
        own = AckBody(sender, message.nonce, mouth.stage.epoch, 0).encode()
        signed = mouth.sign(Kind.ACK, own)
        acks = [signed, Signed(Kind.ACK, message.target, own, signed.signature)]
        acks += [heard.ack for _, heard in mouth.memory.messages if isinstance(heard, Ack)]
        mouth.send(sender, Ack(message.probe, rng.choice(acks)))

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        if isinstance(message, Ping) and message.prober != self.mouth.node:
            return []
        return [(to, message)]


class Resurrector(MootLie):
    """Keeps the first records that it heard of each member, and tells them as news for ever."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        self.old: dict[NodeId, list[Signed]] = {}
        mouth.every(RAISE_MS, self._raise)

    def heard(self, sender: NodeId, message: Message) -> None:
        for item in signed_in(message):
            if item.kind is Kind.MEMBER and item.author != self.mouth.node:
                kept = self.old.setdefault(item.author, [])
                if len(kept) < OLD_KEPT and item not in kept:
                    kept.append(item)

    def _raise(self) -> None:
        old = tuple(item for kept in self.old.values() for item in kept)[:GOSSIP_MAX]
        if old:
            self.mouth.send(self.rng.choice(self.mouth.others), Gossip(old))


class AddressForger(MootLie):
    """Tells where others are to be found, in their name: at its own address, or nowhere."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        mouth.every(RAISE_MS, self._forge)

    def _forge(self) -> None:
        mouth, rng = self.mouth, self.rng
        for node, (signed, record) in mouth.memory.members.items():
            changed = replace(record, incarnation=min(U32_MAX, record.incarnation + 1), address="nowhere:1")
            body = changed.encode()
            signature = rng.choice((signed.signature, mouth.sign(Kind.MEMBER, body).signature))
            mouth.send(rng.choice(mouth.others), Gossip((Signed(Kind.MEMBER, node, body, signature),)))


class TwoRecords(MootLie):
    """Says something else of itself to half of the members, under one epoch and incarnation."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        self.fooled = frozenset(self.rng.sample(mouth.others, (len(mouth.others) + 1) // 2))

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        return [(to, with_items(message, self._other) if to in self.fooled else message)]

    def _other(self, item: Signed) -> Signed:
        if item.kind is not Kind.MEMBER or item.author != self.mouth.node:
            return item
        record = MemberRecord.decode(item.body)
        return self.mouth.sign(Kind.MEMBER, replace(record, meta=b"another").encode())


class EpochJumper(MootLie):
    """Lives in the future: some way that clocks allow, or beyond."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        self._own: Signed | None = None
        mouth.every(JUMP_MS, self._jump)

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        for item in signed_in(message):
            if item.kind is Kind.MEMBER and item.author == self.mouth.node:
                self._own = item
        return [(to, message)]

    def _jump(self) -> None:
        mouth, rng = self.mouth, self.rng
        if self._own is None:
            return
        record, wall_ms = MemberRecord.decode(self._own.body), max(0, mouth.stage.wall_ms)
        jumped = rng.choice(
            (
                replace(record, epoch=wall_ms + SKEW_MS),
                replace(record, epoch=wall_ms + FAR_MS),
                replace(record, incarnation=U32_MAX),
                replace(record, issued_ms=wall_ms + FAR_MS),
                replace(record, issued_ms=0),
                replace(record, ttl_s=U32_MAX, incarnation=min(U32_MAX, record.incarnation + 1)),
            )
        )
        mouth.send(rng.choice(mouth.others), Gossip((mouth.sign(Kind.MEMBER, jumped.encode()),)))


class GossipFlood(MootLie):
    """A hundred times as much gossip as anybody else, with pings and requests to relay, for seconds at a time."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        mouth.every(FLOOD_MS, self._flood)

    def _flood(self) -> None:
        mouth, rng = self.mouth, self.rng
        if mouth.stage.now_ms % (FLOODS_MS + PAUSE_MS) >= FLOODS_MS:
            return
        items = list(mouth.memory.gossip)
        for number in range(FLOOD_STEP):
            nonce = rng.randbytes(NONCE_SIZE)
            message: MembershipMessage = Ping(number, nonce, mouth.node)
            if number % 5 == 0:
                message = PingReq(number, nonce, rng.choice(mouth.others), rng.choice((1, 500, 2**31)))
            elif number % 2 == 0 and items:
                message = Gossip(tuple(rng.choices(items, k=rng.choice((1, 4, GOSSIP_MAX)))))
            mouth.send(rng.choice(mouth.others), message)


class AnswersSome(MootLie):
    """Is there for some members, and for the others as if it were dead: they will not agree about it."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        self.shunned = frozenset(self.rng.sample(mouth.others, self.rng.randint(1, max(1, len(mouth.others) - 1))))

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        return [] if to in self.shunned and isinstance(message, MembershipMessage) else [(to, message)]


class FalseLists(MootLie):
    """Compares member lists that it does not have: all that is no signed record in them is made up or left out."""

    def alter(self, to: NodeId, message: Message) -> list[tuple[NodeId, Message]]:
        if not isinstance(message, SyncRequest | SyncReply) or self.rng.random() < 0.3:
            return [(to, message)]
        changes: dict[str, object] = {}
        for field in fields(message):
            old = getattr(message, field.name)
            if isinstance(old, bytes):
                changes[field.name] = self.rng.choice((b"", self.rng.randbytes(len(old)), self.rng.randbytes(2_048)))
            elif isinstance(old, tuple):
                changes[field.name] = old[: self.rng.randrange(len(old) + 1)]
        return [(to, replace(message, **changes))]  # type: ignore[arg-type]


def _suspicion(mouth: Mouth, target: NodeId, key: Key) -> Signed:
    return mouth.sign(Kind.SUSPICION, Suspicion(target, *key, max(0, mouth.stage.wall_ms)).encode())
