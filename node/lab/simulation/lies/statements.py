"""Every way of lying about statements, by name."""

from collections.abc import Callable

from coordinator.signed import NodeId
from coordinator.voting import Statement
from node.lab.simulation.lies.alterations import Mutator, Recoverer, Replayer, SetChanger, SilentToSome, Withholder
from node.lab.simulation.lies.equivocation import Equivocator
from node.lab.simulation.lies.inventions import FarCommitter, Jumper, NominationFlood, OtherSlots, Silent, Unsound
from node.lab.simulation.lies.liar import StatementLiar, StatementStage
from node.lab.simulation.lies.mirrors import CommitChaser, Mirror, MixedMirror, TwoFaced
from node.lab.simulation.lies.voice import Values, Voice

_KINDS: dict[str, Callable[[Voice], StatementLiar]] = {
    "silent": Silent,
    "silent-to-some": SilentToSome,
    "mirror": Mirror,
    "mixed-mirror": MixedMirror,
    "two-faced": TwoFaced,
    "commit-chaser": CommitChaser,
    "equivocator": Equivocator,
    "mutator": Mutator,
    "replayer": Replayer,
    "withholder": Withholder,
    "recoverer": Recoverer,
    "set-changer": SetChanger,
    "jumper": Jumper,
    "far-committer": FarCommitter,
    "nomination-flood": NominationFlood,
    "unsound": Unsound,
    "other-slots": OtherSlots,
}
TURN_MS = 2_000


class Turncoat:
    """Lies in another way every few seconds."""

    runs_core = True

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._liars = [kind(voice) for kind in _KINDS.values()]
        self._until_ms = 0
        self._now = self._liars[0]

    def hear(self, statement: Statement) -> None:
        self._turn().hear(statement)

    def alter(self, to: NodeId, statement: Statement) -> list[Statement]:
        return self._turn().alter(to, statement)

    def _turn(self) -> StatementLiar:
        now_ms, rng = self._voice.stage.now_ms, self._voice.rng
        if now_ms >= self._until_ms:
            self._until_ms = now_ms + rng.randint(1, TURN_MS)
            self._now = rng.choice(self._liars)
        return self._now


STATEMENT_LIES: tuple[str, ...] = (*_KINDS, "turncoat")


def statement_liar(kind: str, stage: StatementStage, new_values: Values | None = None) -> StatementLiar:
    """A liar of this kind. `new_values` are what it invents; without them the letters of a run of slots.

    Raises:
        ValueError: there is no such kind; the message names those that there are.
    """
    if kind not in STATEMENT_LIES:
        raise ValueError(f"no lie about statements is called {kind!r}; known are {', '.join(STATEMENT_LIES)}")
    return _KINDS.get(kind, Turncoat)(Voice(stage, new_values))
