"""The probes of this node: one member per interval in shuffled turns, first directly, then through relays.

Source: Das et al., SWIM (DSN 2002), sections 3.1 and 4.3; Dadgar et al., Lifeguard (arXiv 1707.00788), section 4.1.
"""

from dataclasses import dataclass, field

from coordinator.signed import Kind, NodeId
from node.membership.beliefs import Beliefs
from node.membership.cases import Cases
from node.membership.checks import Checks
from node.membership.intake import Rejected
from node.membership.local import Local
from node.membership.members import Member
from node.membership.messages import NONCE_SIZE, Ack, Nack, Ping
from node.membership.prober import Probe, Prober
from node.membership.records import AckBody
from node.membership.relaying import Relaying
from node.membership.walk import Walk

RECENT_MAX = 4
"""Probes of ours whose late ack still proves life."""
KNOCKS_MAX = 256
"""Pings out of turn that wait for an answer: whoever does not answer them is not accused."""
PATIENCE_PERCENT = 75
"""Of the probe, the longest wait for a direct ack from a slow member, so that relays get some time too."""


@dataclass(slots=True)
class Probing:
    local: Local
    beliefs: Beliefs
    cases: Cases
    prober: Prober
    relaying: Relaying
    checks: Checks
    next_ms: int
    """When the next probe begins, which is when the current one ends."""
    _walk: Walk = field(default_factory=Walk)
    _again: NodeId | None = None
    """Whose probe was void: it is probed again at once."""
    _current: Probe | None = None
    _recent: dict[int, Probe] = field(default_factory=dict)
    _knocks: dict[int, Probe] = field(default_factory=dict)

    def on_ping(self, sender: NodeId, ping: Ping) -> None:
        """Answer for ourselves: signed, for this prober and nonce."""
        member = self.local.members.get(sender)
        if member is None or len(ping.nonce) != NONCE_SIZE:
            return
        body = AckBody(ping.prober, ping.nonce, *self.local.own.key)
        ack = self.local.own.signer.sign(Kind.ACK, body.encode())
        self.local.send(sender, Ack(ping.probe, ack, self.local.piggyback(member)))

    def on_ack(self, sender: NodeId, ack: Ack) -> None:
        """An answer for us, directly or through a relay, or one to hand on."""
        number = ack.probe
        probe = self._recent.get(number) or self._knocks.get(number) or self.checks.running.get(number)
        if number not in self.relaying and (probe is None or probe.answered):
            return
        body = self.beliefs.intake.open_ack(ack.ack, sender, self.local.now_ms)
        if isinstance(body, Rejected):
            self.local.note("ack.rejected", reason=body.reason, author=ack.ack.author)
            self.beliefs.blame(sender, body.reason)
        elif probe is None:
            self.relaying.on_ack(ack, body)
        elif (ack.ack.author, body.prober, body.nonce) == (probe.target, self.local.node, probe.nonce):
            self._succeed(probe, body, direct=sender == probe.target)

    def on_nack(self, sender: NodeId, nack: Nack) -> None:
        current = self._current
        probe = current if current is not None and current.number == nack.probe else self.checks.running.get(nack.probe)
        if probe is not None:
            probe.hear_nack(sender, nack)

    def on_send_failed(self, to: NodeId | None, *, local: bool) -> None:
        """A fault of this machine accuses nobody. A fault at the other end makes waiting for a direct ack pointless."""
        probe = self._current
        if local:
            self.local.health.penalize(self.local.now_ms)
            for check in self.checks.running.values():
                check.void |= check.target == to
        if probe is not None and probe.target == to and not probe.answered:
            if local:
                probe.void = True
            elif probe.relays is None:
                probe.direct_due_ms = self.local.now_ms

    def on_lag(self, lag_ms: int) -> None:
        """The loop stalled: acks may lie unread, so the running probe convicts nobody."""
        if lag_ms > self.local.settings.probe_timeout_ms // 4:
            for probe in (*([self._current] if self._current else []), *self.checks.running.values()):
                probe.void = True

    def due_ms(self) -> int:
        due_ms = self.next_ms
        if self._current is not None and self._current.relays is None and not self._current.answered:
            due_ms = min(due_ms, self._current.direct_due_ms)
        others = [part.due_ms() for part in (self.relaying, self.checks)]
        return min([due_ms, *(due for due in others if due is not None)])

    def run(self) -> None:
        now_ms = self.local.now_ms
        for place in self.local.newcomers:  # at a random turn, so that the worst wait for a probe stays 2n - 1 turns
            self._walk.add(place)
        self.local.newcomers.clear()
        for node in self.local.unproven:
            self._knock(node)
        self.local.unproven.clear()
        self.relaying.run()
        self.checks.run()
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
        probe = self._current = self.prober.begin(target, local.now_ms + patience_ms, ends_ms)
        self._recent[probe.number] = probe
        if len(self._recent) > RECENT_MAX:
            del self._recent[next(iter(self._recent))]

    def _knock(self, node: NodeId) -> None:
        """Ping out of turn."""
        target = self.local.members.get(node)
        if target is not None:
            probe = self.prober.begin(target, self.local.now_ms, self.local.now_ms)
            self._knocks[probe.number] = probe
            if len(self._knocks) > KNOCKS_MAX:
                del self._knocks[next(iter(self._knocks))]

    def _ask_relays(self, probe: Probe) -> None:
        """The direct ack is late. Ask others, and try the direct path again: the first ping may just have been lost."""
        self.prober.ask_relays(probe)
        target = self.local.members.get(probe.target)
        if target is not None:
            self.local.members.strangers.add(target.node)
            self.prober.ping(probe, target)

    def _succeed(self, probe: Probe, body: AckBody, *, direct: bool) -> None:
        members = self.local.members
        member = members.get(probe.target)
        if member is None or not self.cases.acknowledge(member, body):
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
            self.cases.accuse(member)

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
