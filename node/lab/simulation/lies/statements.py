"""Every way of lying about statements, by name."""

from collections.abc import Callable

from node.lab.simulation.lies.alterations import Mutator, Recoverer, Replayer, SetChanger, SilentToSome, Withholder
from node.lab.simulation.lies.equivocation import Equivocator
from node.lab.simulation.lies.inventions import Jumper, NominationFlood, OtherSlots, Silent, Unsound
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
    "nomination-flood": NominationFlood,
    "unsound": Unsound,
    "other-slots": OtherSlots,
}

STATEMENT_LIES: tuple[str, ...] = tuple(_KINDS)


def statement_liar(kind: str, stage: StatementStage, new_values: Values | None = None) -> StatementLiar:
    """A liar of this kind. `new_values` are what it invents; without them the letters of a run of slots.

    Raises:
        ValueError: there is no such kind; the message names those that there are.
    """
    if kind not in _KINDS:
        raise ValueError(f"no lie about statements is called {kind!r}; known are {', '.join(STATEMENT_LIES)}")
    return _KINDS[kind](Voice(stage, new_values))
