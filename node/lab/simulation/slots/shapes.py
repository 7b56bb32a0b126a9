"""Quorum sets of many shapes for numbered nodes, each safe against the liars it is made for (or said to be unsafe)."""

from collections.abc import Callable, Mapping, Sequence

from coordinator.voting import QuorumSet, byzantine_threshold, is_quorum_slice
from node.lab.simulation.plan import Plan
from node.lab.simulation.streams import stream

SHAPES = ("same", "own", "organizations", "asymmetric", "tiers")
ASYMMETRIC_MAX = 12  # members up to which all subsets can be gone through
ORGANIZATIONS = 4
DRAWS_MAX = 200


def liars_max(shape: str, members: int) -> int:
    """How many members may lie, whoever they are, in a shape of this size."""
    if shape == "organizations":
        return 1 if members >= ORGANIZATIONS else 0
    return (_core(members) - 1) // 3 if shape == "tiers" else (members - 1) // 3


def quorum_sets(plan: Plan, ids: Sequence[bytes]) -> dict[bytes, QuorumSet]:
    """Each node's quorum set; `ids` are all nodes', the members' first. Who only watches has the first member's view.

    Raises:
        ValueError: there is no such shape, or not of this size.
    """
    members = tuple(ids[: plan.members])
    sets = _of_members(plan, members)
    for node in ids[plan.members :]:
        sets[node] = sets[members[0]]
    return sets


def _of_members(plan: Plan, members: tuple[bytes, ...]) -> dict[bytes, QuorumSet]:
    size = len(members)
    safe = byzantine_threshold(size)
    if plan.shape == "same":
        return dict.fromkeys(members, QuorumSet(plan.threshold or safe, members))
    if plan.shape == "own":
        # Itself, and so many of the others that it makes a safe threshold together.
        return {node: _with_itself(node, QuorumSet(safe - 1, _without(members, node))) for node in members}
    if plan.shape == "organizations":
        if size < ORGANIZATIONS:
            raise ValueError(f"{ORGANIZATIONS} organizations need as many members, not {size}")
        parts = [members[start::ORGANIZATIONS] for start in range(ORGANIZATIONS)]
        top = QuorumSet(3, (), tuple(QuorumSet(len(part) // 2 + 1, part) for part in parts)).normal()
        return dict.fromkeys(members, top)
    if plan.shape == "tiers":
        core = members[: _core(size)]
        top = QuorumSet(byzantine_threshold(len(core)), core)
        return {node: top if node in core else _with_itself(node, top) for node in members}
    if plan.shape == "asymmetric":
        return _asymmetric(plan, members)
    raise ValueError(f"no such shape: {plan.shape}; there are {', '.join(SHAPES)}")


def _core(size: int) -> int:
    """Members in the upper tier."""
    return max(min(4, size), size // 2)


def _with_itself(node: bytes, others: QuorumSet) -> QuorumSet:
    return QuorumSet(2, (node,), (others,)).normal()


def _without(members: tuple[bytes, ...], node: bytes) -> tuple[bytes, ...]:
    return tuple(member for member in members if member != node)


def _asymmetric(plan: Plan, members: tuple[bytes, ...]) -> dict[bytes, QuorumSet]:
    """Everyone trusts some of the others only; drawn until honest quorums meet and exist whatever the liars do."""
    if len(members) > ASYMMETRIC_MAX:
        raise ValueError(f"asymmetric shapes are checked by going through all subsets, of {ASYMMETRIC_MAX} at the most")
    rng = stream(plan.seed, "shape")
    liars = frozenset(members[liar.node] for liar in plan.liars if liar.node < len(members))
    for _ in range(DRAWS_MAX):
        sets = {}
        for node in members:
            others = _without(members, node)
            trusted = tuple(sorted(rng.sample(others, rng.randint((len(others) + 1) // 2, len(others)))))
            least = (len(trusted) + 1) // 2
            threshold = rng.randint(least, max(least, len(trusted) - len(liars)))
            sets[node] = _with_itself(node, QuorumSet(threshold, trusted))
        if is_safe(sets, liars):
            return sets
    return {
        node: _with_itself(node, QuorumSet(byzantine_threshold(len(members)) - 1, _without(members, node)))
        for node in members
    }


def is_safe(sets: dict[bytes, QuorumSet], liars: frozenset[bytes]) -> bool:
    """Whether any two quorums share an honest member, and the honest ones need no liar, by going through all subsets.

    Liars may stand in every quorum and name any slices, so they are taken out of everybody's: what they are asked for
    counts as given (SCP white paper, section 3.2, deletion).
    """
    honest = [node for node in sorted(sets) if node not in liars]
    everybody = (1 << len(honest)) - 1
    met = [_slice_test(sets[node], honest, liars) for node in honest]
    alone = [_slice_test(sets[node], honest, frozenset()) for node in honest]
    if greatest_quorum(everybody, alone) != everybody:
        return False
    for mask in range(1, everybody):
        if all(met[n](mask) for n in range(len(honest)) if mask >> n & 1):
            if greatest_quorum(everybody & ~mask, met):
                return False
    return True


def watching_set(quorum_set: QuorumSet, node: bytes) -> QuorumSet:
    """What convinces a member that only watches: its quorum set, without itself where this would wait for itself.

    It is safe, as whoever is in a quorum has others of its own quorum with it.
    """
    others = frozenset(quorum_set.members()) - {node}
    return quorum_set if is_quorum_slice(quorum_set, others) else quorum_set.without(node)


def can_decide(sets: Mapping[bytes, QuorumSet], voters: Sequence[bytes], own: QuorumSet) -> bool:
    """Whether the voters alone hold a quorum that contains a slice of `own`."""
    met = [_slice_test(sets[node], voters, frozenset()) for node in voters]
    quorum = greatest_quorum((1 << len(voters)) - 1, met)
    return quorum > 0 and _slice_test(own, voters, frozenset())(quorum)


def greatest_quorum(mask: int, met: Sequence[Callable[[int], bool]]) -> int:
    """The union of all quorums within `mask`, a set of numbers as bits; 0 where there is none."""
    while mask:
        kept = 0
        for n, test in enumerate(met):
            if mask >> n & 1 and test(mask):
                kept |= 1 << n
        if kept == mask:
            return mask
        mask = kept
    return 0


def _slice_test(quorum_set: QuorumSet, numbered: Sequence[bytes], granted: frozenset[bytes]) -> Callable[[int], bool]:
    """Whether a set of numbers, as bits, holds a slice, with `granted` in addition."""
    places = {node: 1 << n for n, node in enumerate(numbered)}
    mask = sum(places[node] for node in quorum_set.validators if node in places)
    threshold = quorum_set.threshold - sum(node in granted for node in quorum_set.validators)
    inner = [_slice_test(entry, numbered, granted) for entry in quorum_set.inner]
    if not inner:
        return lambda nodes: (nodes & mask).bit_count() >= threshold
    return lambda nodes: (nodes & mask).bit_count() + sum(test(nodes) for test in inner) >= threshold
