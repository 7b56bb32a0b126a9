"""Quorum sets of a whole network as bit masks, and the greatest quorum among some of its nodes.

Node number i is the bit 1 << i. A quorum of nodes is a set in which each has a slice (SCP white paper, section 3).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from coordinator.voting.quorum import QuorumSet


class OutOfSteps(Exception):
    """The work that a check may cost is spent; what was found until then is all that is known."""


class Budget:
    """Counts work, not time, so that the same question ends with the same answer on every machine."""

    def __init__(self, steps_max: int) -> None:
        self.steps_max = steps_max
        self.used = 0

    def spend(self) -> None:
        """One step: the greatest quorum among some nodes was asked for. Raises OutOfSteps."""
        self.used += 1
        if self.used > self.steps_max:
            raise OutOfSteps


@dataclass(frozen=True, slots=True)
class Gate:
    """A quorum set over bits. A threshold of 0 is always met, one above the entries never."""

    threshold: int
    members: int
    inner: tuple["Gate", ...] = ()

    @property
    def names(self) -> int:
        """Every node in the tree."""
        found = self.members
        for inner in self.inner:
            found |= inner.names
        return found

    def places(self) -> list[int]:
        """The members of each set in the tree, in a fixed order."""
        found = [self.members]
        for inner in self.inner:
            found += inner.places()
        return found

    def is_met(self, nodes: int) -> bool:
        """Whether `nodes` contain a slice."""
        met = (self.members & nodes).bit_count()
        for inner in self.inner:
            if met >= self.threshold:
                return True
            met += inner.is_met(nodes)
        return met >= self.threshold

    def is_blocked(self, nodes: int) -> bool:
        """Whether `nodes` meet every slice. The set must be whole: none of its members left out."""
        if self.threshold == 0:
            return False
        needed = self.members.bit_count() + len(self.inner) - self.threshold + 1
        blocked = (self.members & nodes).bit_count()
        for inner in self.inner:
            if blocked >= needed:
                return True
            blocked += inner.is_blocked(nodes)
        return blocked >= needed

    def without(self, faulty: int) -> "Gate":
        """The set once `faulty` agree with anything: each fulfils its entry, so it is gone and asks for one less."""
        if not self.names & faulty:
            return self
        threshold = max(0, self.threshold - (self.members & faulty).bit_count())
        return Gate(threshold, self.members & ~faulty, tuple(inner.without(faulty) for inner in self.inner))

    def within(self, nodes: int) -> "Gate":
        """The set where only `nodes` are there to agree."""
        return Gate(self.threshold, self.members & nodes, tuple(inner.within(nodes) for inner in self.inner))


@dataclass(frozen=True, slots=True)
class Gates:
    """Who has which gate; nodes with equal gates stand together, as one look serves them all."""

    by_gate: tuple[tuple[Gate, int], ...]

    @staticmethod
    def of(pairs: Iterable[tuple[Gate, int]]) -> "Gates":
        """From gates and the nodes that have them; equal gates become one."""
        owners: dict[Gate, int] = {}
        for gate, nodes in pairs:
            if nodes:
                owners[gate] = owners.get(gate, 0) | nodes
        return Gates(tuple(owners.items()))

    @property
    def nodes(self) -> int:
        found = 0
        for _, owners in self.by_gate:
            found |= owners
        return found

    def without(self, faulty: int) -> "Gates":
        """The others, once `faulty` agree with anything."""
        return Gates.of((gate.without(faulty), owners & ~faulty) for gate, owners in self.by_gate)

    def within(self, nodes: int) -> "Gates":
        """Only `nodes`, with nobody else there to agree."""
        return Gates.of((gate.within(nodes), owners & nodes) for gate, owners in self.by_gate)

    def greatest_quorum(self, among: int, budget: Budget) -> int:
        """The union of all quorums among these nodes, itself a quorum; 0 where there is none."""
        budget.spend()
        dropped = True
        while dropped:
            dropped = False
            for gate, owners in self.by_gate:
                here = among & owners
                if here and not gate.is_met(among):
                    among ^= here
                    dropped = True
        return among

    def smallest_within(self, quorum: int, budget: Budget) -> int:
        """A quorum inside this one that holds no smaller one."""
        for node in bits(quorum):
            if quorum & node and (found := self.greatest_quorum(quorum & ~node, budget)):
                quorum = found
        return quorum


def bits(nodes: int) -> Iterator[int]:
    """Each node's bit, lowest first."""
    while nodes:
        low = nodes & -nodes
        yield low
        nodes ^= low


def gate_of(quorum_set: QuorumSet, bits_of: Mapping[bytes, int]) -> Gate:
    """The quorum set over these bits; members without one are left out, as they are in none of the sets asked about."""
    members = 0
    for validator in quorum_set.validators:
        members |= bits_of.get(validator, 0)
    return Gate(quorum_set.threshold, members, tuple(gate_of(inner, bits_of) for inner in quorum_set.inner))


def numbered(sets: Mapping[bytes, QuorumSet]) -> tuple[tuple[bytes, ...], Gates]:
    """The ids in ascending order, which numbers them, and the network as gates.

    A node that is named but has no known quorum set agrees with nobody: it stands in no gate, and its entry is never
    fulfilled. A threshold above the entries is allowed and never met, as published quorum sets say "none" that way.

    Raises:
        ValueError: a threshold below 1.
    """
    ids = tuple(sorted(sets))
    bits_of = {node: 1 << n for n, node in enumerate(ids)}
    made: dict[QuorumSet, Gate] = {}
    for quorum_set in sets.values():
        if quorum_set not in made:
            named = list(quorum_set.walk())
            once = len(set(named)) == len(named)  # else lifting a lone node out of its set may merge it with itself
            if (least := _least_threshold(quorum_set)) < 1:
                raise ValueError(f"a quorum set's threshold is {least}; the least is 1")
            made[quorum_set] = gate_of(quorum_set.normal() if once else quorum_set, bits_of)
    return ids, Gates.of((_with_itself(made[sets[node]], 1 << n), 1 << n) for n, node in enumerate(ids))


def _with_itself(gate: Gate, node: int) -> Gate:
    """For a node that asks for itself and t others: any t + 1 of all. In a quorum with itself that is the same.

    So nodes that each name themselves first have one gate together, and their symmetry is seen.
    """
    if (gate.threshold, gate.members, len(gate.inner)) != (2, node, 1):
        return gate
    others = gate.inner[0]
    if others.names & node:
        return gate
    return Gate(others.threshold + 1, others.members | node, others.inner)


def _least_threshold(quorum_set: QuorumSet) -> int:
    return min([quorum_set.threshold, *map(_least_threshold, quorum_set.inner)])
