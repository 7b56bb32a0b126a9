"""Values of simulated slots: ascending letters that combine to their union, known to a node at once or only later."""

from collections.abc import Mapping, Sequence

from coordinator.voting import QuorumSet, Timer, Validity, growing_timeout_ms, hash_priority, slice_weight

TIMEOUT_STEP_MS = 500
TIMEOUT_MAX_MS = 8_000
SPOILED = b"!"
"""A value that holds this is invalid."""
_FIRST_LETTER = 0x61


def letter(number: int) -> bytes:
    """The node of this number proposes it."""
    return bytes([_FIRST_LETTER + number % (0x100 - _FIRST_LETTER)])


def union(values: Sequence[bytes]) -> bytes:
    return bytes(sorted(set(b"".join(values))))


class Hashes:
    """The hashes that all nodes compute alike, each computed once: it saves time and changes nothing."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, int, int, int, bytes], int] = {}
        self._slot = 0

    def priority(self, previous: bytes, slot: int, tag: int, round_: int, data: bytes) -> int:
        if slot > self._slot:  # Whoever is behind computes the old ones again.
            self._slot = slot
            self._known.clear()
        key = previous, slot, tag, round_, data
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = hash_priority(previous, slot, tag, round_, data)
        return found


class LetterDriver:
    """What one node knows of values in one slot. With `eager` it knows everything from the start.

    With `extracts`, the letters of an invalid value without what spoils it are a valid variation.
    """

    def __init__(
        self,
        previous: bytes,
        known_sets: Mapping[bytes, QuorumSet],
        weights: dict[bytes, int],
        hashes: Hashes,
        at_hand: set[bytes],
        *,
        eager: bool,
        extracts: bool,
    ) -> None:
        self.at_hand = at_hand
        """On disk, so that a restart finds them again."""
        self.wanted: list[bytes] = []
        """Values that were asked for and are not at hand, each once, in the order asked."""
        self._previous = previous
        self._sets = known_sets
        self._weights = weights
        self._hashes = hashes
        self._eager = eager
        self._extracts = extracts

    def learn(self, value: bytes) -> None:
        self.at_hand.add(value)

    def knows(self, value: bytes) -> bool:
        """Whether it would say that the value is valid, without asking for it."""
        return SPOILED not in value and (self._eager or value in self.at_hand)

    def validate(self, slot: int, value: bytes, nomination: bool) -> Validity:
        if self._eager or value in self.at_hand:
            return Validity.INVALID if SPOILED in value else Validity.FULL
        if value not in self.wanted:
            self.wanted.append(value)
        return Validity.MAYBE

    def extract_valid(self, slot: int, value: bytes) -> bytes | None:
        rest = value.replace(SPOILED, b"")
        if not self._extracts or not rest:
            return None
        self.at_hand.add(rest)
        return rest

    def combine(self, slot: int, values: Sequence[bytes]) -> bytes | None:
        if not self._eager and not self.at_hand.issuperset(values):
            return None
        made = union(values)
        self.at_hand.add(made)
        return made

    def quorum_set(self, digest: bytes) -> QuorumSet | None:
        return self._sets.get(digest)

    def weight(self, node: bytes, quorum_set: QuorumSet) -> int:
        weight = self._weights.get(node)  # The set is always the same: this node's, without itself.
        if weight is None:
            weight = self._weights[node] = slice_weight(node, quorum_set)
        return weight

    def priority(self, slot: int, tag: int, round: int, data: bytes) -> int:  # noqa: A002
        return self._hashes.priority(self._previous, slot, tag, round, data)

    def timeout_ms(self, timer: Timer, count: int) -> int:
        return growing_timeout_ms(count, TIMEOUT_STEP_MS, TIMEOUT_MAX_MS)
