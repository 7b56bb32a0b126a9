"""Probes that this node carries out for others. It hands on the target's own signed answer, or says that none came.

Source: Das et al., SWIM (DSN 2002), section 3.1; the nack is Lifeguard's (arXiv 1707.00788), section 4.1.
"""

from dataclasses import dataclass, field

from coordinator.signed import NodeId
from node.membership.local import Local
from node.membership.messages import NONCE_SIZE, Ack, Nack, Ping, PingReq
from node.membership.prober import Prober
from node.membership.records import AckBody

RELAYED_MAX = 128
"""Probes carried out for others at one time."""
RELAYED_PER_PROBER_MAX = 8
"""One member must not take up all of them."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """A probe that we carry out for another member."""

    prober: NodeId
    number: int
    """The prober's number of it."""
    target: NodeId
    nonce: bytes
    until_ms: int


@dataclass(slots=True)
class Relaying:
    local: Local
    prober: Prober
    _relayed: dict[int, Relayed] = field(default_factory=dict)
    """By our number."""

    def __contains__(self, number: int) -> bool:
        return number in self._relayed

    def __len__(self) -> int:
        return len(self._relayed)

    def on_ping_req(self, sender: NodeId, request: PingReq) -> None:
        target = self.local.members.get(request.target)
        if target is None or len(request.nonce) != NONCE_SIZE or len(self._relayed) >= RELAYED_MAX:
            return
        if sum(relayed.prober == sender for relayed in self._relayed.values()) >= RELAYED_PER_PROBER_MAX:
            return
        settings = self.local.settings
        longest_ms = settings.probe_interval_ms * (settings.health_max + 1)
        until_ms = self.local.now_ms + max(1, min(request.budget_ms, longest_ms))
        number = self.prober.number()
        self._relayed[number] = Relayed(sender, request.probe, target.node, request.nonce, until_ms)
        self.local.send(target.node, Ping(number, request.nonce, sender, self.local.piggyback(target)))

    def on_ack(self, ack: Ack, body: AckBody) -> None:
        """A well signed answer to one of these probes."""
        relayed = self._relayed[ack.probe]
        if (ack.ack.author, body.prober, body.nonce) == (relayed.target, relayed.prober, relayed.nonce):
            del self._relayed[ack.probe]
            prober = self.local.members.get(relayed.prober)
            if prober is not None:
                self.local.send(relayed.prober, Ack(relayed.number, ack.ack, self.local.piggyback(prober)))

    def due_ms(self) -> int | None:
        return min((relayed.until_ms for relayed in self._relayed.values()), default=None) if self._relayed else None

    def run(self) -> None:
        for number, relayed in list(self._relayed.items()):
            if relayed.until_ms <= self.local.now_ms:
                del self._relayed[number]
                self.local.send(relayed.prober, Nack(relayed.number, relayed.target))
