"""What this node's people see of each member: who it is, whether it is reachable, and what speaks against it."""

from coordinator.signed import NodeId
from node.api import MemberReport
from node.membership.core import Membership
from node.membership.events import MemberView
from node.shell import Shell, now_ms


def member_reports(shell: Shell, node: NodeId, address: str) -> list[MemberReport]:
    """The roster's members by name. `node` is this one, `address` where it listens."""
    now, heights = now_ms(), shell.moot.catch_up.heights
    views = {view.node: view for view in shell.membership.members()}
    reports: list[MemberReport] = []
    for seat in sorted(shell.moot.ledger.roster.members, key=lambda seat: seat.name):
        view, itself = views.get(seat.node), seat.node == node
        reports.append(
            {
                "node": seat.node.hex(),
                "name": seat.name,
                "organization": seat.organization,
                "status": _status(shell.membership, seat.node, view),
                "compatible": view.compatible if view else None,
                "address": address if itself else view.address if view else seat.address,
                "incarnation": view.incarnation if view else 0,
                "rtt_ms": view.rtt_ms if view else None,
                "last_heard_ms": now - view.last_heard_ms if view and view.last_heard_ms is not None else None,
                "itself": itself,
                "height": shell.moot.ledger.height if itself else heights.get(seat.node),
                "contradicted": shell.moot.evidence.against(seat.node),
            }
        )
    return reports


def _status(membership: Membership, node: NodeId, view: MemberView | None) -> str:
    """A revoked key is forgotten as a member, and this node, which always has a view, never forgets itself."""
    if membership.is_revoked(node):
        return "revoked"
    return view.status.name.lower() if view else "unknown"
