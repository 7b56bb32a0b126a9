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
        """Keep two checked statements if they contradict each other and nothing is decided about their slot.

        Of several contradictions in one slot all members keep the same: the smallest.
        """
        accusation = accusation_of(one, other)
        if accusation is None or not self._is_new(accusation):
            return []
        before = self.open.get(accusation.id)
        if before is not None and before.encode() <= accusation.encode():
            return []
        self.open[accusation.id] = accusation
        effects: list[Effect] = [ForgetRecords((accusation.id,))] if before else []
        effects += [SaveRecord(accusation.id, record) for record in (accusation.one, accusation.other)]
        if before is None:
            effects.append(Note("evidence.found", (("member", accusation.accused), ("slot", accusation.slot))))
        told = Records((accusation.one, accusation.other))
        return effects + [Send(node, told) for node in self._ledger.roster.by_node if node != self._node]

    def decided(self, accusations: Iterable[Accusation]) -> list[Effect]:
        """These are on the ledger now, whichever contradictions prove them."""
        known = tuple(one.id for one in accusations if self.open.pop(one.id, None))
        return [ForgetRecords(known)] if known else []

    def _is_new(self, accusation: Accusation) -> bool:
        ledger = self._ledger
        said = ledger.accused.get(accusation.accused, set())
        if accusation.slot in said or accusation.slot > ledger.height:
            return False
        if accusation.accused not in ledger.roster_at(accusation.slot).nodes:
            return False
        waiting = sum(one.accused == accusation.accused for one in self.open.values())
        return accusation.id in self.open or len(said) + waiting < PER_ACCUSED_MAX
