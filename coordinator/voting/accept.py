"""Federated accept and confirm: the two predicates that all voting rests on (SCP white paper, section 5)."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from coordinator.voting.quorum import QuorumSet, is_quorum, is_v_blocking
from coordinator.voting.statement import Externalize, Statement

S = TypeVar("S", bound=Statement)

SENDERS_MAX = 1_000  # as many as a quorum set may name; a stranger's statement beyond them is not kept


class Votes(Generic[S]):
    """M: the newest statement of each sender in one protocol, and what the node may conclude from them.

    `lookup` gives the quorum set for a digest, or None while it is not known. A node's own statement is in M like
    anybody's, once it is recorded.
    """

    def __init__(self, own: QuorumSet, lookup: Callable[[bytes], QuorumSet | None]) -> None:
        self.latest: dict[bytes, S] = {}
        self._own = own
        self._lookup = lookup

    def __iter__(self) -> Iterator[S]:
        """The statements by sender, ascending, as they stand now."""
        return iter([self.latest[node] for node in sorted(self.latest)])

    def record(self, statement: S) -> None:
        self.latest[statement.node] = statement

    def has_room(self, node: bytes) -> bool:
        return node in self.latest or len(self.latest) < SENDERS_MAX

    def blocking(self, said: Callable[[S], bool]) -> bool:
        """Whether those of whom `said` holds are v-blocking for this node."""
        return is_v_blocking(self._own, frozenset(node for node, s in self.latest.items() if said(s)))

    def quorum(self, said: Callable[[S], bool]) -> bool:
        """Whether those of whom `said` holds are a quorum with a slice of this node's.

        Each counts with the quorum set that its statement names, not with one configured here. A sender whose set is
        not known yet cannot count.
        """
        sets: dict[bytes, QuorumSet] = {}
        for node, statement in self.latest.items():
            if said(statement) and (found := self._set_of(statement)) is not None:
                sets[node] = found
        return is_quorum(self._own, sets)

    def accept(self, voted: Callable[[S], bool], accepted: Callable[[S], bool]) -> bool:
        """A v-blocking set accepts, or a quorum votes or accepts."""
        return self.blocking(accepted) or self.quorum(lambda s: voted(s) or accepted(s))

    def confirm(self, accepted: Callable[[S], bool]) -> bool:
        """A quorum accepts."""
        return self.quorum(accepted)

    def _set_of(self, statement: S) -> QuorumSet | None:
        match statement:
            case Externalize(node=node):
                # It has decided and waits for nobody, so its vote no longer hangs on its slices.
                return QuorumSet(1, (node,))
            case _:
                return self._lookup(statement.quorum_set)
