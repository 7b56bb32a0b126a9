"""Signed records for tests, with as little to say as possible."""

from collections.abc import Sequence

from coordinator.ledger.agenda import Item
from coordinator.ledger.genesis import Genesis
from coordinator.records import AnswerKind, Cost, Preference, Proposal, Question
from coordinator.signed import Digest, Kind, NodeId, Signed
from tests.coordinator.keys import FakeSigner, FakeVerifier, found

FREE = Cost()
Points = tuple[tuple[str, int], ...]


class Build:
    """Records of one moot; members are given by number."""

    def __init__(self, count: int = 4, genesis: Genesis | None = None) -> None:
        self.genesis = genesis or found(count)
        self.ids = [one.node for one in sorted(self.genesis.members, key=lambda one: int(one.name[1:]))]
        self.verify = FakeVerifier(self.genesis.moot_id).verify

    def sign(self, member: int | NodeId, kind: Kind, body: bytes) -> Signed:
        node = self.ids[member] if isinstance(member, int) else member
        return FakeSigner(node, self.genesis.moot_id).sign(kind, body)

    def question(
        self,
        member: int = 0,
        text: str = "what is 3 + 4?",
        *,
        kind: AnswerKind = AnswerKind.NUMBER,
        options: tuple[str, ...] = (),
        tally: str = "",
        asked_ms: int = 5,
        nonce: int = 0,
    ) -> Signed:
        question = Question(text, kind, options, 5_000, tally, asked_ms, nonce.to_bytes(16, "big"))
        return self.sign(member, Kind.QUESTION, question.encode())

    def proposal(
        self, member: int | NodeId, about: Digest, counts: Points, cost: Cost = FREE, samples: int = 5
    ) -> Signed:
        body = Proposal(about, counts, samples, b"m" * 32, 1, 700, cost).encode()
        return self.sign(member, Kind.PROPOSAL, body)

    def preference(self, member: int | NodeId, about: Digest, points: Points, cost: Cost = FREE) -> Signed:
        return self.sign(member, Kind.PREFERENCE, Preference(about, points, cost).encode())

    def item(self, question: Signed, answers: Sequence[Points | None]) -> Item:
        """Each member's answer, by number; None says nothing."""
        about = question.digest()
        proposals, preferences = [], []
        for member, points in enumerate(answers):
            if points is not None:
                proposals.append(self.proposal(member, about, points, Cost(1, 2, 3, 4), self.genesis.charter.samples))
                preferences.append(self.preference(member, about, points))
        return Item(question, tuple(sorted(proposals, key=_key)), tuple(sorted(preferences, key=_key)))


def _key(record: Signed) -> tuple[NodeId, Digest]:
    return record.author, record.digest()
