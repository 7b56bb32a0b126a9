"""The open changes of the roster at one member: taking and passing on what is proposed, and who approves what."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from coordinator.effects import Effect, ForgetRecords, Note, SaveRecord, Send
from coordinator.encoding import EncodingError
from coordinator.ledger.agenda import ChangeItem, merge_changes
from coordinator.ledger.change import Approval, Change, roster_after
from coordinator.ledger.ledger import Ledger
from coordinator.ledger.roster import RosterError
from coordinator.messages import Records
from coordinator.signed import Digest, Kind, NodeId, Signed, Signer

PER_PROPOSER_MAX = 4
"""Open changes of one member: its newest, so that it can mend a change that nobody wants. Nobody else loses room."""
OUTDATED_MAX = 64
"""Changes that are remembered to have lost, for those who ask what became of them."""


@dataclass(slots=True)
class OpenChange:
    """One proposed change of the roster in force, and the members that approve it."""

    record: Signed
    change: Change
    approvals: dict[NodeId, Signed] = field(default_factory=dict)

    @property
    def id(self) -> Digest:
        return self.record.digest()

    @property
    def age(self) -> tuple[int, Digest]:
        """The higher, the newer; the same at every member."""
        return self.change.created_ms, self.id

    def item(self) -> ChangeItem:
        return ChangeItem(self.record, tuple(self.approvals[author] for author in sorted(self.approvals)))


class OpenChanges:
    """Records come here with their signature checked, and their author found in the roster in force."""

    def __init__(self, signer: Signer, ledger: Ledger) -> None:
        self._signer = signer
        self._node = signer.node
        self._ledger = ledger
        self.open: dict[Digest, OpenChange] = {}
        self.outdated: dict[Digest, int] = {}
        """The epoch that a change was for, of those that another one outran."""

    def restore(self, records: Iterable[Signed]) -> None:
        """Take back what the disk held."""
        held = tuple(records)
        for record in held:
            if record.kind is Kind.CHANGE:
                self.open[record.digest()] = OpenChange(record, Change.decode(record.body))
        for record in held:
            if record.kind is Kind.APPROVAL:
                known = self.open.get(Approval.decode(record.body).change)
                if known is not None:
                    known.approvals[record.author] = record

    def held(self) -> Iterator[Signed]:
        for known in self.open.values():
            yield known.record
            yield from known.approvals.values()

    def ready(self) -> ChangeItem | None:
        """What may be decided now, the same at all members that hold the same: the ready change of the smallest id."""
        threshold = self._ledger.roster.charter.threshold
        return merge_changes(one.item() for one in self.open.values() if len(one.approvals) >= threshold)

    def propose(self, change: Change) -> list[Effect]:
        """Sign a change and approve it.

        Raises:
            RosterError: this node may not, or the change cannot be.
        """
        self._check_member()
        roster_after(self._ledger.roster, change)
        record = self._signer.sign(Kind.CHANGE, change.encode())
        effects = self.change(record, None)
        return effects + (self.approve(record.digest()) if record.digest() in self.open else [])

    def approve(self, change: Digest) -> list[Effect]:
        """Say that a person at this node wants the change.

        Raises:
            RosterError: this node may not, or there is no such change any more.
        """
        self._check_member()
        known = self.open.get(change)
        if change in self._ledger.decided:
            raise RosterError([f"the change {change.hex()[:12]} is decided already"])
        if change in self.outdated:
            raise RosterError([self.why_outdated(change)])
        if known is None:
            raise RosterError([f"no open change has the id {change.hex()[:12]}; see: moot roster"])
        if self._node in known.approvals:
            return []
        record = self._signer.sign(Kind.APPROVAL, Approval(change).encode())
        effects = self.approval(record)
        return effects + [Send(node, Records((record,))) for node in self._ledger.roster.by_node if node != self._node]

    def why_outdated(self, change: Digest) -> str:
        return (
            f"the change {change.hex()[:12]} is outdated: it is of epoch {self.outdated[change]}, and another one was"
            f" decided since; propose it anew if it is still wanted"
        )

    def change(self, record: Signed, sender: NodeId | None) -> list[Effect]:
        """Keep a change of the roster in force, and pass it on. One of an epoch to come will come again."""
        name, author = record.digest(), record.author
        if name in self.open or name in self._ledger.decided:
            return []
        try:
            change = Change.decode(record.body)
            if change.epoch < self._ledger.roster.epoch:
                self._outrun(name, change.epoch)
                return [_note("change.outdated", author, name)]
            if change.epoch > self._ledger.roster.epoch:
                return []
            roster_after(self._ledger.roster, change)
        except (EncodingError, RosterError):
            return [_note("change.refused", author, name)]
        known = OpenChange(record, change)
        mine = sorted([*(one for one in self.open.values() if one.record.author == author), known], key=_age)
        dropped = mine[:-PER_PROPOSER_MAX]
        if known in dropped:
            return [_note("change.refused", author, name)]
        self.open[name] = known
        effects: list[Effect] = [SaveRecord(name, record), _note("change.proposed", author, name)]
        for one in dropped:
            del self.open[one.id]
            effects.append(ForgetRecords((one.id,)))
        others = [node for node in self._ledger.roster.by_node if node not in (self._node, sender, author)]
        return effects + [Send(node, Records((record,))) for node in others]

    def approval(self, record: Signed) -> list[Effect]:
        """Keep an approval of an open change. One that is early is fetched again by its digest."""
        try:
            known = self.open.get(Approval.decode(record.body).change)
        except EncodingError:
            return [Note("record.refused", (("sender", record.author), ("kind", record.kind.value)))]
        if known is None or record.author in known.approvals:
            return []
        known.approvals[record.author] = record
        return [SaveRecord(known.id, record), _note("change.approved", record.author, known.id)]

    def take_roster(self) -> list[Effect]:
        """The roster has changed: every other change of the epoch before is outdated."""
        epoch = self._ledger.roster.epoch
        # What came in the same step, after the slot was decided, may be of the new epoch already.
        names = tuple(sorted(name for name, known in self.open.items() if known.change.epoch < epoch))
        effects: list[Effect] = [ForgetRecords(names)] if names else []
        for name in names:
            known = self.open.pop(name)
            if name not in self._ledger.decided:
                self._outrun(name, known.change.epoch)
                effects.append(_note("change.outdated", known.record.author, name))
        return effects

    def _outrun(self, name: Digest, epoch: int) -> None:
        self.outdated[name] = epoch
        while len(self.outdated) > OUTDATED_MAX:
            del self.outdated[next(iter(self.outdated))]

    def _check_member(self) -> None:
        if self._node not in self._ledger.roster.nodes:
            raise RosterError(["this node is not in the moot's roster: it may follow, and not change it"])


def _age(one: OpenChange) -> tuple[int, Digest]:
    return one.age


def _note(event: str, member: NodeId, change: Digest) -> Note:
    return Note(event, (("member", member), ("change", change)))
