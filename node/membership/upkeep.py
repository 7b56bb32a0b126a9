"""What a node does for its table now and then: forget old tombstones, remember good members, issue its record anew."""

from collections.abc import Callable
from dataclasses import dataclass

from coordinator.signed import Signed
from node.membership.beliefs import Beliefs
from node.membership.contacts import Contacts
from node.membership.events import RememberMembers, Status
from node.membership.local import Local


@dataclass(slots=True)
class Upkeep:
    local: Local
    beliefs: Beliefs
    contacts: Contacts
    announce: Callable[[], None]
    """Tells the others that our record is new."""
    snapshot_due_ms: int
    _snapshot: tuple[Signed, ...] = ()

    def due_ms(self) -> int:
        return min(self.snapshot_due_ms, self.local.own.reissue_due_ms)

    def run(self) -> None:
        local = self.local
        if local.own.reissue_due_ms <= local.now_ms:
            local.own.renew(local.now_ms, local.wall_ms)
            self.announce()
        if self.snapshot_due_ms <= local.now_ms or local.worth_keeping:
            local.worth_keeping = False
            self.snapshot_due_ms = local.now_ms + local.settings.snapshot_interval_ms
            self._reap()
            self._remember()

    def _reap(self) -> None:
        """Forget those whose tombstone expired."""
        local = self.local
        oldest_ms = local.now_ms - 1_000 * local.settings.tombstone_s
        for node, since_ms in list(local.members.tombs_ms.items()):
            if since_ms > oldest_ms:
                break
            member = local.members.get(node)
            if member is not None and member.status is Status.DEAD:
                self.contacts.retire(member)
            self.beliefs.forget(node)

    def _remember(self) -> None:
        """Give the shell a snapshot of the most recently heard members, where it differs from the one before."""
        members = self.local.members
        records: list[Signed] = []
        for node in reversed(members.heard_ms):
            member = members.get(node)
            if member is not None and members.is_trusted(member):
                records.append(member.signed)
            if len(records) >= self.local.settings.remembered_max:
                break
        lists = [item for item, _ in self.local.revocations.lists()]
        snapshot = (*lists, *sorted(records, key=lambda record: record.author))
        if snapshot and snapshot != self._snapshot:
            self._snapshot = snapshot
            self.local.out.append(RememberMembers(snapshot))
