"""A liar that leads another life before each member: each life looks honest, and any two contradict each other."""

from dataclasses import dataclass

from coordinator.signed import NodeId
from coordinator.voting import Ballot, Confirm, Externalize, Nominate, Prepare, Statement
from node.lab.simulation.lies.voice import Coreless, Head, Voice


def life(head: Head, value: bytes) -> tuple[Statement, ...]:
    """All that a member says on its way to deciding `value` at the first ballot, each newer than the one before."""
    one = Ballot(1, value)
    return (
        Nominate(*head, (value,), ()),
        Nominate(*head, (value,), (value,)),
        Prepare(*head, one),
        Prepare(*head, one, one),
        Prepare(*head, one, one, None, 1, 1),
        Confirm(*head, one, 1, 1, 1),
        Externalize(*head, one, 1),
    )


@dataclass(slots=True)
class _Role:
    """The life led before one member in the slot in work."""

    slot: int
    script: tuple[Statement, ...]
    step: int = 0


class Equivocator(Coreless):
    """Goes one step further in a member's life each time it hears from that member, and repeats where it stands.

    A slot's first statement is for all of them: a liar that leads the round begins it.
    """

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._roles: dict[NodeId, _Role] = {}

    def hear(self, statement: Statement) -> None:
        if not self._voice.listen(statement):
            return
        for member in self._voice.others:
            begun = self._roles.get(member)
            if begun is None or begun.slot < statement.slot == self._voice.stage.slot:
                self._begin(member, statement.slot)
        role = self._roles.get(statement.node)
        if role is not None and role.slot == statement.slot:
            role.step = min(role.step + 1, len(role.script) - 1)
            self._voice.say(statement.node, role.script[role.step])

    def _begin(self, member: NodeId, slot: int) -> None:
        value = self._voice.values.for_member(slot, member)
        if value is None:
            return
        role = self._roles[member] = _Role(slot, life(self._voice.head(slot), value))
        self._voice.say(member, role.script[0])
