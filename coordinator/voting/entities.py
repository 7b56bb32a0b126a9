"""Organizations as one voter each: a network in which every inner set that all use alike is contracted.

Take an inner set G, t of its members, where all members have the same gate, one that needs somebody, and every gate
that names one of them names all through G. If a member is in a quorum and G is met in it, then G as one voter with the
members' gate has a slice in it too; and any t members can stand in for G. So quorums of the contracted network are
those of the network, seen from afar. Two disjoint quorums may both meet G only if G has two disjoint slices: then G is
*twofold*, and two contracted quorums count as disjoint though they share it. The argument holds again for inner sets
of contracted ones.
"""

from dataclasses import dataclass

from coordinator.voting.gates import Gate, Gates, bits


@dataclass(frozen=True, slots=True)
class Group:
    """Any `threshold` of the parts: nodes, by their bits, or groups."""

    threshold: int
    parts: tuple["int | Group", ...]

    @property
    def twofold(self) -> bool:
        return 2 * self.threshold <= len(self.parts) + sum(isinstance(p, Group) and p.twofold for p in self.parts)


@dataclass(frozen=True, slots=True)
class Entities:
    """`parts[i]` is what bit 1 << i of `gates` stands for."""

    gates: Gates
    parts: tuple[int | Group, ...]

    @property
    def twofold(self) -> int:
        return sum(1 << n for n, part in enumerate(self.parts) if isinstance(part, Group) and part.twofold)

    def nodes_of(self, one: int, other: int) -> tuple[int, int]:
        """Two disjoint sets of nodes that make these two sets of entities, which share only twofold ones."""
        first = second = 0
        for n, part in enumerate(self.parts):
            a, b = one >> n & 1, other >> n & 1
            if a and b:
                halves = _two(part)
                first, second = first | halves[0], second | halves[1]
            elif a:
                first |= _one(part)
            elif b:
                second |= _one(part)
        return first, second


def contracted(gates: Gates) -> Entities:
    """The network with as few voters as the argument above allows. The nodes are numbered anew."""
    entities = _renumbered(gates, {node: node for node in bits(gates.nodes)})
    while groups := _groups(entities.gates):
        parts: dict[int, int | Group] = {1 << n: part for n, part in enumerate(entities.parts)}
        replaced: dict[Gate, int] = {}
        owners = entities.gates.by_gate
        for group in groups:
            stands_for = group.members & -group.members
            replaced[group] = stands_for
            parts[stands_for] = Group(group.threshold, tuple(parts.pop(part) for part in bits(group.members)))
        kept = sum(parts)
        changed = Gates.of((_replace(gate, replaced), nodes & kept) for gate, nodes in owners)
        entities = _renumbered(changed, parts)
    return entities


def _groups(gates: Gates) -> list[Gate]:
    """The flat inner sets that may be contracted; no two share a member."""
    found: dict[Gate, None] = {}
    trees = [(gate.places(), _flat_inner(gate)) for gate, _ in gates.by_gate]
    for _, inner in trees:
        found.update(inner)
    return [
        group
        for group in found
        if 1 <= group.threshold <= group.members.bit_count()
        and any(not group.members & ~owners and not gate.is_met(0) for gate, owners in gates.by_gate)
        and all(_names_as_a_whole(group, places, inner) for places, inner in trees)
    ]


def _names_as_a_whole(group: Gate, places: list[int], inner: dict[Gate, None]) -> bool:
    """Whether a tree names the group's members only through the group, and once; or does not name them."""
    named = [members for members in places if members & group.members]
    return not named or (named == [group.members] and group in inner)


def _flat_inner(gate: Gate) -> dict[Gate, None]:
    found: dict[Gate, None] = {}
    for inner in gate.inner:
        found.update(_flat_inner(inner) if inner.inner else {inner: None})
    return found


def _replace(gate: Gate, replaced: dict[Gate, int]) -> Gate:
    members = gate.members
    inner = []
    for child in gate.inner:
        if child in replaced:
            members |= replaced[child]
        else:
            inner.append(_replace(child, replaced))
    return Gate(gate.threshold, members, tuple(inner))


def _renumbered(gates: Gates, parts: dict[int, int | Group]) -> Entities:
    """The same with bits 0, 1, 2 … in the order of the old ones."""
    order = sorted(parts)
    number = {old: 1 << n for n, old in enumerate(order)}

    def moved(nodes: int) -> int:
        return sum(number[node] for node in bits(nodes))

    def again(gate: Gate) -> Gate:
        return Gate(gate.threshold, moved(gate.members), tuple(again(inner) for inner in gate.inner))

    by_gate = tuple((again(gate), moved(owners)) for gate, owners in gates.by_gate)
    return Entities(Gates(by_gate), tuple(parts[old] for old in order))


def _one(part: int | Group) -> int:
    """Nodes enough to stand in for it."""
    match part:
        case Group(threshold=t, parts=parts):
            found = 0
            for child in parts[:t]:
                found |= _one(child)
            return found
        case node:
            return node


def _two(part: int | Group) -> tuple[int, int]:
    """Two disjoint sets of nodes, each enough to stand in for it."""
    assert isinstance(part, Group) and part.twofold
    both = [child for child in part.parts if isinstance(child, Group) and child.twofold][: part.threshold]
    rest = [child for child in part.parts if child not in both]
    needed = part.threshold - len(both)
    halves = [_two(child) for child in both]
    halves += [(_one(child), 0) for child in rest[:needed]] + [(0, _one(child)) for child in rest[needed : 2 * needed]]
    first = second = 0
    for a, b in halves:
        first, second = first | a, second | b
    return first, second
