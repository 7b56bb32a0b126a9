"""What membership must hold: keys that never fall, deaths that had their time, and none of a member in good health."""

from dataclasses import dataclass, field

from coordinator.signed import NodeId
from node.lab.simulation.moot.clock import WALL_MS
from node.lab.simulation.moot.host import Host
from node.lab.simulation.moot.process import Process
from node.lab.simulation.outcome import Violated
from node.membership.events import MemberChanged, Status
from node.membership.records import Key
from node.membership.settings import MembershipSettings
from node.membership.suspicion import suspicion_ms_min

SETTINGS = MembershipSettings.lan()
CALM_MARGIN_MS = 15_000
"""For a refutation to reach everybody that began to doubt while something was wrong, after the longest suspicion."""


@dataclass(slots=True)
class _View:
    """What one process holds of the others."""

    process: Process
    statuses: dict[NodeId, Status] = field(default_factory=dict)
    suspected: dict[NodeId, tuple[int, int]] = field(default_factory=dict)
    """When, by its own clock, and how long it has to wait at least."""
    keys: dict[NodeId, Key] = field(default_factory=dict)


class Views:
    """H3, S4 and L2's rule that who left is not held dead."""

    def __init__(self, hosts: list[Host]) -> None:
        self._hosts = {host.node: host for host in hosts}
        self._views: dict[NodeId, _View] = {}
        self._own: dict[NodeId, Key] = {}
        """The newest key of each honest member's own record, over its whole life."""
        self._troubled_until_ms = [0] * len(hosts)
        live = max(2, len(hosts))
        self._calm_ms = SETTINGS.suspicion_max_factor * suspicion_ms_min(SETTINGS, live) + CALM_MARGIN_MS

    def trouble(self, number: int, until_ms: int) -> None:
        """Something is wrong with this machine, or its links, until then."""
        self._troubled_until_ms[number] = max(self._troubled_until_ms[number], until_ms)

    def calm_again(self, now_ms: int) -> None:
        """Everything is healed."""
        self._troubled_until_ms = [min(until_ms, now_ms) for until_ms in self._troubled_until_ms]

    def started(self, host: Host, process: Process, now_ms: int) -> None:
        self._views[host.node] = _View(process)
        self.trouble(host.number, now_ms)
        self._own_key(host, process)

    def changed(self, host: Host, change: MemberChanged, now_ms: int) -> None:
        view = self._views[host.node]
        node, clock_ms = change.node, host.clock.monotonic_ms(now_ms)
        held = view.statuses.get(node)
        if change.before is not held:
            raise Violated("false-death", f"{_name(host)} held {_id(node)} {held}, and says it was {change.before}")
        view.statuses[node] = change.after
        if change.after is Status.SUSPECT and held is not Status.SUSPECT:
            live = 1 + sum(status in (Status.ALIVE, Status.SUSPECT) for status in view.statuses.values())
            view.suspected[node] = clock_ms, suspicion_ms_min(SETTINGS, live)
        elif change.after is Status.DEAD and held is not Status.DEAD:
            self._died(host, view, node, held, clock_ms, now_ms)

    def forgotten(self, host: Host, node: NodeId) -> None:
        view = self._views[host.node]
        for known in (view.statuses, view.suspected, view.keys):
            known.pop(node, None)

    def _died(self, host: Host, view: _View, node: NodeId, held: Status | None, clock_ms: int, now_ms: int) -> None:
        if held is Status.LEFT:
            raise Violated("left-held-dead", f"{_name(host)} holds {_id(node)} dead, which had left")
        if held is not Status.SUSPECT:
            raise Violated("false-death", f"{_name(host)} held {_id(node)} {held}, and holds it dead at once")
        since_ms, least_ms = view.suspected[node]
        if clock_ms - since_ms < least_ms:
            raise Violated(
                "false-death", f"{_name(host)} doubted {_id(node)} for {clock_ms - since_ms} of at least {least_ms} ms"
            )
        other = self._hosts[node]
        if other.honest and other.process is not None:
            calm_since_ms = max(self._troubled_until_ms[host.number], self._troubled_until_ms[other.number])
            calm_since_ms = max(calm_since_ms, self._ahead_until_ms(host), self._ahead_until_ms(other))
            if now_ms - calm_since_ms > self._calm_ms:
                raise Violated("false-death", f"{_name(host)} holds {_id(node)} dead, which is well and reachable")

    def _ahead_until_ms(self, host: Host) -> int:
        """Until when the others refuse what a process says that started with its clock ahead: its epoch is to come."""
        assert host.process is not None
        behind_ms = max(abs(one.clock.wall_error_ms) for one in self._hosts.values())
        return host.process.epoch - WALL_MS - SETTINGS.clock_skew_ms + behind_ms

    def look(self, host: Host) -> None:
        """Compare all stored keys with those of the last look."""
        process = host.process
        view = self._views.get(host.node)
        if process is None or view is None or view.process is not process:
            return
        for one in process.membership.members():
            key, before = (one.epoch, one.incarnation), view.keys.get(one.node)
            if before is not None and key < before:
                raise Violated("keys", f"{_name(host)} held {_id(one.node)} at {before}, and now at {key}")
            view.keys[one.node] = key
            if one.node != host.node and view.statuses.get(one.node) is not one.status:
                raise Violated("keys", f"{_name(host)} changed {_id(one.node)} to {one.status} and did not say so")
        self._own_key(host, process)

    def _own_key(self, host: Host, process: Process) -> None:
        """A disk that forgot may bring an older epoch back: then the others' word stops the node."""
        own = next(one for one in process.membership.members() if one.node == host.node)
        key = own.epoch, own.incarnation
        before = self._own.get(host.node)
        if before is not None and key < before and not host.forgetful:
            raise Violated("keys", f"{_name(host)} signed {before}, and now signs {key}")
        self._own[host.node] = key


def _name(host: Host) -> str:
    return f"node {host.number}"


def _id(node: NodeId) -> str:
    return node.hex()[:8]
