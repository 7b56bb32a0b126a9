"""The definitions that federated voting rests on, literally and slowly, to judge the code that computes them quickly.

Slices, v-blocking sets and quorums are those of the SCP white paper, sections 3 and 5; what a statement says is the
table of the Internet-Draft, section 3. Nothing here comes from the code that is judged but the statements' types.
"""

from collections.abc import Callable, Mapping
from itertools import combinations

from coordinator.voting import INFINITY, Ballot, BallotStatement, Confirm, Externalize, Prepare, QuorumSet

JUDGED_MAX = 12  # senders of whom all subsets can be gone through


def has_slice(quorum_set: QuorumSet, nodes: frozenset[bytes]) -> bool:
    """Whether `nodes` hold one of the set's slices."""
    held = [node in nodes for node in quorum_set.validators]
    held += [has_slice(inner, nodes) for inner in quorum_set.inner]
    return held.count(True) >= quorum_set.threshold


class Federation:
    """Questions about everybody's slices, each answered once by going through all subsets."""

    def __init__(self, quorum_sets: Mapping[bytes, QuorumSet]) -> None:
        """They are known by their digests."""
        self._sets = dict(quorum_sets)
        self._quorums: dict[tuple[bytes, frozenset[tuple[bytes, bytes]]], bool] = {}

    def know(self, quorum_set: QuorumSet) -> bytes:
        """Its digest, by which it is known from now on."""
        digest = quorum_set.digest()
        self._sets[digest] = quorum_set
        return digest

    def blocks(self, own: bytes, nodes: frozenset[bytes]) -> bool:
        """Whether `nodes` meet every slice of the set `own`: none is left among the others."""
        quorum_set = self._sets[own]
        return not has_slice(quorum_set, frozenset(quorum_set.members()) - nodes)

    def has_quorum(self, own: bytes, senders: Mapping[bytes, bytes | None]) -> bool:
        """Whether some of the senders are a quorum that holds a slice of the set `own`.

        `senders` gives the digest of the quorum set that each named; None is one that has decided, whose only slice is
        itself. One whose set is not known is no member of any quorum.
        """
        key = own, frozenset((node, digest or b"") for node, digest in senders.items())
        found = self._quorums.get(key)
        if found is None:
            found = self._quorums[key] = self._search(own, senders)
        return found

    def _search(self, own: bytes, senders: Mapping[bytes, bytes | None]) -> bool:
        known = [node for node in sorted(senders) if senders[node] is None or senders[node] in self._sets]
        assert len(known) <= JUDGED_MAX, "too many to go through all subsets"
        for size in range(len(known), 0, -1):
            for chosen in combinations(known, size):
                nodes = frozenset(chosen)
                if has_slice(self._sets[own], nodes) and all(self._is_content(senders[node], nodes) for node in chosen):
                    return True
        return False

    def _is_content(self, digest: bytes | None, nodes: frozenset[bytes]) -> bool:
        return digest is None or has_slice(self._sets[digest], nodes)


def below(low: Ballot, high: Ballot | None) -> bool:
    """low ≲ high: the same value, and no higher counter."""
    return high is not None and low.value == high.value and low.counter <= high.counter


def votes_prepared(said: BallotStatement, ballot: Ballot) -> bool:
    match said:
        case Prepare():
            return below(ballot, said.ballot)
        case Confirm():
            return said.ballot.value == ballot.value
        case Externalize():
            return said.commit.value == ballot.value


def accepts_prepared(said: BallotStatement, ballot: Ballot) -> bool:
    match said:
        case Prepare():
            return below(ballot, said.prepared) or below(ballot, said.prepared_prime)
        case Confirm():
            return said.ballot.value == ballot.value and ballot.counter <= said.n_p
        case Externalize():
            return said.commit.value == ballot.value


def votes_committed(said: BallotStatement, ballot: Ballot) -> bool:
    match said:
        case Prepare():
            return said.ballot.value == ballot.value and said.n_c > 0 and said.n_c <= ballot.counter <= said.n_h
        case Confirm():
            return said.ballot.value == ballot.value and said.n_c <= ballot.counter
        case Externalize():
            return said.commit.value == ballot.value and said.commit.counter <= ballot.counter


def accepts_committed(said: BallotStatement, ballot: Ballot) -> bool:
    match said:
        case Prepare():
            return False
        case Confirm():
            return said.ballot.value == ballot.value and said.n_c <= ballot.counter <= said.n_h
        case Externalize():
            return said.commit.value == ballot.value and said.commit.counter <= ballot.counter


def counter_of(said: BallotStatement) -> int:
    """That the sender works at; one that has decided is beyond all."""
    return INFINITY if isinstance(said, Externalize) else said.ballot.counter


def named_counters(said: BallotStatement, value: bytes) -> tuple[int, ...]:
    """Counters at which something that it says about this value begins or ends."""
    match said:
        case Prepare():
            ballots = [x for x in (said.ballot, said.prepared, said.prepared_prime) if x is not None]
            named = [x.counter for x in ballots if x.value == value]
            return (*named, said.n_c, said.n_h) if said.ballot.value == value else tuple(named)
        case Confirm():
            return (said.ballot.counter, said.n_p, said.n_c, said.n_h) if said.ballot.value == value else ()
        case Externalize():
            return (said.commit.counter, said.n_h, INFINITY) if said.commit.value == value else ()


BallotTest = Callable[[BallotStatement, Ballot], bool]
