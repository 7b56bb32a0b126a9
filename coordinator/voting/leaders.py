"""Who leads a round of nomination: chosen by hash, weighted by share of slices (SCP white paper, section 6.1)."""

import hashlib
from collections.abc import Callable

from coordinator.voting.quorum import QuorumSet

U64_MAX = 2**64 - 1
ROUNDS_SKIPPED_MAX = 1_000  # rounds that add nobody are passed over at once; a bound in case no weight is ever met

TAG_NEIGHBOR = 1
TAG_PRIORITY = 2
TAG_VALUE = 3


def hash_priority(previous: bytes, slot: int, tag: int, round: int, data: bytes) -> int:  # noqa: A002
    """G: the first 8 bytes of SHA-256 over slot, previous decision, tag, round and data.

    The previous decision makes the leaders of a slot unknown until that decision is made.
    """
    framed = slot.to_bytes(8, "big") + len(previous).to_bytes(4, "big") + previous
    packed = framed + tag.to_bytes(4, "big") + round.to_bytes(4, "big") + data
    return int.from_bytes(hashlib.sha256(packed).digest()[:8], "big")


def slice_weight(node: bytes, quorum_set: QuorumSet) -> int:
    """The share of the set's slices that contain `node`, out of 2^64 - 1, rounded up; 0 where it is no member."""
    if node in quorum_set.validators:
        return _share(U64_MAX, quorum_set)
    for inner in quorum_set.inner:
        weight = slice_weight(node, inner)
        if weight > 0:
            return _share(weight, quorum_set)
    return 0


class Lottery:
    """The draw of round leaders as one node sees it.

    Over the node itself, always with full weight, and the members of its quorum set without itself: it is not its own
    peer, and a set that always includes it would otherwise favor nobody else fairly.
    """

    def __init__(
        self,
        node: bytes,
        quorum_set: QuorumSet,
        weight: Callable[[bytes, QuorumSet], int],
        priority: Callable[[int, int, bytes], int],
    ) -> None:
        self._node = node
        self._peers_set = quorum_set.without(node)
        self._weight = weight
        self._priority = priority  # of (tag, round, data)

    def advance(self, round_before: int, leaders: frozenset[bytes]) -> tuple[int, frozenset[bytes]]:
        """The next round that brings a new leader, and all leaders so far.

        A round whose winners lead already would only repeat the last one after a timeout, so it is passed over, unless
        everybody who can lead does.
        """
        weights = {m: self._weight(m, self._peers_set) for m in self._peers_set.members()}
        weights[self._node] = U64_MAX
        everybody = frozenset(m for m in sorted(weights) if weights[m] > 0)
        round_now = round_before
        for _ in range(ROUNDS_SKIPPED_MAX):
            round_now += 1
            grown = leaders | self._winners(round_now, weights)
            if grown != leaders or leaders >= everybody:
                return round_now, grown
        return round_now, leaders

    def _winners(self, round_now: int, weights: dict[bytes, int]) -> frozenset[bytes]:
        """The neighbors with the highest priority; nobody where all have priority 0."""
        best, winners = 0, []
        for member in sorted(weights):
            weight = weights[member]
            if weight == 0 or self._priority(TAG_NEIGHBOR, round_now, member) > weight:
                continue
            priority = self._priority(TAG_PRIORITY, round_now, member)
            if priority > best:
                best, winners = priority, [member]
            elif priority == best and priority > 0:
                winners.append(member)
        return frozenset(winners)


def _share(weight: int, quorum_set: QuorumSet) -> int:
    return -(-weight * quorum_set.threshold // quorum_set.entries)
