"""Full-state exchange: two members compare their lists, and each gets the signed items that it lacks.

It repairs what gossip missed (loss, a partition, a restart). Source: hashicorp/memberlist's push-pull, here with a
digest first, so that equal lists cost a few bytes per member.
"""

from dataclasses import dataclass, field

from coordinator.signed import Kind, NodeId, Signed
from node.membership.beliefs import Beliefs
from node.membership.gossip import size_of
from node.membership.local import Local, Spacing
from node.membership.messages import GOSSIP_MAX, SYNC_ENTRIES_MAX, Gossip, SyncEntry, SyncReply, SyncRequest

WANT_SPACING_MS = 100
"""A member's requests for records are answered at most this often."""
WANT_MAX = 1_024
"""Members asked for, or answered for, in one exchange."""


@dataclass(slots=True)
class Exchange:
    local: Local
    beliefs: Beliefs
    answers: Spacing
    """At most one answer per member in a while: an answer is much larger than a request."""
    wants: Spacing = field(default_factory=lambda: Spacing(WANT_SPACING_MS))

    def request(self) -> SyncRequest:
        """Our record and one line for everyone we know."""
        entries = [
            SyncEntry(member.node, member.record.epoch, member.record.incarnation, member.status.value)
            for member in self.local.members
        ]
        return SyncRequest(self.local.own.signed, tuple(entries[:SYNC_ENTRIES_MAX]))

    def on_request(self, sender: NodeId, request: SyncRequest) -> None:
        if request.own.author != sender or request.own.kind is not Kind.MEMBER:
            return
        self.beliefs.hear(request.own, sender)
        local = self.local
        if local.members.get(sender) is None or not self.answers.allow(local.now_ms, sender):
            return
        theirs = {entry.node: entry for entry in request.entries[:SYNC_ENTRIES_MAX]}
        local.send(sender, SyncReply(self._lacking(sender, theirs), self._wanting(sender, theirs)))

    def on_reply(self, sender: NodeId, reply: SyncReply) -> None:
        for item in reply.items:
            if not self.beliefs.hear(item, sender):
                return
        if reply.want and self.wants.allow(self.local.now_ms, sender):
            items: list[Signed] = []
            for node in reply.want[:WANT_MAX]:
                member = self.local.members.get(node)
                if node == self.local.node:
                    items.append(self.local.own.signed)
                elif member is not None:
                    items += self.local.members.evidence(member)
            items = self._bounded(items)
            for start in range(0, len(items), GOSSIP_MAX):
                self.local.send(sender, Gossip(tuple(items[start : start + GOSSIP_MAX])))

    def _lacking(self, sender: NodeId, theirs: dict[NodeId, SyncEntry]) -> tuple[Signed, ...]:
        """What the asker lacks: all records before all accusations, since an accusation needs its accuser known."""
        own = self.local.own
        records: list[Signed] = []
        accusations: list[Signed] = []
        entry = theirs.get(own.node)
        if entry is None or (entry.epoch, entry.incarnation) < own.key:
            records.append(own.signed)
        members = self.local.members
        for member in members:
            entry = theirs.get(member.node)
            if member.node == sender:
                accusations += members.accusations(member.node).values()
            elif entry is None or (entry.epoch, entry.incarnation) < member.key:
                records.append(member.signed)
                accusations += members.accusations(member.node).values()
            elif (entry.epoch, entry.incarnation) == member.key and entry.rank < member.status.value:
                accusations += members.accusations(member.node).values()
        return tuple(self._bounded(records + accusations))

    def _wanting(self, sender: NodeId, theirs: dict[NodeId, SyncEntry]) -> tuple[NodeId, ...]:
        want: list[NodeId] = []
        for entry in theirs.values():
            if entry.node in (self.local.node, sender) or len(want) >= WANT_MAX:
                continue
            member = self.local.members.get(entry.node)
            if member is None:
                if self.local.admit(entry.node):
                    want.append(entry.node)
            elif (entry.epoch, entry.incarnation, entry.rank) > (*member.key, member.status.value):
                want.append(entry.node)
        return tuple(want)

    def _bounded(self, items: list[Signed]) -> list[Signed]:
        room = self.local.settings.sync_bytes_max
        for count, item in enumerate(items):
            room -= size_of(item)
            if room < 0:
                return items[:count]
        return items
