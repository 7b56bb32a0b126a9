"""Members come and go by decision: one proposes it, people at all members approve, and a newcomer starts its node."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from coordinator.events import Approved, Proposed
from coordinator.ledger.change import change_of
from coordinator.ledger.roster import Member, Roster, RosterError
from coordinator.signed import Digest
from node.lab.simulation.moot.host import Host
from node.lab.simulation.moot.surroundings import address_of
from node.lab.simulation.plan import Seat
from node.lab.simulation.timeline import Timeline

LOOK_MS = 500
"""How often people look what has become of a change, and whether there is one to approve."""


@dataclass(slots=True)
class _Want:
    seat: Seat
    change: Digest | None = None
    """The one that was proposed last. Another one may be decided first; then it is proposed anew."""


class Seats:
    """People at honest members want what the plan says, until the roster is so."""

    def __init__(
        self, seats: Sequence[Seat], hosts: Sequence[Host], timeline: Timeline, roster: Callable[[], Roster]
    ) -> None:
        self._hosts = hosts
        self._timeline = timeline
        self._roster = roster
        self._to_come = len(seats)
        self._wants: list[_Want] = []
        self.proposed = 0
        for seat in seats:
            timeline.at(seat.at_ms, partial(self._begin, seat))

    def open(self) -> int:
        """Changes that are not decided yet, or still to come."""
        return self._to_come + len(self._wants)

    def _begin(self, seat: Seat) -> None:
        self._to_come -= 1
        self._wants.append(_Want(seat))
        if seat.joins >= 0:
            self._hosts[seat.joins].start()
        if len(self._wants) == 1:
            self._look()

    def _look(self) -> None:
        self._wants = [want for want in self._wants if not self._is_so(want.seat)]
        members = [host for host in self._hosts if host.honest and host.node in self._roster().nodes]
        for place, want in enumerate(self._wants):
            # In the plan's order the roster stays large enough for its liars; whoever only joins may be early.
            if place == 0 or want.seat.leaves < 0:
                self._propose(want, members)
        wanted = [want.change for want in self._wants if want.change is not None]
        for host in members:
            for change in wanted:
                self._approve(host, change)
        if self._wants:
            self._timeline.after(LOOK_MS, self._look)

    def _is_so(self, seat: Seat) -> bool:
        nodes = self._roster().nodes
        joined = seat.joins < 0 or self._hosts[seat.joins].node in nodes
        return joined and (seat.leaves < 0 or self._hosts[seat.leaves].node not in nodes)

    def _propose(self, want: _Want, members: Sequence[Host]) -> None:
        """By whom the plan says, or in its place by another who stays."""
        first = self._hosts[want.seat.by]
        proposer = first if first in members else next(one for one in members if one.number != want.seat.leaves)
        process = proposer.process
        if process is None or proposer.is_stalled():
            return
        moot = process.moot
        if want.change in moot.changes.open or moot.ledger.roster.epoch < self._roster().epoch:
            return
        joins, leaves = want.seat.joins, want.seat.leaves
        try:
            change = change_of(
                moot.ledger.roster,
                created_ms=proposer.clock.wall_ms(self._timeline.now_ms),
                removed=[self._hosts[leaves].node] if leaves >= 0 else [],
                added=[seat_of(self._hosts[joins])] if joins >= 0 else [],
            )
            before = set(moot.changes.open)
            proposer.do(Proposed(change))
        except RosterError:
            return  # Part of it has happened meanwhile, or the proposer is not heard any more.
        self.proposed += 1
        want.change = next((name for name in moot.changes.open if name not in before), None)

    def _approve(self, host: Host, change: Digest) -> None:
        if host.process is None or host.is_stalled():
            return
        known = host.process.moot.changes.open.get(change)
        if known is not None and host.node not in known.approvals:
            host.do(Approved(change))


def seat_of(host: Host) -> Member:
    return Member(host.node, f"n{host.number}", f"org{host.number}", 1, address_of(host.number))
