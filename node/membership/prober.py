"""How one probe is carried out: a ping with a fresh nonce, and requests to relays where the direct way fails.

Source: Das et al., SWIM (DSN 2002), section 3.1; Dadgar et al., Lifeguard (arXiv 1707.00788), section 4.1.
"""

from dataclasses import dataclass, field

from coordinator.signed import NodeId
from node.membership.local import Local
from node.membership.members import Member
from node.membership.messages import NONCE_SIZE, Nack, Ping, PingReq
from node.membership.records import Key


@dataclass(slots=True)
class Probe:
    """One probe of ours."""

    number: int
    target: NodeId
    key: Key
    """The target's when the probe began: a failure speaks of no other incarnation."""
    nonce: bytes
    started_ms: int
    direct_due_ms: int
    ends_ms: int
    relays: tuple[NodeId, ...] | None = None
    """Those asked; None while only the direct path was tried."""
    nacks: list[NodeId] = field(default_factory=list)
    answered: bool = False
    void: bool = False
    """This node was at fault, so that a missing ack means nothing."""

    def hear_nack(self, sender: NodeId, nack: Nack) -> None:
        if self.relays is not None and self.target == nack.target:
            if sender in self.relays and sender not in self.nacks:
                self.nacks.append(sender)


@dataclass(slots=True)
class Prober:
    """Numbers the probes of this node, its own and those for others, and sends what they need."""

    local: Local
    numbers: int = 0

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def begin(self, target: Member, direct_due_ms: int, ends_ms: int) -> Probe:
        nonce = self.local.rng.randbytes(NONCE_SIZE)
        probe = Probe(self.number(), target.node, target.key, nonce, self.local.now_ms, direct_due_ms, ends_ms)
        self.ping(probe, target)
        return probe

    def ping(self, probe: Probe, target: Member) -> None:
        """Whoever does not answer us may not know us: it gets our record along, and so an address to answer to."""
        gossip = self.local.piggyback(target, introduce=target.node in self.local.members.strangers)
        self.local.send(target.node, Ping(probe.number, probe.nonce, self.local.node, gossip))

    def ask_relays(self, probe: Probe) -> None:
        local, members = self.local, self.local.members
        chosen = local.choose(local.settings.relays, lambda m: members.is_trusted(m) and m.node != probe.target)
        probe.relays = tuple(member.node for member in chosen)
        budget_ms = (probe.ends_ms - local.now_ms) * local.settings.relay_budget_percent // 100
        for member in chosen:
            gossip = local.piggyback(member)
            local.send(member.node, PingReq(probe.number, probe.nonce, probe.target, max(1, budget_ms), gossip))
