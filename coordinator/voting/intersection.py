"""Whether every two quorums of a network share a node, without which two parts of it may decide differently.

Exact, by branch and bound over minimal quorums (Lachowski, arXiv 1902.06493), on as few voters as the network's
symmetry allows; or unknown, once a given amount of work is spent. Meant for a process of its own, never for a node's
loop.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from coordinator.voting.components import with_quorums
from coordinator.voting.entities import contracted
from coordinator.voting.gates import Budget, Gates, OutOfSteps, bits, numbered
from coordinator.voting.quorum import QuorumSet
from coordinator.voting.twins import twins

STEPS_MAX = 1_000_000  # some minutes; a network of a few dozen alike organizations needs some hundred


class Verdict(Enum):
    INTERSECTS = "intersects"
    SPLIT = "split"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Intersection:
    """The answer. `quorums` are two disjoint minimal ones where the verdict is SPLIT.

    `core` is the one component of nodes that reach each other and holds quorums: who counts. It is empty where there is
    no quorum at all, in which case nothing can be split, and nothing decided; and where several components hold one.
    """

    verdict: Verdict
    core: tuple[bytes, ...]
    has_quorum: bool
    quorums: tuple[tuple[bytes, ...], tuple[bytes, ...]] | None
    steps: int


def check_intersection(sets: Mapping[bytes, QuorumSet], steps_max: int = STEPS_MAX) -> Intersection:
    """Check the network in which each node has this quorum set; a node without a known one is in no quorum.

    Raises:
        ValueError: a threshold below 1.
    """
    ids, gates = numbered(sets)
    budget = Budget(steps_max)
    core: tuple[bytes, ...] = ()
    has_quorum = False
    try:
        holding = with_quorums(gates, budget)
        core = named(ids, holding[0][0]) if len(holding) == 1 else ()
        has_quorum = bool(holding)
        found = find_split(gates, budget)
    except OutOfSteps:
        return Intersection(Verdict.UNKNOWN, core, has_quorum, None, budget.used)
    if found is None:
        return Intersection(Verdict.INTERSECTS, core, has_quorum, None, budget.used)
    # Minimal quorums are what a person wants to see, and cheap: a step for each node, whatever is left to spend.
    unbound = Budget(2 * len(ids))
    one, other = (named(ids, gates.smallest_within(quorum, unbound)) for quorum in found)
    return Intersection(Verdict.SPLIT, core, has_quorum, (one, other), budget.used)


def find_split(gates: Gates, budget: Budget) -> tuple[int, int] | None:
    """Two disjoint quorums, or None where every two intersect. Raises OutOfSteps."""
    holding = [quorum for _, quorum in with_quorums(gates, budget)]
    if len(holding) > 1:
        return holding[0], holding[1]
    return _split_within(gates.within(holding[0]), budget) if holding else None


def named(ids: tuple[bytes, ...], nodes: int) -> tuple[bytes, ...]:
    return tuple(ids[bit.bit_length() - 1] for bit in bits(nodes))


def _split_within(gates: Gates, budget: Budget) -> tuple[int, int] | None:
    """Two disjoint quorums where all nodes together are one."""
    entities = contracted(gates)
    found = _search(entities.gates, entities.twofold, budget)
    return None if found is None else entities.nodes_of(*found)


def _search(gates: Gates, twofold: int, budget: Budget) -> tuple[int, int] | None:
    """Two quorums that share none but twofold nodes.

    Grows a set `chosen` that is to become the smaller of the two, out of `open_` nodes. It cannot be one if the others
    hold no quorum; if no quorum among chosen and open contains it; or if it is more than half of all.
    """
    everybody = gates.nodes
    half = (everybody & ~twofold).bit_count() // 2
    alike = twins(gates, twofold)
    names = {node: gate.names for gate, owners in gates.by_gate for node in bits(owners)}
    stack = [(0, everybody)]
    while stack:
        chosen, open_ = stack.pop()
        others = gates.greatest_quorum(everybody & ~(chosen & ~twofold), budget)
        if not others:
            continue
        quorum = gates.greatest_quorum(chosen, budget)
        if quorum:
            return quorum, others
        reach = gates.greatest_quorum(chosen | open_, budget)
        if not reach or chosen & ~reach or (chosen & ~twofold).bit_count() > half:
            continue
        open_ = reach & ~chosen
        node = _next(chosen, open_, names)
        # Without this node; and, as one of its twins could stand for it, without them.
        stack.append((chosen, open_ & ~alike[node]))
        stack.append((chosen | node, open_ & ~node))
    return None


def _next(chosen: int, open_: int, names: Mapping[int, int]) -> int:
    """The node that most of the open ones name, if possible one that a chosen node may still need."""
    needed = 0
    for node in bits(chosen):
        needed |= names[node]
    counts = dict.fromkeys(bits(open_ & needed or open_), 0)
    for node in bits(open_):
        for child in bits(names[node] & open_):
            if child in counts:
                counts[child] += 1
    return max(counts, key=lambda node: (counts[node], -node))
