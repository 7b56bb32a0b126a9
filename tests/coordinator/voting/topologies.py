"""Networks to check: random small ones, and organizations that name each other, as in stellar-core's own tests."""

import itertools
import random
from collections.abc import Collection, Mapping, Sequence

from coordinator.voting import QuorumSet, byzantine_threshold

Network = dict[bytes, QuorumSet]


def seats(organization: int, size: int) -> tuple[bytes, ...]:
    return tuple(b"%02d-%d" % (organization, seat) for seat in range(size))


def two_tier(organizations: int, size: int, threshold: int | None = None, inner: int | None = None) -> Network:
    """All need `threshold` of the organizations, each by `inner` of its seats; a majority of them by default."""
    parts = [seats(n, size) for n in range(organizations)]
    sets = tuple(QuorumSet(inner or size // 2 + 1, part) for part in parts)
    shared = QuorumSet(threshold or byzantine_threshold(organizations), (), sets)
    return {node: shared for part in parts for node in part}


def linked(sizes: Sequence[int], links: Collection[tuple[int, int]], percent: int = 67) -> Network:
    """Each names its own seats, and of every organization that its own is linked to, one way, a majority."""
    network: Network = {}
    for here, size in enumerate(sizes):
        others = tuple(
            QuorumSet(sizes[j] // 2 + 1, seats(j, sizes[j])) for j in range(len(sizes)) if (here, j) in links
        )
        threshold = -(-(size + len(others)) * percent // 100)
        network |= dict.fromkeys(seats(here, size), QuorumSet(threshold, seats(here, size), others))
    return network


def both_ways(*links: tuple[int, int]) -> list[tuple[int, int]]:
    return [*links, *((b, a) for a, b in links)]


def self_first(size: int, threshold: int) -> Network:
    """Each needs itself and so many of the others that it makes `threshold` together."""
    ids = [b"%02d" % n for n in range(size)]
    return {
        node: QuorumSet(2, (node,), (QuorumSet(threshold - 1, tuple(n for n in ids if n != node)),)) for node in ids
    }


def acquainted(organizations: int, size: int, seed: int) -> Network:
    """Each organization trusts itself and some others that chance picked: no symmetry between them."""
    rng = random.Random(seed)
    parts = [seats(n, size) for n in range(organizations)]
    sets = [QuorumSet(size // 2 + 1, part) for part in parts]
    network: Network = {}
    for here, part in enumerate(parts):
        known = sorted({here, *rng.sample(range(organizations), rng.randint(organizations // 2, organizations))})
        shared = QuorumSet(byzantine_threshold(len(known)), (), tuple(sets[n] for n in known))
        network |= dict.fromkeys(part, shared)
    return network


def small(seed: int) -> Network:
    """Up to seven nodes: sets of their own, shared, by organization, or each itself first; some name a stranger."""
    rng = random.Random(seed)
    ids = [b"%c" % (97 + n) for n in range(rng.randint(1, 7))]
    named = ids + [b"stranger"] * (rng.random() < 0.2)
    match rng.randrange(5):
        case 0:
            return dict.fromkeys(ids, _any_set(rng, named))
        case 1:
            pool = [_any_set(rng, named) for _ in range(2)]
            return {node: rng.choice(pool) for node in ids}
        case 2:
            cuts = sorted(rng.sample(range(len(ids) + 1), min(len(ids), rng.randint(0, 3))))
            parts = [ids[a:b] for a, b in itertools.pairwise([0, *cuts, len(ids)]) if a < b]
            sets = tuple(QuorumSet(rng.randint(1, len(part)), tuple(part)) for part in parts)
            return {n: q for p in parts for q in [QuorumSet(rng.randint(1, len(sets)), (), sets)] for n in p}
        case 3:
            threshold = rng.randint(1, len(ids))
            return {n: QuorumSet(2, (n,), (QuorumSet(threshold, tuple(ids)),)) for n in ids}
        case _:
            return {node: _any_set(rng, named) for node in ids}


def _any_set(rng: random.Random, nodes: Sequence[bytes], depth: int = 0) -> QuorumSet:
    chosen = rng.sample(nodes, rng.randint(1, len(nodes)))
    inner: list[QuorumSet] = []
    if depth < 2 and len(chosen) > 2 and rng.random() < 0.6:
        cut = rng.randint(1, len(chosen) - 1)
        chosen, rest = chosen[:cut], chosen[cut:]
        halves = [rest[: len(rest) // 2], rest[len(rest) // 2 :]] if len(rest) > 3 else [rest]
        inner = [_any_set(rng, half, depth + 1) for half in halves]
    if depth == 0 and len(nodes) > 1 and rng.random() < 0.1:
        inner.append(QuorumSet(2, tuple(rng.sample(nodes, 2))))  # may name a node a second time
    entries = len(chosen) + len(inner)
    return QuorumSet(rng.choice([entries // 2 + 1, rng.randint(1, entries)]), tuple(chosen), tuple(inner))


# The definitions, over all subsets.


def subsets(nodes: Collection[bytes]) -> list[frozenset[bytes]]:
    return [frozenset(c) for size in range(len(nodes) + 1) for c in itertools.combinations(sorted(nodes), size)]


def is_met(quorum_set: QuorumSet, nodes: Collection[bytes]) -> bool:
    return (
        sum(v in nodes for v in quorum_set.validators) + sum(is_met(inner, nodes) for inner in quorum_set.inner)
        >= quorum_set.threshold
    )


def quorums(network: Mapping[bytes, QuorumSet], liars: frozenset[bytes] = frozenset()) -> list[frozenset[bytes]]:
    """Of those that do not lie, with the liars agreeing to anything."""
    honest = subsets(network.keys() - liars)
    return [found for found in honest if found and all(is_met(network[node], found | liars) for node in found)]


def is_split(network: Mapping[bytes, QuorumSet], liars: frozenset[bytes] = frozenset()) -> bool:
    return any(not a & b for a, b in itertools.combinations(quorums(network, liars), 2))


def cores(network: Network) -> list[frozenset[bytes]]:
    """The components, of nodes that name each other over any number of steps, that hold a quorum."""
    reach = {node: {node} for node in network}
    for _ in network:
        for node in network:
            reach[node] |= {named for via in sorted(reach[node]) for named in network[via].walk() if named in network}
    components = {frozenset(m for m in reach[node] if node in reach[m]) for node in network}
    found = quorums(network)
    return [part for part in sorted(components, key=sorted) if any(quorum <= part for quorum in found)]
