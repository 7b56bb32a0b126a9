"""Liars about questions: another text for each member, and floods within and beyond an asker's share."""

from coordinator.messages import Records
from coordinator.records import AnswerKind, Question
from coordinator.signed import Kind, Signed
from node.lab.simulation.lies.mouth import MootLie, Mouth

TEXTS_MS, TEXTS_MAX = 2_000, 6
FLOOD_MS, FLOOD_STEP = 1_000, 20
FLOOD_MAX, FLOOD_MAX_RARELY = 30, 240
"""Questions in a whole run. Every member answers each of them, so that more would be slow: few runs have so many."""


class TwoTexts(MootLie):
    """Asks each member something else, as if it were one question."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        self._asked = 0
        mouth.every(TEXTS_MS, self._ask)

    def _ask(self) -> None:
        if self._asked >= TEXTS_MAX:
            return
        self._asked += 1
        nonce, wall_ms = self.rng.randbytes(16), self.mouth.stage.wall_ms
        for number, other in enumerate(self.mouth.others):
            question = _question(f"what is {number} + {self._asked}?", 1_000, wall_ms, nonce)
            self.mouth.send(other, Records((self.mouth.sign(Kind.QUESTION, question.encode()),)))


class QuestionFlood(MootLie):
    """Asks on and on: things to all, others to each, over at once or in an hour, from the past, in no known rule."""

    def __init__(self, mouth: Mouth) -> None:
        super().__init__(mouth)
        self._left = FLOOD_MAX_RARELY if self.rng.random() < 0.05 else FLOOD_MAX
        mouth.every(FLOOD_MS, self._ask)

    def _ask(self) -> None:
        count = min(self._left, FLOOD_STEP)
        self._left -= count
        if not count:
            return
        if self.rng.random() < 0.5:
            self.mouth.send_all(Records(tuple(self._record() for _ in range(count))))
            return
        share = -(-count // len(self.mouth.others))
        for other in self.mouth.others:
            self.mouth.send(other, Records(tuple(self._record() for _ in range(share))))

    def _record(self) -> Signed:
        rng = self.rng
        deadline_ms = rng.choice((1, 1, 200, 3_600_000))
        asked_ms = max(0, self.mouth.stage.wall_ms + rng.choice((0, 0, -(10**9), 10**9)))
        tally = rng.choice(("", "", "", "whoever pays"))
        question = _question(f"what is {rng.randrange(1_000)} + 1?", deadline_ms, asked_ms, rng.randbytes(16), tally)
        body = question.encode()
        return self.mouth.sign(Kind.QUESTION, body if rng.random() < 0.9 else body[:-1])


def _question(text: str, deadline_ms: int, asked_ms: int, nonce: bytes, tally: str = "") -> Question:
    return Question(text, AnswerKind.NUMBER, (), deadline_ms, tally, asked_ms, nonce)
