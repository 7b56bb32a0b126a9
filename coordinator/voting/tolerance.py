"""How many nodes of a network may lie before others can disagree, and how many may crash before nothing is decided.

Faults are weighed for the core: the one component that holds quorums. Who only looks on risks nobody but itself. A
node that lies agrees with everything, so it is deleted: gone, and every set that names it asks for one less (DSets, SCP
white paper, section 3). A node that crashed agrees with nothing.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from coordinator.voting.components import with_quorums
from coordinator.voting.gates import Budget, Gate, Gates, OutOfSteps, bits, numbered
from coordinator.voting.intersection import STEPS_MAX, find_split, named
from coordinator.voting.quorum import QuorumSet
from coordinator.voting.twins import twins


@dataclass(frozen=True, slots=True)
class Tolerated:
    """Any `count` nodes may fail so; -1 where all is broken with nobody at fault.

    `breaking` is a smallest set that breaks it, or None: where the work ran out, so that not even `count` is `exact`
    and more may be tolerated; or where no set does, and `count` is all of the core.
    """

    count: int
    breaking: tuple[bytes, ...] | None
    exact: bool


@dataclass(frozen=True, slots=True)
class Critical:
    """The groups that, lying all together, let others disagree; and those not checked before the work ran out."""

    groups: tuple[str, ...]
    unchecked: tuple[str, ...]


def tolerated_lies(sets: Mapping[bytes, QuorumSet], steps_max: int = STEPS_MAX) -> Tolerated:
    """How many of the core may lie, with every two quorums of the others still sharing one of these."""
    (ids, gates), budget = numbered(sets), Budget(steps_max)
    try:
        holding = with_quorums(gates, budget)
    except OutOfSteps:
        return Tolerated(-1, None, exact=False)
    if len(holding) != 1:
        return Tolerated(-1, (), exact=True) if holding else Tolerated(0, None, exact=True)
    core = gates.within(holding[0][0])
    size = core.nodes.bit_count()
    if (gate := _shared(core)) is not None:
        liars = _fewest_to_split(gate, core.nodes)
        if size - liars.bit_count() < 2:
            return Tolerated(size, None, exact=True)  # One alone is left; it disagrees with nobody.
        return Tolerated(liars.bit_count() - 1, named(ids, liars), exact=True)
    return _deepened(
        size, ids, lambda count: _first(_choices(core, count), lambda f: find_split(core.without(f), budget))
    )


def tolerated_crashes(sets: Mapping[bytes, QuorumSet], steps_max: int = STEPS_MAX) -> Tolerated:
    """How many nodes may be down with a quorum still left among the others."""
    (ids, gates), budget = numbered(sets), Budget(steps_max)
    try:
        everybody = gates.greatest_quorum(gates.nodes, budget)
        able = gates.within(everybody)
        if everybody and (gate := _shared(able)) is not None:
            return _exactly(ids, _fewest_to_stop(gate, everybody))
    except OutOfSteps:
        return Tolerated(-1, None, exact=False)
    return _deepened(everybody.bit_count(), ids, lambda count: _stopping(able, count, budget))


def critical_groups(
    sets: Mapping[bytes, QuorumSet], groups: Mapping[str, Collection[bytes]], steps_max: int = STEPS_MAX
) -> Critical:
    """Which groups, for example single nodes or organizations, break intersection if all their members lie."""
    (ids, gates), budget = numbered(sets), Budget(steps_max)
    found: list[str] = []
    names, checked = sorted(groups), 0
    try:
        holding = with_quorums(gates, budget)
        core = gates.within(holding[0][0]) if len(holding) == 1 else gates
        classes = sorted(set(twins(core).values()))
        known: dict[tuple[int, ...], bool] = {}  # by how many of each class lie, as twins can stand for each other
        for name in names:
            liars = sum(1 << n for n, node in enumerate(ids) if node in groups[name])
            counts = tuple((liars & alike).bit_count() for alike in classes)
            if counts not in known:
                known[counts] = find_split(core.without(liars), budget) is not None
            found += [name] if known[counts] else []
            checked += 1
    except OutOfSteps:
        pass
    return Critical(tuple(found), tuple(names[checked:]))


def _exactly(ids: tuple[bytes, ...], breaking: int) -> Tolerated:
    return Tolerated(breaking.bit_count() - 1, named(ids, breaking), exact=True)


def _deepened(size: int, ids: tuple[bytes, ...], find: Callable[[int], int | None]) -> Tolerated:
    """The smallest breaking set: `find` looks among those of a given size, and raises OutOfSteps."""
    for count in range(size + 1):
        try:
            found = find(count)
        except OutOfSteps:
            return Tolerated(count - 1, None, exact=False)
        if found is not None:
            return _exactly(ids, found)
    return Tolerated(size, None, exact=True)


def _first(choices: Iterator[int], breaks: Callable[[int], object]) -> int | None:
    return next((faulty for faulty in choices if breaks(faulty) is not None), None)


def _choices(gates: Gates, count: int) -> Iterator[int]:
    """Every set of so many nodes, but of those that differ only by twins one."""
    classes = list(dict.fromkeys(twins(gates).values()))

    def choose(at: int, left: int) -> Iterator[int]:
        if left == 0:
            yield 0
            return
        if at == len(classes):
            return
        taken = 0
        members = bits(classes[at])
        for number in range(left + 1):
            for rest in choose(at + 1, left - number):
                yield taken | rest
            node = next(members, 0)
            if not node:
                return
            taken |= node

    return choose(0, count)


def _stopping(gates: Gates, count: int, budget: Budget) -> int | None:
    """So many nodes at most that are in every quorum: at least one of each quorum that is left has to crash."""
    alike = twins(gates)
    stack = [(0, 0)]  # who crashed, and who will not
    while stack:
        crashed, safe = stack.pop()
        left = gates.greatest_quorum(gates.nodes & ~crashed, budget)
        if not left:
            return crashed
        if crashed.bit_count() == count or gates.greatest_quorum(safe, budget):
            continue
        for node in bits(gates.smallest_within(left, budget)):
            if not node & safe:
                stack.append((crashed | node, safe))
                safe |= alike[node] & ~crashed  # Whatever follows crashes no more of this kind.
    return None


def _shared(gates: Gates) -> Gate | None:
    """The one gate that all have, if they do and it names each once."""
    (gate, _), *others = gates.by_gate
    return gate if not others and sum(map(int.bit_count, gate.places())) == gate.names.bit_count() else None


def _fewest_to_split(gate: Gate, nodes: int) -> int:
    """Fewest liars with whom two sets that share no honest node both meet the gate, as all have this one.

    Of m entries that can be met, t each, 2t - m must serve both sides: a node by lying, a set by being split itself.
    """
    parts = [*bits(gate.members), *(_fewest_to_split(inner, nodes) for inner in gate.inner if inner.is_met(nodes))]
    return _cheapest(parts, 2 * gate.threshold - len(parts))


def _fewest_to_stop(gate: Gate, nodes: int) -> int:
    """Fewest crashes after which the gate is not met: of m entries that can be, m - t + 1."""
    parts = [*bits(gate.members), *(_fewest_to_stop(inner, nodes) for inner in gate.inner if inner.is_met(nodes))]
    return _cheapest(parts, len(parts) - gate.threshold + 1)


def _cheapest(parts: list[int], count: int) -> int:
    found = 0
    for part in sorted(parts, key=int.bit_count)[: max(0, count)]:
        found |= part
    return found
