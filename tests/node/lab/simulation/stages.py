"""A world of one liar: what it hears is said by the test, and what it says is written down."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from heapq import heappop, heappush

from coordinator.signed import NodeId
from coordinator.voting import QuorumSet, Statement
from node.lab.simulation.lies import statement_liar

LIAR = b"n4"
OTHERS = (b"n0", b"n1", b"n2", b"n3")
SLOT = 5


class Clock:
    """Acts in the order in which they are due."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._number = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []

    def after(self, delay_ms: int, act: Callable[[], None]) -> None:
        assert delay_ms > 0, "an act that sets itself anew at once would never end"
        self._number += 1
        heappush(self._due, (self.now_ms + delay_ms, self._number, act))

    def pass_ms(self, duration_ms: int) -> None:
        end_ms = self.now_ms + duration_ms
        while self._due and self._due[0][0] <= end_ms:
            self.now_ms, _, act = heappop(self._due)
            act()
        self.now_ms = end_ms


class SlotStage(Clock):
    """Where a liar about statements stands."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.node = LIAR
        self.others: tuple[NodeId, ...] = OTHERS
        self.rng = random.Random(seed)
        self.quorum_sets = dict.fromkeys((*OTHERS, LIAR), QuorumSet(4, (*OTHERS, LIAR)))
        self.slot = SLOT
        self.said: list[tuple[NodeId, Statement]] = []

    def send(self, to: NodeId, statement: Statement) -> None:
        self.said.append((to, statement))

    def to(self, member: NodeId) -> list[Statement]:
        return [statement for to, statement in self.said if to == member]


class Staged:
    """A liar on its stage."""

    def __init__(self, kind: str, seed: int = 0) -> None:
        self.stage = SlotStage(seed)
        self.liar = statement_liar(kind, self.stage)

    def hear(self, *statements: Statement) -> list[tuple[NodeId, Statement]]:
        """What it says because of these."""
        before = len(self.stage.said)
        for statement in statements:
            self.liar.hear(statement)
        return self.stage.said[before:]

    def tell(self, statement: Statement) -> None:
        """What its honest slot would send to all goes to each as the liar likes it."""
        for member in OTHERS:
            for said in self.liar.alter(member, statement):
                self.stage.send(member, said)

    def play(self, statements: Iterable[Statement], step_ms: int = 50) -> "Staged":
        """Hears all of them, one after the other; where it has an honest slot, this says the same as each."""
        for statement in statements:
            self.stage.pass_ms(step_ms)
            self.liar.hear(statement)
            if self.liar.runs_core:
                self.tell(as_own(statement))
        self.stage.pass_ms(10_000)
        return self


def as_own(statement: Statement) -> Statement:
    return replace(statement, node=LIAR)
