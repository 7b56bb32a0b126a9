"""A change of the roster: what a member proposes, what people at the members approve, when a slot may decide it.

It takes effect for the slot after the one that decides it. That is soon enough to be safe, as slots never overlap here:
a member says nothing in a slot before it knows the one before, so nobody can vote in a slot without knowing its roster.
(Where slots are decided several at a time a change has to wait until all that have begun are over.) The quorums of two
rosters so never decide the same slot: which of them decides it, the slots before have decided.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from coordinator.charter import Charter, read_charter, write_charter
from coordinator.encoding import U32_MAX, U64_MAX, EncodingError, Reader, Writer, decode
from coordinator.ledger.agenda import ChangeItem
from coordinator.ledger.resolution import BadSignatureError, ItemError
from coordinator.ledger.roster import MEMBERS_MAX, Member, Roster, RosterError, read_member, write_member
from coordinator.records import is_plain
from coordinator.signed import BODY_SIZE_MAX, NODE_ID_SIZE, Digest, NodeId, Signed
from coordinator.voting.quorum import byzantine_threshold

REASON_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Change:
    """From the roster of one epoch to that of the next. The digest of its signed record is the change's id.

    Only what changes is named, so that a change of the largest roster is a small record too; the epoch and the moot,
    which its signature is bound to, say from what.
    """

    epoch: int
    """Of the roster that it changes."""
    removed: tuple[NodeId, ...]
    """Sorted. A node that is removed and added gets another seat."""
    added: tuple[Member, ...]
    """Sorted by node id."""
    charter: Charter
    """The whole of the rules from then on."""
    reason: str
    created_ms: int
    """The proposer's wall clock. Of one proposer's changes the newest are kept; nothing else rests on it."""

    def __post_init__(self) -> None:
        if not 0 <= self.epoch <= U32_MAX or not 0 <= self.created_ms <= U64_MAX:
            raise RosterError(["epoch or created_ms: out of range"])
        added = tuple(member.node for member in self.added)
        if self.removed != tuple(sorted(set(self.removed))) or added != tuple(sorted(set(added))):
            raise RosterError(["the members of a change: must be sorted by node id, each node once"])
        if len(self.reason) > REASON_LENGTH_MAX or not is_plain(self.reason):
            raise RosterError([f"reason: must be at most {REASON_LENGTH_MAX} printable characters"])

    def encode(self) -> bytes:
        writer = Writer().u32(self.epoch).items(self.removed, Writer.blob).items(self.added, write_member)
        write_charter(writer, self.charter)
        return writer.text(self.reason).u64(self.created_ms).done()

    @staticmethod
    def decode(body: bytes) -> "Change":
        return decode(body, _read_change)


@dataclass(frozen=True, slots=True)
class Approval:
    """A person at this member's node wants the change. Neither a model nor any automation gives one."""

    change: Digest

    def encode(self) -> bytes:
        return Writer().fixed(self.change, 32).done()

    @staticmethod
    def decode(body: bytes) -> "Approval":
        return decode(body, lambda r: Approval(r.fixed(32)))


def change_of(
    roster: Roster,
    *,
    created_ms: int,
    removed: Iterable[NodeId] = (),
    added: Iterable[Member] = (),
    threshold: int | None = None,
    turnout: int | None = None,
    reason: str = "",
) -> Change:
    """Propose to change this roster; by default with the smallest safe quorum and a majority's turnout, as founded.

    Raises:
        RosterError: the roster that would come of it cannot work; the message lists every problem.
    """
    leaving = tuple(sorted(set(removed)))
    joining = tuple(sorted(added, key=lambda member: member.node))
    count = len(roster.nodes - set(leaving)) + len(joining)
    rules = {name: getattr(roster.charter, name) for name in Charter.__slots__}
    rules["threshold"] = byzantine_threshold(count) if threshold is None else threshold
    rules["turnout"] = count // 2 + 1 if turnout is None else turnout
    change = Change(roster.epoch, leaving, joining, Charter(**rules), reason, created_ms)
    roster_after(roster, change)
    if len(change.encode()) > BODY_SIZE_MAX:
        raise RosterError([f"{len(joining)} members at once are too many for one change; add them in several"])
    return change


def roster_after(roster: Roster, change: Change) -> Roster:
    """The roster of the next epoch.

    Raises:
        RosterError: the change is of another epoch, names no change, or makes a roster that cannot work.
    """
    if change.epoch != roster.epoch:
        raise RosterError([f"it changes the roster of epoch {change.epoch}, and this is epoch {roster.epoch}"])
    problems = [
        f"{node.hex()[:8]} is not in the roster and cannot be removed"
        for node in change.removed
        if node not in roster.nodes
    ]
    stay = [member for member in roster.members if member.node not in change.removed]
    here = {member.node for member in stay}
    problems += [f"{member.name!r} is in the roster already" for member in change.added if member.node in here]
    if not stay:
        problems.append("nobody stays; let at least one member stay, for the new ones to learn the ledger from")
    if not problems and not change.removed and not change.added and change.charter == roster.charter:
        problems.append("it changes nothing")
    members = tuple(sorted([*stay, *change.added], key=lambda member: member.node))
    after = Roster(roster.epoch + 1, members, change.charter)
    problems = problems or after.problems()
    if problems:
        raise RosterError(problems)
    return after


def check_change(item: ChangeItem, roster: Roster, verify: Callable[[Signed], bool]) -> Roster:
    """Refuse what may not change this roster; give the roster that it makes.

    Raises:
        BadSignatureError: a record that its author did not sign.
        ItemError: an author outside the roster, a change of another epoch or to a roster that cannot work, or approvals
            of fewer members than the charter's threshold.
    """
    for record in (item.change, *item.approvals):
        if record.author not in roster.by_node:
            raise ItemError(f"a {record.kind.value} by {record.author.hex()[:8]}, who is not in the roster")
        if not verify(record):
            raise BadSignatureError(f"a {record.kind.value} that {roster.by_node[record.author].name} did not sign")
    try:
        change = Change.decode(item.change.body)
        approved = {Approval.decode(record.body).change for record in item.approvals}
        after = roster_after(roster, change)
    except EncodingError as error:
        raise ItemError(f"a record that cannot be read: {error}") from error
    except RosterError as error:
        raise ItemError(f"a change that cannot be: {error}") from error
    if approved - {item.id}:
        raise ItemError("an approval of another change")
    approvers = len({record.author for record in item.approvals})
    if approvers < roster.charter.threshold:
        raise ItemError(f"a change that {approvers} members approve; {roster.charter.threshold} must")
    return after


def _read_change(reader: Reader) -> Change:
    return Change(
        reader.u32(),
        reader.items(MEMBERS_MAX, lambda r: r.blob(NODE_ID_SIZE)),
        reader.items(MEMBERS_MAX, read_member),
        read_charter(reader),
        reader.text(4 * REASON_LENGTH_MAX),
        reader.u64(),
    )
