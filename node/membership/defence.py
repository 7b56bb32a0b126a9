"""This node as others speak of it: it refutes accusations, corrects what is outdated, and falls silent for a clone.

Source: Das et al., SWIM (DSN 2002), section 4.2: only the accused may raise its incarnation, and thereby refute.
"""

from dataclasses import dataclass

from coordinator.signed import NodeId
from node.membership.local import Local
from node.membership.messages import Gossip
from node.membership.records import MemberRecord, Suspicion


@dataclass(slots=True)
class Defence:
    local: Local
    _refute_due_ms: int | None = None
    _refuted_ms: int | None = None

    def due_ms(self) -> int | None:
        return self._refute_due_ms

    def run(self) -> None:
        if self._refute_due_ms is not None and self._refute_due_ms <= self.local.now_ms:
            self._refute()

    def hear_record(self, record: MemberRecord, sender: NodeId) -> None:
        own = self.local.own
        if record.key > own.key or (record.key == own.key and record != own.record):
            self.local.note("clone.running", epoch=record.epoch, incarnation=record.incarnation, sender=sender)
            self.local.stopped = True
        elif record.key < own.key:
            self.local.correct(own.node, (own.signed,), sender)

    def hear_accusation(self, suspicion: Suspicion, accuser: NodeId, sender: NodeId) -> None:
        local, own = self.local, self.local.own
        if suspicion.key > own.key:
            local.note("accusation.unknown", accuser=accuser, epoch=suspicion.epoch, incarnation=suspicion.incarnation)
        elif suspicion.key < own.key or own.left:
            local.correct(own.node, (own.signed,), sender)
        elif self._refute_due_ms is None:
            local.health.worsen()
            spaced_ms = local.now_ms
            if self._refuted_ms is not None:
                spaced_ms = max(spaced_ms, self._refuted_ms + local.settings.gossip_interval_ms)
            self._refute_due_ms = spaced_ms
            if spaced_ms <= local.now_ms:
                self._refute()
                local.send(accuser, Gossip((own.signed,)))

    def _refute(self) -> None:
        """Raise our incarnation, at most once in a gossip interval: one covers every accusation before it."""
        local = self.local
        self._refute_due_ms, self._refuted_ms = None, local.now_ms
        if not local.own.left:
            local.own.renew(local.now_ms, local.wall_ms)
            local.queue.replace(local.node, local.own.signed)
            local.urgent = True
            local.note("self.refuted", incarnation=local.own.record.incarnation)
