"""Quorum sets and the predicates over them: slice, v-blocking, quorum (SCP white paper, sections 3 and 4).

Quorum sets here follow stellar-core's `src/scp` in shape: a threshold over validators and inner sets.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass

from coordinator.voting.codec import Malformed, Reader, Writer

NODE_BYTES_MAX = 64  # an Ed25519 key is 32
MEMBERS_MAX = 1_000  # bounds every walk over a set; stellar-core's limit
NESTING_MAX = 4  # inner levels below the top; stellar-core's limit


@dataclass(frozen=True, slots=True)
class QuorumSet:
    """Any `threshold` of the entries, which are validators and inner sets, make a slice."""

    threshold: int
    validators: tuple[bytes, ...] = ()
    inner: tuple["QuorumSet", ...] = ()

    @property
    def entries(self) -> int:
        return len(self.validators) + len(self.inner)

    def walk(self) -> Iterator[bytes]:
        """Every validator in the tree, in the order written."""
        yield from self.validators
        for inner in self.inner:
            yield from inner.walk()

    def members(self) -> tuple[bytes, ...]:
        """Every validator in the tree once, sorted."""
        return tuple(sorted(set(self.walk())))

    def problem(self) -> str | None:
        """Why no statement may name this set, or None when it is sane."""
        return _shape_problem(self, 0) or _members_problem(list(self.walk()))

    def normal(self) -> "QuorumSet":
        """The one way to write this set: sorted, lone validators and lone inner sets lifted out of their wrapping."""
        validators = list(self.validators)
        inner: list[QuorumSet] = []
        for child in (entry.normal() for entry in self.inner):
            if child.threshold == 1 and len(child.validators) == 1 and not child.inner:
                validators.append(child.validators[0])
            else:
                inner.append(child)
        if self.threshold == 1 and not validators and len(inner) == 1:
            return inner[0]
        return QuorumSet(self.threshold, tuple(sorted(validators)), tuple(sorted(inner, key=_encode)))

    def without(self, node: bytes) -> "QuorumSet":
        """This set as `node` weighs its peers: itself removed, the threshold lowered by one where it sat; normal form.

        The threshold may become 0, so the result is for weights only, never for a statement.
        """
        kept = tuple(v for v in self.validators if v != node)
        threshold = max(0, self.threshold - (len(self.validators) - len(kept)))
        return QuorumSet(threshold, kept, tuple(inner.without(node) for inner in self.inner)).normal()

    def encode(self) -> bytes:
        """Canonical bytes of the normal form; the set must be sane."""
        assert self.problem() is None, self.problem()
        return _encode(self.normal())

    def digest(self) -> bytes:
        """SHA-256 over the canonical bytes, 32 bytes: how a statement names its sender's quorum set."""
        return hashlib.sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes) -> "QuorumSet":
        """The set in normal form. Raises Malformed unless `data` is the canonical encoding of a sane set."""
        reader = Reader(data)
        found = _decode(reader, 0)
        reader.end()
        problem = found.problem()
        if problem is not None:
            raise Malformed(problem)
        if found.normal() != found:
            raise Malformed("not in normal form")
        return found


def is_quorum_slice(quorum_set: QuorumSet, nodes: Set[bytes]) -> bool:
    """Whether `nodes` contain a slice of the set."""
    met = sum(v in nodes for v in quorum_set.validators)
    if met >= quorum_set.threshold:
        return True
    return met + sum(is_quorum_slice(inner, nodes) for inner in quorum_set.inner) >= quorum_set.threshold


def is_v_blocking(quorum_set: QuorumSet, nodes: Set[bytes]) -> bool:
    """Whether `nodes` meet every slice of the set, so that nothing can be decided without one of them.

    A threshold of 0 asks for nobody and cannot be blocked.
    """
    if quorum_set.threshold == 0:
        return False
    needed = quorum_set.entries - quorum_set.threshold + 1
    blocked = sum(v in nodes for v in quorum_set.validators)
    if blocked >= needed:
        return True
    return blocked + sum(is_v_blocking(inner, nodes) for inner in quorum_set.inner) >= needed


def is_quorum(own: QuorumSet, sets: Mapping[bytes, QuorumSet]) -> bool:
    """Whether the senders in `sets` hold a quorum that contains a slice of `own`.

    `sets` gives each sender's own quorum set, as its statement names it. Senders whose slices are not among the
    others drop out until nobody does; what is left is the greatest quorum among them.
    """
    nodes = frozenset(sets)
    while is_quorum_slice(own, nodes):
        kept = frozenset(n for n in nodes if is_quorum_slice(sets[n], nodes))
        if kept == nodes:
            return True
        nodes = kept
    return False


def byzantine_threshold(entries: int) -> int:
    """N - floor((N-1)/3): the least threshold under which a third of N equals may lie without splitting the rest.

    Source: Lamport, Shostak, Pease, The Byzantine Generals Problem (1982): n > 3f.
    """
    return entries - (entries - 1) // 3


def policy_problems(quorum_set: QuorumSet, node: bytes) -> list[str]:
    """What makes a sane set unwise for `node` to adopt; an operator may insist, a program should not."""
    found = []
    if node not in quorum_set.members():
        found.append("the node is not in its own quorum set; add it, or others can decide without what it accepted")
    least = byzantine_threshold(quorum_set.entries)
    if quorum_set.threshold < least:
        found.append(f"threshold {quorum_set.threshold} of {quorum_set.entries} is below {least}; two halves may split")
    found += [
        f"inner threshold {inner.threshold} of {inner.entries} is not more than half; its two halves may disagree"
        for inner in _inner_sets(quorum_set)
        if 2 * inner.threshold <= inner.entries
    ]
    if quorum_set.entries < 4:
        found.append(f"{quorum_set.entries} entries tolerate no faulty one; four is the least that does")
    return found


def _inner_sets(quorum_set: QuorumSet) -> Iterator[QuorumSet]:
    for inner in quorum_set.inner:
        yield inner
        yield from _inner_sets(inner)


def _shape_problem(quorum_set: QuorumSet, level: int) -> str | None:
    if level > NESTING_MAX:
        return f"inner sets nest deeper than {NESTING_MAX} levels"
    if not 1 <= quorum_set.threshold <= quorum_set.entries:
        return f"threshold {quorum_set.threshold} is not within 1 and {quorum_set.entries}, the number of entries"
    for inner in quorum_set.inner:
        problem = _shape_problem(inner, level + 1)
        if problem is not None:
            return problem
    return None


def _members_problem(members: Collection[bytes]) -> str | None:
    if not 1 <= len(members) <= MEMBERS_MAX:
        return f"{len(members)} members; 1 to {MEMBERS_MAX} are allowed"
    if len(set(members)) != len(members):
        return "a member stands in it twice"
    if not all(1 <= len(m) <= NODE_BYTES_MAX for m in members):
        return f"a member id is not within 1 and {NODE_BYTES_MAX} bytes"
    return None


def _encode(quorum_set: QuorumSet) -> bytes:
    out = Writer().uint(quorum_set.threshold, 2).uint(len(quorum_set.validators), 2)
    for validator in quorum_set.validators:
        out.blob(validator, 1)
    out.uint(len(quorum_set.inner), 2)
    for inner in quorum_set.inner:
        out.raw(_encode(inner))
    return out.done()


def _decode(reader: Reader, level: int) -> QuorumSet:
    if level > NESTING_MAX:
        raise Malformed(f"inner sets nest deeper than {NESTING_MAX} levels")
    threshold = reader.uint(2)
    validators = tuple(reader.blob(1, at_most=NODE_BYTES_MAX) for _ in range(reader.uint(2, at_most=MEMBERS_MAX)))
    inner = tuple(_decode(reader, level + 1) for _ in range(reader.uint(2, at_most=MEMBERS_MAX)))
    return QuorumSet(threshold, validators, inner)
