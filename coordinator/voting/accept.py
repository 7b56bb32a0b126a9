"""Federated accept and confirm: the two predicates that all voting rests on (SCP white paper, section 5)."""

from collections.abc import Callable, Collection, Hashable, Iterator
from typing import Generic, TypeVar

from coordinator.voting.gates import Gate, gate_of
from coordinator.voting.quorum import QuorumSet
from coordinator.voting.statement import Confirm, Externalize, Nominate, Prepare, Statement

S = TypeVar("S", bound=Statement)

SENDERS_MAX = 1_000  # as many as a quorum set may name; a stranger's statement beyond them is not kept


class Votes(Generic[S]):
    """M: the newest statement of each sender in one protocol, and what the node may conclude from them.

    `lookup` gives the quorum set for a digest, or None while it is not known. A node's own statement is in M like
    anybody's, once it is recorded.

    Members mostly say the same, and what a statement says does not hang on who says it. So senders are kept as one bit
    each, together with those that say the same, and each question is asked once per different statement.
    """

    def __init__(self, own: QuorumSet, lookup: Callable[[bytes], QuorumSet | None]) -> None:
        self.latest: dict[bytes, S] = {}
        self._lookup = lookup
        self._bits = {node: 1 << number for number, node in enumerate(own.members())}
        self._own = gate_of(own, self._bits)
        self._gates: dict[bytes, Gate] = {}  # by digest
        self._saying: dict[Hashable, tuple[S, int]] = {}  # by what is said: one who says it, and all who do

    def __iter__(self) -> Iterator[S]:
        """The statements by sender, ascending, as they stand now."""
        return iter([self.latest[node] for node in sorted(self.latest)])

    def different(self) -> Collection[S]:
        """One of each kind of statement that stands now: of those that differ in nothing but their sender, any."""
        return [statement for statement, _ in self._saying.values()]

    def record(self, statement: S) -> None:
        node = statement.node
        bit = self._bits.get(node)
        if bit is None:
            bit = self._bits[node] = 1 << len(self._bits)
            self._gates.clear()  # They were made without it.
        old = self.latest.get(node)
        if old is not None:
            said = _what(old)
            one, all_ = self._saying[said]
            if all_ == bit:
                del self._saying[said]
            else:
                self._saying[said] = one, all_ ^ bit
        self.latest[node] = statement
        said = _what(statement)
        one, all_ = self._saying.get(said, (statement, 0))
        self._saying[said] = one, all_ | bit

    def has_room(self, node: bytes) -> bool:
        return node in self.latest or len(self.latest) < SENDERS_MAX

    def blocking(self, said: Callable[[S], bool]) -> bool:
        """Whether those of whom `said` holds are v-blocking for this node."""
        found = 0
        for statement, senders in self._saying.values():
            if said(statement):
                found |= senders
        return found != 0 and self._own.is_blocked(found)

    def quorum(self, said: Callable[[S], bool]) -> bool:
        """Whether those of whom `said` holds are a quorum with a slice of this node's.

        Each counts with the quorum set that its statement names, not with one configured here. A sender whose set is
        not known yet cannot count. One that has decided waits for nobody, so its vote hangs on no slice. Senders whose
        slices are not among the others drop out until nobody does; what is left is the greatest quorum among them.
        """
        counted = [(statement, senders) for statement, senders in self._saying.values() if said(statement)]
        found = 0
        for _, senders in counted:
            found |= senders
        if not self._own.is_met(found):
            return False  # The usual case, and cheap to see.
        bound: dict[bytes, int] = {}  # by digest, those that count only with a slice
        for statement, senders in counted:
            if not isinstance(statement, Externalize):
                bound[statement.quorum_set] = bound.get(statement.quorum_set, 0) | senders
        dropped = True
        while dropped:
            dropped = False
            for digest, senders in bound.items():
                here = found & senders
                if here and not self._has_slice(digest, found):
                    found ^= here
                    dropped = True
            if dropped and not self._own.is_met(found):
                return False
        return True

    def accept(self, voted: Callable[[S], bool], accepted: Callable[[S], bool]) -> bool:
        """A v-blocking set accepts, or a quorum votes or accepts."""
        return self.blocking(accepted) or self.quorum(lambda s: voted(s) or accepted(s))

    def confirm(self, accepted: Callable[[S], bool]) -> bool:
        """A quorum accepts."""
        return self.quorum(accepted)

    def _has_slice(self, digest: bytes, senders: int) -> bool:
        gate = self._gates.get(digest)
        if gate is None:
            quorum_set = self._lookup(digest)
            if quorum_set is None:
                return False
            gate = self._gates[digest] = gate_of(quorum_set, self._bits)
        return gate.is_met(senders)


def _what(statement: Statement) -> Hashable:
    """All of a statement but who says it; flat, as it is hashed for every statement that comes."""
    match statement:
        case Prepare(ballot=b, prepared=p, prepared_prime=q):
            ballots = (b.counter, b.value, *((p.counter, p.value) if p else (0, b"")))
            primed = (q.counter, q.value) if q else (0, b"")
            return Prepare, statement.quorum_set, *ballots, *primed, statement.n_c, statement.n_h
        case Confirm(ballot=b):
            return Confirm, statement.quorum_set, b.counter, b.value, statement.n_p, statement.n_c, statement.n_h
        case Externalize(commit=c):
            return Externalize, statement.quorum_set, c.counter, c.value, statement.n_h
        case Nominate():
            return Nominate, statement.quorum_set, statement.votes, statement.accepted
