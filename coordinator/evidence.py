"""What this node holds against members that contradicted themselves: kept, shown to the others, put on the ledger.

Two statements by one member of which neither follows the other prove that it lies, or has lost what it said, to whoever
checks its signatures. Evidence says so for ever and changes nothing else: only a decision changes who counts in a vote.
It goes on an agenda beside questions or a change and never calls for one: nobody can make an idle moot vote by lying.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import combinations

from coordinator.effects import Effect, ForgetRecords, Note, SaveRecord, Send
from coordinator.ledger.accusation import accusation_of
from coordinator.ledger.agenda import Accusation
from coordinator.ledger.ledger import PER_ACCUSED_MAX, Ledger
from coordinator.messages import Records
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.voting.statement import Nominate, decode

COMPARED_MAX = 4
"""Statements by one member about one slot in one message that are compared with each other. Two are enough."""


class OpenEvidence:
    """At most a few pieces of evidence for each member."""

    def __init__(self, node: NodeId, ledger: Ledger, verify: Callable[[Signed], bool]) -> None:
        self._node = node
        self._ledger = ledger
        self._verify = verify
        self.open: dict[Digest, Accusation] = {}
        """What is not on the ledger yet: one for each member and slot."""

    def restore(self, statements: Iterable[Signed]) -> None:
        """Take back what the disk held."""
        self.compare(statements)

    def held(self) -> Iterator[Signed]:
        for accusation in self.open.values():
            yield from (accusation.one, accusation.other)

    def against(self, node: NodeId) -> list[int]:
        """The slots in which this member is known to have contradicted itself, ascending."""
        slots = {one.slot for one in self.open.values() if one.accused == node}
        return sorted(slots | self._ledger.accused.get(node, set()))

    def compare(self, records: Iterable[Signed]) -> list[Effect]:
        """Look for contradictions among records that came together, as evidence does: perhaps of a slot long ago and by
        somebody who has left. Their signatures are checked here."""
        alike: dict[tuple[NodeId, int, bool], list[Signed]] = {}
        for record in records:
            if record.kind is not Kind.STATEMENT or not self._ledger.has_known(record.author):
                continue
            with suppress(ValueError):
                said = decode(record.body)
                alike.setdefault((record.author, said.slot, isinstance(said, Nominate)), []).append(record)
        pairs = [pair for group in alike.values() for pair in combinations(group[:COMPARED_MAX], 2)]
        return [effect for pair in pairs if all(map(self._verify, pair)) for effect in self.pair(*pair)]

    def pair(self, one: Signed, other: Signed) -> list[Effect]:
        """Keep two checked statements if they contradict each other and nothing is held or decided about their slot.

        The first stays, whatever else is said in the slot: no liar can make its peers write and send again and again.
        """
        accusation = accusation_of(one, other)
        if accusation is None or accusation.id in self.open or self._is_enough(accusation):
            return []
        if accusation.slot > self._ledger.height:
            return []
        if accusation.accused not in self._ledger.roster_at(accusation.slot).nodes:
            return []
        waiting = sum(one.accused == accusation.accused for one in self.open.values())
        if waiting >= PER_ACCUSED_MAX:
            return []
        self.open[accusation.id] = accusation
        told = Records((accusation.one, accusation.other))
        effects: list[Effect] = [SaveRecord(accusation.id, record) for record in told.records]
        effects.append(Note("evidence.found", (("member", accusation.accused), ("slot", accusation.slot))))
        return effects + [Send(node, told) for node in self._ledger.roster.by_node if node != self._node]

    def decided(self) -> list[Effect]:
        """The ledger says more of somebody than before: let go of what adds nothing to it."""
        names = tuple(sorted(name for name, one in self.open.items() if self._is_enough(one)))
        for name in names:
            del self.open[name]
        return [ForgetRecords(names)] if names else []

    def _is_enough(self, accusation: Accusation) -> bool:
        """Whether the ledger says this, or enough of the same member."""
        said = self._ledger.accused.get(accusation.accused, set())
        return accusation.slot in said or len(said) >= PER_ACCUSED_MAX
