"""Every way of lying as a member of a moot, by name: those about statements, and those about all else."""

from collections.abc import Callable
from functools import partial

from node.lab.simulation.lies import agendas
from node.lab.simulation.lies.agendas import AgendaLiar
from node.lab.simulation.lies.answering import StrayAnswers, TooManyPoints, TwoAnswers
from node.lab.simulation.lies.asking import QuestionFlood, TwoTexts
from node.lab.simulation.lies.forging import Forger, Repeater
from node.lab.simulation.lies.liar import MootLiar, MootStage
from node.lab.simulation.lies.misleading import EntryForger, FalseHeights, Wanter
from node.lab.simulation.lies.mouth import Mouth
from node.lab.simulation.lies.reaching import (
    Accuser,
    AddressForger,
    AnswersSome,
    Burner,
    EpochJumper,
    FalseLists,
    GossipFlood,
    LyingRelay,
    Resurrector,
    TwoRecords,
)
from node.lab.simulation.lies.speaking import Speaking
from node.lab.simulation.lies.statements import STATEMENT_LIES
from node.lab.simulation.lies.usurping import Usurper

_KINDS: dict[str, Callable[[Mouth], MootLiar]] = {
    **{kind: partial(Speaking, kind=kind) for kind in STATEMENT_LIES},
    "agenda-withholder": partial(AgendaLiar, offers=agendas.withheld, gives=False),
    "agenda-forger": partial(AgendaLiar, offers=agendas.forged),
    "agenda-hoarder": partial(AgendaLiar, offers=agendas.huge),
    "cherry-picker": partial(AgendaLiar, offers=agendas.picked),
    "hurrier": partial(AgendaLiar, offers=agendas.hurried),
    "usurper": Usurper,
    "two-answers": TwoAnswers,
    "too-many-points": TooManyPoints,
    "stray-answers": StrayAnswers,
    "two-texts": TwoTexts,
    "question-flood": QuestionFlood,
    "forger": Forger,
    "repeater": Repeater,
    "false-heights": FalseHeights,
    "wanter": Wanter,
    "entry-forger": EntryForger,
    "accuser": Accuser,
    "burner": Burner,
    "lying-relay": LyingRelay,
    "resurrector": Resurrector,
    "address-forger": AddressForger,
    "two-records": TwoRecords,
    "epoch-jumper": EpochJumper,
    "gossip-flood": GossipFlood,
    "answers-some": AnswersSome,
    "false-lists": FalseLists,
}

MOOT_LIES: tuple[str, ...] = tuple(_KINDS)


def moot_liar(kind: str, stage: MootStage) -> MootLiar:
    """A liar of this kind.

    Raises:
        ValueError: there is no such kind; the message names those that there are.
    """
    if kind not in _KINDS:
        raise ValueError(f"no lie of a member is called {kind!r}; known are {', '.join(MOOT_LIES)}")
    return _KINDS[kind](Mouth(stage))
