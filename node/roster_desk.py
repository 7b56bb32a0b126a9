"""What this node's people ask about the roster: who counts, what would change it, and what they want of that."""

from collections.abc import Mapping, Sequence
from typing import Any

from coordinator.charter import Charter
from coordinator.events import Approved, Proposed
from coordinator.ledger.change import change_of, roster_after
from coordinator.ledger.roster import Member, Roster, RosterError
from coordinator.moot import Moot
from coordinator.open_changes import OpenChange
from coordinator.signed import Digest, Kind, NodeId, Signed
from node.api import ChangeReport, RosterReport, SeatReport
from node.errors import RosterRefused
from node.founding import member_of_card
from node.shell import Shell, wall_ms

ID_LENGTH_MIN = 4


def roster_report(moot: Moot, node: NodeId) -> RosterReport:
    """Who counts now, and what may change it. `node` is this one."""
    roster = moot.ledger.roster
    changes = sorted(moot.changes.open.values(), key=lambda one: one.age)
    return {
        "epoch": roster.epoch,
        "since_slot": moot.ledger.begins(roster.epoch),
        "in_roster": node in roster.nodes,
        "threshold": roster.charter.threshold,
        "turnout": roster.charter.turnout,
        "members": [_seat(member) for member in sorted(roster.members, key=lambda one: one.name)],
        "changes": [_change_report(one, roster, node) for one in changes],
    }


def _change_report(known: OpenChange, roster: Roster, node: NodeId) -> ChangeReport:
    change = known.change
    return {
        "id": known.id.hex(),
        "epoch": change.epoch,
        "proposed_by": roster.by_node[known.record.author].name,
        "reason": change.reason,
        "created_ms": change.created_ms,
        "added": [_seat(member) for member in change.added],
        "removed": [roster.by_node[one].name for one in change.removed],
        "members": len(roster_after(roster, change).members),
        "threshold": change.charter.threshold,
        "turnout": change.charter.turnout,
        "rules": _rules(roster.charter, change.charter),
        "approved_by": sorted(roster.by_node[one].name for one in known.approvals),
        "needed": roster.charter.threshold,
        "approved_here": node in known.approvals,
    }


def propose(
    shell: Shell,
    node: NodeId,
    *,
    cards: Sequence[Mapping[str, Any]],
    remove: Sequence[str],
    threshold: int | None,
    turnout: int | None,
    reason: str,
) -> ChangeReport:
    """Propose a change as a person says it: new members by their cards, others by name or id.

    Raises:
        RosterError: it cannot be; the message lists every problem.
    """
    roster = shell.moot.ledger.roster
    try:
        added = [member_of_card(card) for card in cards]
    except (ValueError, KeyError, TypeError) as error:
        raise RosterError([f"not a member card, as moot init makes it ({error})"]) from error
    change = change_of(
        roster,
        created_ms=wall_ms(),
        removed=[_seat_named(roster, name) for name in remove],
        added=added,
        threshold=threshold,
        turnout=turnout,
        reason=reason,
    )
    shell.do(Proposed(change))
    record = Signed(Kind.CHANGE, node, change.encode(), b"")  # Whatever its signature, its name is the same.
    decided = OpenChange(record, change, {node: record})  # By now, in a moot of one.
    return _change_report(shell.moot.changes.open.get(record.digest(), decided), roster, node)


def approve(shell: Shell, node: NodeId, prefix: str) -> ChangeReport:
    """Approve the change of which the id begins so.

    Raises:
        RosterRefused: there is none, or no single one.
        RosterError: it is outdated, or this node may not.
    """
    roster, found = shell.moot.ledger.roster, _find(shell.moot, prefix)
    known = shell.moot.changes.open.get(found)
    shell.do(Approved(found))
    assert known is not None, "what is not open is refused"
    return _change_report(known, roster, node)


def _find(moot: Moot, prefix: str) -> Digest:
    known = {**moot.changes.outdated, **moot.changes.open}
    found = sorted(name for name in known if name.hex().startswith(prefix.lower()))
    if len(prefix) < ID_LENGTH_MIN or not found:
        raise RosterRefused(f"no change has an id that begins with {prefix[:64]!r}; see: moot roster")
    if len(found) > 1:
        raise RosterRefused(f"{len(found)} changes begin with {prefix!r}; give more of the id")
    return found[0]


def _seat(member: Member) -> SeatReport:
    return {
        "node": member.node.hex(),
        "name": member.name,
        "organization": member.organization,
        "weight": member.weight,
        "address": member.address,
    }


def _seat_named(roster: Roster, name: str) -> NodeId:
    named = [one.node for one in roster.members if one.name == name]
    if not named and len(name) >= ID_LENGTH_MIN:
        named = [one.node for one in roster.members if one.node.hex().startswith(name.lower())]
    if len(named) != 1:
        members = ", ".join(sorted(one.name for one in roster.members))
        raise RosterError([f"{name[:64]!r} is {'no' if not named else 'more than one'} member; members are {members}"])
    return named[0]


def _rules(before: Charter, after: Charter) -> dict[str, list[Any]]:
    """The rules that change: [before, after] by name."""
    names = [name for name in Charter.__slots__ if getattr(before, name) != getattr(after, name)]
    return {name: [getattr(before, name), getattr(after, name)] for name in names}
