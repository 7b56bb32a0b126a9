"""Gossip rounds: while there is news, it goes to a few members at each tick, or to all of a small group.

Source: Das et al., SWIM (DSN 2002), section 4.1; hashicorp/memberlist adds the tick of its own beside the piggyback.
"""

from dataclasses import dataclass

from node.membership.local import Local
from node.membership.messages import Gossip


@dataclass(slots=True)
class Spread:
    local: Local
    next_ms: int
    """No round before this, unless the news is our own."""
    _warned: bool = False

    def due_ms(self) -> int | None:
        return self.next_ms if len(self.local.queue) > 0 and self.local.members.live > 0 else None

    def run(self) -> None:
        local = self.local
        due_ms = self.due_ms()
        if due_ms is not None and (local.urgent or due_ms <= local.now_ms):
            self._round()
        local.urgent = False
        full = len(local.queue) > local.settings.queue_warn
        if full and not self._warned:
            local.note("gossip.queue_long", items=len(local.queue), dropped=local.queue.dropped)
        self._warned = full

    def _round(self) -> None:
        local, settings = self.local, self.local.settings
        self.next_ms = local.now_ms + settings.gossip_interval_ms
        if local.n > settings.gossip_to_all_max:
            targets = local.choose(settings.gossip_fanout, lambda member: member.live)
        else:
            targets = [member for member in local.members if member.live]
        for member in targets:
            items = local.piggyback(member)
            if items:
                local.send(member.node, Gossip(items))
