"""Whom to speak to without being spoken to: seeds when joining and for ever, the dead, and a partner for full exchange.

A node that lost everyone, or a network that fell in two, finds together again only because somebody keeps knocking
(memberlist issue 222). Source: hashicorp/serf's reconnect and hashicorp/memberlist's push-pull.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from node.membership.events import Seed, Send, Status
from node.membership.exchange import Exchange
from node.membership.local import Local
from node.membership.members import Member
from node.membership.messages import Gossip

CONTACTS_AT_ONCE_MAX = 16
"""Asked in parallel in one attempt to join; any answer suffices."""
SETTLED_MS = 30_000
"""The longest pause between the exchanges of a newcomer; then it is one like all."""
RETIRED_MAX = 256
"""Last known addresses of dead members whose tombstones have expired."""


@dataclass(slots=True)
class Contacts:
    local: Local
    exchange: Exchange
    seeds: tuple[Seed, ...]
    """Given ones and remembered ones, without this node."""
    join_due_ms: int | None
    """None once a member has answered."""
    sync_due_ms: int
    seed_due_ms: int
    reconnect_due_ms: int
    _join_pause_ms: int = 0
    _settling_ms: int | None = None
    """A newcomer's pause between two full exchanges, doubled with each. It may have come together with many others, and
    gossip alone does not bring all of them to everyone."""
    _retired: list[Seed] = field(default_factory=list)

    @classmethod
    def start(cls, local: Local, exchange: Exchange, seeds: Sequence[Seed]) -> "Contacts":
        """Begin to join at once. Every other timer begins at a random phase: nodes started together do not beat."""
        settings, rng, now_ms = local.settings, local.rng, local.now_ms
        others = tuple(
            seed
            for seed in dict.fromkeys(seeds)
            if seed.node != local.node and seed.address != local.own.record.address
        )
        return cls(
            local,
            exchange,
            others,
            now_ms if others and local.members.verified_alive == 0 else None,
            now_ms + 1 + rng.randrange(settings.sync_interval_ms),
            now_ms + 1 + rng.randrange(settings.seed_interval_ms),
            now_ms + 1 + rng.randrange(settings.reconnect_interval_ms),
            settings.join_retry_ms,
        )

    def retire(self, member: Member) -> None:
        """Its tombstone expired; its address is still worth a knock now and then."""
        self._retired = [seed for seed in self._retired if seed.node != member.node][-RETIRED_MAX + 1 :]
        self._retired.append(Seed(member.node, member.record.address))

    def due_ms(self) -> int:
        dues = [self.sync_due_ms, self.seed_due_ms, self.reconnect_due_ms]
        if self.join_due_ms is not None:
            dues.append(self.join_due_ms)
        return min(dues)

    def run(self) -> None:
        local, settings = self.local, self.local.settings
        if self.join_due_ms is not None:
            self._join()
        if self.seed_due_ms <= local.now_ms:
            self.seed_due_ms = local.now_ms + self._about(settings.seed_interval_ms)
            self._knock(1)
        if self.reconnect_due_ms <= local.now_ms:
            self.reconnect_due_ms = local.now_ms + settings.reconnect_interval_ms
            self._reconnect()
        if self.exchange.wants_more:
            self.exchange.wants_more = False
            self.sync_due_ms = min(self.sync_due_ms, local.now_ms + settings.sync_spacing_ms)
        if self.sync_due_ms <= local.now_ms:
            self.sync_due_ms = local.now_ms + self._sync_interval_ms()
            if self._settling_ms is not None:
                self._settling_ms *= 2
                self.sync_due_ms = min(self.sync_due_ms, local.now_ms + self._settling_ms)
                if self._settling_ms >= SETTLED_MS:
                    self._settling_ms = None
            for member in local.members.sample(local.rng, 1, _fit_for_exchange):
                self.exchange.begin(member.node)

    def _join(self) -> None:
        local, settings = self.local, self.local.settings
        if local.members.verified_alive > 0:
            self.join_due_ms = None
            # One more hop: whoever answered first may know little.
            self._settling_ms = settings.join_retry_ms
            self.sync_due_ms = min(self.sync_due_ms, local.now_ms + self._settling_ms)
        elif self.join_due_ms is not None and self.join_due_ms <= local.now_ms:
            self._knock(CONTACTS_AT_ONCE_MAX)
            self.join_due_ms = local.now_ms + self._about(self._join_pause_ms)
            self._join_pause_ms = min(2 * self._join_pause_ms, settings.join_retry_ms_max)

    def _knock(self, count: int) -> None:
        """Ask some of those that are not alive to us for a full exchange, one of each operator before another."""
        local = self.local
        silent = [seed for seed in (*self.seeds, *self._retired) if not self._is_alive(seed)]
        local.rng.shuffle(silent)
        operators: set[str] = set()
        first: list[Seed] = []
        later: list[Seed] = []
        for seed in silent:
            operator = local.operator_of(seed.node) if seed.node is not None else ""
            (later if operator in operators else first).append(seed)
            operators.update([operator] if operator else [])
        request = self.exchange.request()
        for seed in (first + later)[:count]:
            if seed.node is not None:
                self.exchange.expect(seed.node)
            local.out.append(Send(seed.node, seed.address, request))

    def _is_alive(self, seed: Seed) -> bool:
        if seed.node is not None:
            member = self.local.members.get(seed.node)
            return member is not None and member.status is Status.ALIVE
        return any(
            member.record.address == seed.address for member in self.local.members if member.status is Status.ALIVE
        )

    def _reconnect(self) -> None:
        """Let one of the dead know that it is held dead, so that it can refute, and hear what it knows.

        The more are dead, the likelier it is that the network is at fault and not they.
        """
        local = self.local
        members = local.members
        count = members.count(Status.DEAD)
        if count > 0 and local.rng.random() * members.count(Status.ALIVE) < count:
            dead = [node for node, case in members.cases.items() if case.countdown is None]
            member = members.get(local.rng.choice(dead))
            assert member is not None, "who has a case is a member"
            local.send(member.node, Gossip(members.evidence(member)))
            self.exchange.begin(member.node)

    def _sync_interval_ms(self) -> int:
        """Grows with the logarithm of the group, since every exchange does."""
        scale = math.ceil(math.log2(self.local.n) - 5) + 1 if self.local.n > 32 else 1
        return self.local.settings.sync_interval_ms * scale

    def _about(self, interval_ms: int) -> int:
        """The interval, give or take a fifth."""
        return max(1, interval_ms * self.local.rng.randint(80, 120) // 100)


def _fit_for_exchange(member: Member) -> bool:
    return member.status is Status.ALIVE and member.record.is_compatible
