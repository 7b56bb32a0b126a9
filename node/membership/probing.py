"""Probes: one member per interval in shuffled turns, first directly, then through relays; and relaying for others.

Source: Das et al., SWIM (DSN 2002), sections 3.1 and 4.3; Dadgar et al., Lifeguard (arXiv 1707.00788), section 4.1.
"""

from dataclasses import dataclass, field

from coordinator.signed import Kind, NodeId
from node.membership.beliefs import Beliefs
from node.membership.intake import Rejected
from node.membership.local import Local
from node.membership.members import Member
from node.membership.messages import NONCE_SIZE, Ack, Nack, Ping, PingReq
from node.membership.records import AckBody, Key
from node.membership.walk import Walk

RELAYED_MAX = 128
"""Probes carried out for others at one time."""
RELAYED_PER_PROBER_MAX = 8
"""One member must not take up all of them."""
RECENT_MAX = 4
"""Probes of ours whose late ack still proves life."""
KNOCKS_MAX = 256
"""Pings out of turn that wait for an answer: whoever does not answer them is not accused."""
PATIENCE_PERCENT = 75
"""Of the probe, the longest wait for a direct ack from a slow member, so that relays get some time too."""


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
class Probing:
    local: Local
    beliefs: Beliefs
    next_ms: int
    """When the next probe begins, which is when the current one ends."""
    _walk: Walk = field(default_factory=Walk)
    _again: NodeId | None = None
    """Whose probe was void: it is probed again at once."""
    _numbers: int = 0
    _current: Probe | None = None
    _recent: dict[int, Probe] = field(default_factory=dict)
    _knocks: dict[int, Probe] = field(default_factory=dict)
    _relayed: dict[int, Relayed] = field(default_factory=dict)

    def on_ping(self, sender: NodeId, ping: Ping) -> None:
        """Answer for ourselves: signed, for this prober and nonce."""
        member = self.local.members.get(sender)
        if member is None or len(ping.nonce) != NONCE_SIZE:
            return
        body = AckBody(ping.prober, ping.nonce, *self.local.own.key)
        ack = self.local.own.signer.sign(Kind.ACK, body.encode())
        self.local.send(sender, Ack(ping.probe, ack, self.local.piggyback(member)))

    def on_ping_req(self, sender: NodeId, request: PingReq) -> None:
        target = self.local.members.get(request.target)
        if target is None or len(request.nonce) != NONCE_SIZE or len(self._relayed) >= RELAYED_MAX:
            return
        if sum(relayed.prober == sender for relayed in self._relayed.values()) >= RELAYED_PER_PROBER_MAX:
            return
        settings = self.local.settings
        longest_ms = settings.probe_interval_ms * (settings.health_max + 1)
        until_ms = self.local.now_ms + max(1, min(request.budget_ms, longest_ms))
        number = self._number()
        self._relayed[number] = Relayed(sender, request.probe, target.node, request.nonce, until_ms)
        self.local.send(target.node, Ping(number, request.nonce, sender, self.local.piggyback(target)))

    def on_ack(self, sender: NodeId, ack: Ack) -> None:
        """An answer for us, directly or through a relay, or one to hand on."""
        relayed = self._relayed.get(ack.probe)
        probe = self._recent.get(ack.probe) or self._knocks.get(ack.probe)
        if relayed is None and (probe is None or probe.answered):
            return
        body = self.beliefs.intake.open_ack(ack.ack)
        if isinstance(body, Rejected):
            self.local.note("ack.rejected", reason=body.reason, author=ack.ack.author)
        elif relayed is not None:
            if (ack.ack.author, body.prober, body.nonce) == (relayed.target, relayed.prober, relayed.nonce):
                del self._relayed[ack.probe]
                prober = self.local.members.get(relayed.prober)
                if prober is not None:
                    self.local.send(relayed.prober, Ack(relayed.number, ack.ack, self.local.piggyback(prober)))
        elif probe is not None and (ack.ack.author, body.prober, body.nonce) == (
            probe.target,
            self.local.node,
            probe.nonce,
        ):
            self._succeed(probe, body, direct=sender == probe.target)

    def on_nack(self, sender: NodeId, nack: Nack) -> None:
        probe = self._current
        if probe is None or probe.relays is None or (probe.number, probe.target) != (nack.probe, nack.target):
            return
        if sender in probe.relays and sender not in probe.nacks:
            probe.nacks.append(sender)

    def on_send_failed(self, to: NodeId | None, *, local: bool) -> None:
        """A fault of this machine accuses nobody. A fault at the other end makes waiting for a direct ack pointless."""
        probe = self._current
        if local:
            self.local.health.penalize(self.local.now_ms)
        if probe is not None and probe.target == to and not probe.answered:
            if local:
                probe.void = True
            elif probe.relays is None:
                probe.direct_due_ms = self.local.now_ms

    def on_lag(self, lag_ms: int) -> None:
        """The loop stalled: acks may lie unread, so the running probe convicts nobody."""
        if self._current is not None and lag_ms > self.local.settings.probe_timeout_ms // 4:
            self._current.void = True

    def due_ms(self) -> int:
        due_ms = self.next_ms
        if self._current is not None and self._current.relays is None and not self._current.answered:
            due_ms = min(due_ms, self._current.direct_due_ms)
        if self._relayed:
            due_ms = min(due_ms, min(relayed.until_ms for relayed in self._relayed.values()))
        return due_ms

    def run(self) -> None:
        now_ms = self.local.now_ms
        for place in self.local.newcomers:  # at a random turn, so that the worst wait for a probe stays 2n - 1 turns
            self._walk.add(place)
        self.local.newcomers.clear()
        for node in self.local.unproven:
            self._knock(node)
        self.local.unproven.clear()
        if self._relayed:
            for number, relayed in list(self._relayed.items()):
                if relayed.until_ms <= now_ms:
                    del self._relayed[number]
                    self.local.send(relayed.prober, Nack(relayed.number, relayed.target))
        probe = self._current
        if self.next_ms <= now_ms:
            if probe is not None and not probe.answered:
                self._fail(probe)
            self._begin()
        elif probe is not None and probe.relays is None and not probe.answered and probe.direct_due_ms <= now_ms:
            self._ask_relays(probe)

    def _begin(self) -> None:
        local, settings = self.local, self.local.settings
        ends_ms = local.now_ms + settings.probe_interval_ms * local.health.factor
        self.next_ms, self._current = ends_ms, None
        target = self._next_target()
        if target is None:
            return
        patience_ms = min(
            max(settings.probe_timeout_ms, 3 * local.members.rtts_ms.get(target.node, 0)),
            (ends_ms - local.now_ms) * PATIENCE_PERCENT // 100,
        )
        probe = self._current = self._probe(target, local.now_ms + patience_ms, ends_ms)
        self._recent[probe.number] = probe
        if len(self._recent) > RECENT_MAX:
            del self._recent[next(iter(self._recent))]
        self._ping(probe, target)

    def _knock(self, node: NodeId) -> None:
        """Ping out of turn."""
        target = self.local.members.get(node)
        if target is not None:
            probe = self._probe(target, self.local.now_ms, self.local.now_ms)
            self._knocks[probe.number] = probe
            if len(self._knocks) > KNOCKS_MAX:
                del self._knocks[next(iter(self._knocks))]
            self._ping(probe, target)

    def _probe(self, target: Member, direct_due_ms: int, ends_ms: int) -> Probe:
        nonce = self.local.rng.randbytes(NONCE_SIZE)
        return Probe(self._number(), target.node, target.key, nonce, self.local.now_ms, direct_due_ms, ends_ms)

    def _ping(self, probe: Probe, target: Member) -> None:
        """Whoever does not answer us may not know us: it gets our record along, and so an address to answer to."""
        gossip = self.local.piggyback(target, introduce=target.node in self.local.members.strangers)
        self.local.send(target.node, Ping(probe.number, probe.nonce, self.local.node, gossip))

    def _ask_relays(self, probe: Probe) -> None:
        """The direct ack is late. Ask others, and try the direct path again: the first ping may just have been lost."""
        local, settings = self.local, self.local.settings
        members = local.members
        chosen = local.choose(settings.relays, lambda m: members.is_trusted(m) and m.node != probe.target)
        probe.relays = tuple(member.node for member in chosen)
        budget_ms = (probe.ends_ms - local.now_ms) * settings.relay_budget_percent // 100
        for member in chosen:
            gossip = local.piggyback(member)
            local.send(member.node, PingReq(probe.number, probe.nonce, probe.target, max(1, budget_ms), gossip))
        target = local.members.get(probe.target)
        if target is not None:
            members.strangers.add(target.node)
            self._ping(probe, target)

    def _succeed(self, probe: Probe, body: AckBody, *, direct: bool) -> None:
        members = self.local.members
        member = members.get(probe.target)
        if member is None or not self.beliefs.acknowledge(member, body):
            return
        probe.answered = True
        self._knocks.pop(probe.number, None)
        if member.node in members.strangers:
            members.strangers.remove(member.node)
            self.local.proven.append(member.node)
        if probe is self._current:
            self.local.health.improve()
        if direct:  # at worst too long, where the second ping was answered: patience does no harm
            rtt_ms = self.local.now_ms - probe.started_ms
            before_ms = members.rtts_ms.get(member.node, rtt_ms)
            members.rtts_ms[member.node] = (3 * before_ms + rtt_ms) // 4

    def _fail(self, probe: Probe) -> None:
        member = self.local.members.get(probe.target)
        if member is None or not member.live:
            return
        self.local.members.strangers.add(member.node)
        if probe.void:
            self._again = member.node
            return
        self.local.health.worsen(len(probe.relays) - len(probe.nacks) if probe.relays else 1)
        if member.key == probe.key:  # otherwise its owner has spoken since the probe began
            self.beliefs.accuse(member)

    def _next_target(self) -> Member | None:
        again, self._again = self._again, None
        member = self.local.members.get(again) if again is not None else None
        if member is not None and member.live:
            return member
        members = self.local.members
        for _ in range(2):
            while (place := self._walk.take(self.local.rng)) is not None:
                member = members.at(place)
                if member is not None and not self.local.admit(member.node):
                    self.beliefs.forget(member.node)
                elif member is not None and member.live:
                    return member
            members.compact()
            self._walk.begin(members.size)
        return None

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers
