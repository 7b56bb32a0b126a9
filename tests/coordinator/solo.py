"""One member on its own: what its core does with what a test hands it."""

import random
from collections.abc import Sequence

from coordinator.agenda_driver import VotingSettings
from coordinator.effects import Effect, Note, Send
from coordinator.events import Asked, Event, Generated, Reachable, Received, Tick
from coordinator.messages import MootMessage, Records, Status
from coordinator.moot import Moot
from coordinator.records import AnswerKind, Cost, Question
from coordinator.restored import Restored
from coordinator.signed import Digest, Kind, NodeId, Signed
from tests.coordinator.keys import FakeSigner, FakeVerifier
from tests.coordinator.ledger.build import Build

WALL_OFFSET_MS = 1_000_000


class Solo:
    """Member 0 of a moot; the others are the test."""

    def __init__(self, build: Build, restored: Restored | None = None, *, met: bool = True) -> None:
        self.build = build
        self.node, *self.others = build.ids
        self.now_ms = 1_000
        self.core = Moot(
            signer=FakeSigner(self.node, build.genesis.moot_id),
            verifier=FakeVerifier(build.genesis.moot_id),
            genesis=build.genesis,
            settings=VotingSettings(),
            rng=random.Random(1),
            wall_offset_ms=WALL_OFFSET_MS,
            restored=restored or Restored(),
            now_ms=self.now_ms,
        )
        self.started = self.core.start(self.now_ms)
        if met:
            self.step(Reachable(frozenset(build.ids)))
            for other in self.others:
                self.hear(other, Status(0, ()))

    def step(self, event: Event) -> list[Effect]:
        return self.core.step(event, self.now_ms)

    def hear(self, sender: NodeId, *messages: MootMessage) -> list[Effect]:
        return [effect for message in messages for effect in self.step(Received(sender, message))]

    def hear_records(self, sender: NodeId, *records: Signed) -> list[Effect]:
        return self.hear(sender, Records(records))

    def wait(self, for_ms: int) -> list[Effect]:
        """Let time pass, with a tick whenever one is due."""
        effects: list[Effect] = []
        end = self.now_ms + for_ms
        while (due := self.core.next_deadline_ms()) is not None and due <= end:
            assert due > self.now_ms, "a deadline in the past would fire for ever"
            self.now_ms = due
            effects += self.step(Tick())
        self.now_ms = end
        return effects

    def question(
        self, text: str = "what is 3 + 4?", *, asked_ms: int | None = None, nonce: int = 0, tally: str = ""
    ) -> Question:
        asked_ms = WALL_OFFSET_MS + self.now_ms if asked_ms is None else asked_ms
        return Question(text, AnswerKind.NUMBER, (), 5_000, tally, asked_ms, nonce.to_bytes(16, "big"))

    def asked_by(self, member: int, *, asked_ms: int | None = None, nonce: int = 0, tally: str = "") -> Signed:
        question = self.question(asked_ms=asked_ms, nonce=nonce, tally=tally)
        return self.build.sign(member, Kind.QUESTION, question.encode())

    def ask(self, nonce: int = 0) -> list[Effect]:
        return self.step(Asked(self.question(nonce=nonce)))

    def answer(self, question: Digest, *texts: str) -> list[Effect]:
        return self.step(Generated(question, texts, b"m" * 32, 1, 700, Cost(1, 2, 3, 4)))


def sends(effects: Sequence[Effect], to: NodeId | None = None) -> list[MootMessage]:
    return [effect.message for effect in effects if isinstance(effect, Send) and to in (None, effect.to)]


def sent_records(effects: Sequence[Effect], to: NodeId | None = None) -> list[Signed]:
    return [record for message in sends(effects, to) if isinstance(message, Records) for record in message.records]


def notes(effects: Sequence[Effect]) -> list[str]:
    return [effect.event for effect in effects if isinstance(effect, Note)]
