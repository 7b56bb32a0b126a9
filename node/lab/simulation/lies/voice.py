"""What every liar about statements needs: its own name on each, what it heard, values to lie about, an allowance."""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from coordinator.signed import NodeId
from coordinator.voting import Statement
from coordinator.voting.statement import values
from node.lab.simulation.lies.allowance import Allowance
from node.lab.simulation.lies.liar import StatementStage

HEARD_KEPT = 64
NAMED_KEPT = 64
ANSWERED_PER_SECOND_MAX = 20
"""Statements of one author that are answered: two liars could else keep each other busy for ever."""
LETTERS = b"abcdefghijklmnopqrstuvwxyz"

Head = tuple[NodeId, int, bytes]
"""Author, slot and quorum set: how every statement begins."""


class Values(Protocol):
    """Where a liar takes the values from that nobody else has named."""

    def for_member(self, slot: int, member: NodeId) -> bytes | None:
        """The value that is told to this member: another for each, and the same from every liar. None is not yet."""
        ...

    def invented(self, slot: int) -> bytes:
        """Any value; most are valid, and not all."""
        ...


class Letters:
    """Values of a run of slots: ascending letters are valid, and whatever holds `!` is not."""

    def __init__(self, stage: StatementStage) -> None:
        self._rng = stage.rng
        ids = sorted((stage.node, *stage.others))
        self._letters = {node: LETTERS[n % 26 : n % 26 + 1] for n, node in enumerate(ids)}

    def for_member(self, slot: int, member: NodeId) -> bytes:
        return self._letters[member]

    def invented(self, slot: int) -> bytes:
        chosen = bytes(sorted(self._rng.sample(LETTERS, self._rng.choice((1, 1, 2, 3)))))
        return b"!" + chosen if self._rng.random() < 0.1 else chosen


class Voice:
    """Says statements in the liar's own name, as many as are allowed."""

    def __init__(self, stage: StatementStage, new_values: Values | None = None) -> None:
        self.stage = stage
        self.rng = stage.rng
        self.values: Values = new_values or Letters(stage)
        self.heard: deque[Statement] = deque(maxlen=HEARD_KEPT)
        """What others said, the newest last."""
        self._allowance = Allowance()
        self._digest = stage.quorum_sets[stage.node].digest()
        self._named: dict[int, dict[bytes, None]] = {}
        """By slot, values in the order in which others named them."""
        self._answered: dict[NodeId, int] = {}
        self._second = 0

    @property
    def others(self) -> tuple[NodeId, ...]:
        return self.stage.others

    def head(self, slot: int) -> Head:
        return self.stage.node, slot, self._digest

    def listen(self, statement: Statement) -> bool:
        """Remember what was heard, of a few slots and not without end; whether it is to be answered."""
        self.heard.append(statement)
        named = self._named.setdefault(statement.slot, {})
        for value in values(statement):
            if len(named) < NAMED_KEPT:
                named[value] = None
        while len(self._named) > 4:
            del self._named[next(iter(self._named))]
        second = self.stage.now_ms // 1_000
        if second != self._second:
            self._second, self._answered = second, {}
        count = self._answered[statement.node] = self._answered.get(statement.node, 0) + 1
        return count <= ANSWERED_PER_SECOND_MAX

    def named(self, slot: int) -> Sequence[bytes]:
        return list(self._named.get(slot, ()))

    def value(self, slot: int, *, other_than: bytes | None = None) -> bytes:
        """One that others named, or else a new one; perhaps a new one in any case."""
        known = [value for value in self.named(slot) if value != other_than]
        if known and self.rng.random() < 0.8:
            return self.rng.choice(known)
        return self.values.invented(slot)

    def may_say(self) -> bool:
        """Whether there is allowance for one more statement; it then counts as said."""
        return self._allowance.take(self.stage.now_ms)

    def say(self, to: NodeId, statement: Statement) -> None:
        assert statement.node == self.stage.node, "a liar has no other name than its own"
        if self.may_say():
            self.stage.send(to, statement)


class Coreless:
    """A liar that needs no honest slot beside it."""

    runs_core = False

    def alter(self, to: NodeId, statement: Statement) -> list[Statement]:
        return []
