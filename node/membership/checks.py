"""Whether a member is really out of reach, now, by several paths: asked before anything that cannot be undone.

Suspicion and death are hints that gossip brings. A check is fresh: we ping the member and have relays of several
operators do so at the same time, and say what came of it.
"""

from dataclasses import dataclass, field

from coordinator.signed import NodeId
from node.membership.events import Confirmed, Reach
from node.membership.local import Local
from node.membership.prober import Probe, Prober

RUNNING_MAX = 16
"""Checks at one time."""
PATHS_MIN = 2
"""Paths that must have failed, our own and those of relays that say so, before a member counts as out of reach."""


@dataclass(slots=True)
class Checks:
    local: Local
    prober: Prober
    running: dict[int, Probe] = field(default_factory=dict)
    """By number, the earliest to end first."""

    def begin(self, node: NodeId) -> None:
        """Check a member; `Confirmed` says what came of it, within one probe interval. A check that runs is enough."""
        target = self.local.members.get(node)
        if any(probe.target == node for probe in self.running.values()):
            return
        if target is None or self.local.own.left or len(self.running) >= RUNNING_MAX:
            self.local.out.append(Confirmed(node, Reach.UNKNOWN, 0))
            return
        ends_ms = self.local.now_ms + self.local.settings.probe_interval_ms
        probe = self.prober.begin(target, self.local.now_ms, ends_ms)
        self.prober.ask_relays(probe)
        self.running[probe.number] = probe

    def due_ms(self) -> int | None:
        return next(iter(self.running.values())).ends_ms if self.running else None

    def run(self) -> None:
        for number, probe in list(self.running.items()):
            if not probe.answered and probe.ends_ms > self.local.now_ms:
                continue
            del self.running[number]
            paths = len(probe.nacks) + (not probe.void)
            if probe.answered:
                reach = Reach.REACHED
            elif probe.void or paths < PATHS_MIN:
                reach = Reach.UNKNOWN
            else:
                reach = Reach.UNREACHABLE
            self.local.out.append(Confirmed(probe.target, reach, paths))
