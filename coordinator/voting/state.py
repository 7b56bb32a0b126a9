"""What a slot must find again after a restart, and its canonical bytes."""

from dataclasses import dataclass
from itertools import pairwise

from coordinator.voting.codec import Malformed, Reader, Writer
from coordinator.voting.quorum import MEMBERS_MAX, NODE_BYTES_MAX
from coordinator.voting.statement import VALUE_BYTES_MAX, BallotStatement, Nominate, decode, encode

STATEMENT_BYTES_MAX = 2 * 1024 * 1024  # two lists of 64 values of 8 KiB, and room for the rest
PREVIOUS_BYTES_MAX = 8 * 1024


@dataclass(frozen=True, slots=True)
class SlotState:
    """Written to disk with every Emit, before the statement is sent.

    The statements are the last ones emitted: what the node may never contradict. The rest keeps it from wasting time
    after a restart, or from voting for new values once it had a candidate.
    """

    node: bytes
    slot: int
    previous: bytes  # the decision before this slot, so that the state of another history is not taken for this one's
    nominate: Nominate | None = None
    ballot: BallotStatement | None = None
    round: int = 0
    leaders: tuple[bytes, ...] = ()
    candidate_seen: bool = False
    value_override: bytes | None = None

    def encode(self) -> bytes:
        out = Writer().blob(self.node, 1).uint(self.slot, 8).blob(self.previous, 2)
        for statement in (self.nominate, self.ballot):
            out.blob(encode(statement) if statement is not None else b"", 4)
        out.uint(self.round, 4).uint(len(self.leaders), 2)
        for leader in self.leaders:
            out.blob(leader, 1)
        return out.uint(self.candidate_seen, 1).blob(self.value_override or b"", 2).done()

    @classmethod
    def decode(cls, data: bytes) -> "SlotState":
        """Raises Malformed unless `data` is what `encode` gives for a state that can be."""
        reader = Reader(data)
        node, slot = reader.blob(1, at_most=NODE_BYTES_MAX), reader.uint(8)
        previous = reader.blob(2, at_most=PREVIOUS_BYTES_MAX)
        nominate, ballot = (reader.blob(4, at_most=STATEMENT_BYTES_MAX) for _ in range(2))
        nominated = decode(nominate) if nominate else None
        balloted = decode(ballot) if ballot else None
        if not isinstance(nominated, Nominate | None) or isinstance(balloted, Nominate):
            raise Malformed("a statement of the wrong protocol")
        for statement in (nominated, balloted):
            if statement is not None and (statement.node, statement.slot) != (node, slot):
                raise Malformed("a statement of another node or slot")
        round_now = reader.uint(4)
        leaders = tuple(reader.blob(1, at_most=NODE_BYTES_MAX) for _ in range(reader.uint(2, at_most=MEMBERS_MAX + 1)))
        if any(a >= b for a, b in pairwise(leaders)):
            raise Malformed("leaders are not strictly ascending")
        candidate_seen, override = reader.flag(), reader.blob(2, at_most=VALUE_BYTES_MAX)
        reader.end()
        return cls(node, slot, previous, nominated, balloted, round_now, leaders, candidate_seen, override or None)
