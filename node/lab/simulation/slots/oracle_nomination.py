"""A slow judge of one node's nomination in one slot: what it votes for, accepts and confirms."""

from coordinator.voting import Nominate
from node.lab.simulation.outcome import Violated
from node.lab.simulation.slots.definitions import Federation
from node.lab.simulation.slots.facts import Stand
from node.lab.simulation.slots.letters import SPOILED


class NominationJudge:
    def __init__(self, node: bytes, quorum_set: bytes, federation: Federation, *, voting: bool) -> None:
        self._node, self._set, self._voting = node, quorum_set, voting
        self._federation = federation
        self._heard: dict[bytes, Nominate] = {}
        self._proposals: set[bytes] = set()

    def proposes(self, value: bytes) -> None:
        self._proposals.add(value)

    def hears(self, statement: Nominate) -> None:
        self._heard[statement.node] = statement

    def step(self, before: Stand, after: Stand) -> None:
        """Raises Violated for the first vote, acceptance or candidate that nothing justifies."""
        for value in sorted(after.voted - before.voted - after.accepted):
            named = any(
                any(value in (v, v.replace(SPOILED, b"")) for v in (*said.votes, *said.accepted))
                for said in self._heard.values()
            )
            if not named and value not in self._proposals:
                self._fail("nominate vote", value, before, after)
            if before.candidates:
                self._fail("nominate vote after a candidate", value, before, after)
        for value in sorted(after.accepted - before.accepted):
            accepting = {n: s for n, s in self._heard.items() if value in s.accepted}
            either = {n: s for n, s in self._heard.items() if value in s.accepted or value in s.votes}
            # It votes for what a leader nominates in the same step in which it may accept that.
            chosen = value in self._proposals or any(
                value in s.votes or value in s.accepted for s in self._led_by(after)
            )
            votes = value in before.voted or (chosen and value in after.voted)
            if not (
                self._federation.blocks(self._set, frozenset(accepting))
                or self._federation.has_quorum(self._set, self._naming(either, votes))
            ):
                self._fail("nominate accept", value, before, after)
        for value in sorted(after.candidates - before.candidates):
            accepting = {n: s for n, s in self._heard.items() if value in s.accepted}
            if not self._federation.has_quorum(self._set, self._naming(accepting, value in after.accepted)):
                self._fail("nominate confirm", value, before, after)

    def _led_by(self, after: Stand) -> list[Nominate]:
        return [self._heard[node] for node in after.leaders if node in self._heard]

    def _naming(self, said: dict[bytes, Nominate], itself: bool) -> dict[bytes, bytes | None]:
        senders: dict[bytes, bytes | None] = {node: statement.quorum_set for node, statement in said.items()}
        if itself and self._voting:
            senders[self._node] = self._set
        return senders

    def _fail(self, step: str, value: bytes, before: Stand, after: Stand) -> None:
        heard = "; ".join(str(self._heard[node]) for node in sorted(self._heard))
        raise Violated("justified", f"{step}: {self._node!r} {value!r}, from {before} to {after}, having heard {heard}")
