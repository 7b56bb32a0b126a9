"""What this node's people declare void: a signed list of revoked keys, each list repeating the one before."""

from collections.abc import Sequence

from coordinator.moot import Moot
from coordinator.signed import Kind, NodeId, Signer
from node.api import RevocationReport, RevokedReport
from node.errors import Exit, NodeError
from node.membership.events import Revoke
from node.membership.revocations import REASON_SIZE_MAX, REVOKED_MAX, RevocationList
from node.shell import Shell, wall_ms

ID_LENGTH_MIN = 8


class NotRevocable(NodeError):
    """No such list can be made; nothing was published."""

    exit_code = Exit.USAGE


def revoke(shell: Shell, signer: Signer, names: Sequence[str], reason: str) -> RevocationReport:
    """Publish this node's list, longer by these members; without names, one of its own key alone.

    Members that do not heed this node take its own key's word on that key, and refuse a list with any other on it.

    Raises:
        NotRevocable: a name is nobody's, several members' or this node's, or the list would not fit.
    """
    known = shell.membership.own_revocations()
    before = dict(known.reasons if known else ())
    if signer.node in before:
        raise NotRevocable("this node's own key is revoked: nobody listens to it any more")
    named = {_key_of(shell.moot, name): reason for name in names}
    if signer.node in named:
        raise NotRevocable("that is this node; its own key is revoked by moot revoke without a name")
    reasons = before | named if named else {signer.node: reason}
    if len(reason.encode()) > REASON_SIZE_MAX:
        raise NotRevocable(f"the reason takes more than {REASON_SIZE_MAX} bytes; say it shorter")
    if len(reasons) > REVOKED_MAX:
        raise NotRevocable(f"the list would name more than {REVOKED_MAX} keys")
    listed = RevocationList(known.sequence + 1 if known else wall_ms(), tuple(sorted(reasons.items())))
    shell.do(Revoke(signer.sign(Kind.REVOCATION, listed.encode())))
    assert shell.membership.own_revocations() == listed, "a node heeds its own lists"
    return {
        "node": signer.node.hex(),
        "name": _name_of(shell.moot, signer.node),
        "sequence": listed.sequence,
        "revoked": [_revoked(shell.moot, node, why) for node, why in listed.reasons],
        "dropped": [_revoked(shell.moot, node, why) for node, why in before.items() if node not in reasons],
        "own_key": signer.node in reasons,
    }


def _revoked(moot: Moot, node: NodeId, reason: str) -> RevokedReport:
    return {"node": node.hex(), "name": _name_of(moot, node), "reason": reason}


def _name_of(moot: Moot, node: NodeId) -> str:
    seat = moot.ledger.seats.get(node)
    return "" if seat is None else seat.name


def _key_of(moot: Moot, name: str) -> NodeId:
    """A member's key, or that of one who was a member: a removed one may still follow."""
    seats = moot.ledger.seats.values()
    named = sorted(seat.node for seat in seats if seat.name == name)
    if not named and len(name) >= ID_LENGTH_MIN:
        named = sorted(seat.node for seat in seats if seat.node.hex().startswith(name.lower()))
    if not named:
        raise NotRevocable(
            f"{name[:64]!r} is no member's name, nor {ID_LENGTH_MIN} or more first digits of its id; see: moot members"
        )
    if len(named) > 1:
        raise NotRevocable(f"{name[:64]!r} is more than one member; give more of the id")
    return named[0]
