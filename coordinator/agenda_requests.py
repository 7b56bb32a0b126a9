"""Which agendas a member lacks, whom it asks for each, and when it asks somebody else."""

from collections.abc import Mapping, Sequence, Set

from coordinator.effects import Effect, Send
from coordinator.messages import DIGESTS_MAX, Want
from coordinator.signed import Digest, NodeId

ASK_AGAIN_MS = 500
"""How long an agenda that was asked for may take before somebody else is asked."""


class AgendaRequests:
    """Asks one member at a time, each in turn: one that names an agenda and does not give it only costs its turn."""

    def __init__(self) -> None:
        self._asked: dict[Digest, tuple[int, int]] = {}
        """When last, and how often."""

    @property
    def wanted(self) -> Set[Digest]:
        return self._asked.keys()

    def forget(self) -> None:
        self._asked = {}

    def ask(self, lacking: Mapping[Digest, Sequence[NodeId]], now_ms: int) -> list[Effect]:
        """Ask for what is lacking, given with the members that may hold it. What is no longer lacking is forgotten."""
        before, self._asked = self._asked, {}
        asks: dict[NodeId, list[Digest]] = {}
        for value in sorted(lacking):
            at_ms, times = before.get(value, (now_ms - ASK_AGAIN_MS, 0))
            if now_ms >= at_ms + ASK_AGAIN_MS:
                members = lacking[value]
                asks.setdefault(members[times % len(members)], []).append(value)
                at_ms, times = now_ms, times + 1
            self._asked[value] = at_ms, times
        return [Send(member, Want(tuple(asks[member][:DIGESTS_MAX]))) for member in sorted(asks)]

    def next_deadline_ms(self) -> int | None:
        return min((at_ms + ASK_AGAIN_MS for at_ms, _ in self._asked.values()), default=None)
