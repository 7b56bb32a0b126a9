"""Where a liar stands in a run of slots."""

import random
from typing import Protocol

from coordinator.voting import QuorumSet, Statement
from node.lab.simulation.timeline import Act


class Backstage(Protocol):
    """What a stage needs of the world."""

    ids: tuple[bytes, ...]
    quorum_sets: dict[bytes, QuorumSet]

    @property
    def now_ms(self) -> int: ...

    def slot_of(self, number: int) -> int: ...

    def after(self, delay_ms: int, act: Act) -> None: ...

    def lie(self, number: int, to: bytes, statement: Statement) -> None: ...


class Stage:
    """It sees what any member sees, and speaks in its own name alone."""

    def __init__(self, world: Backstage, number: int, rng: random.Random) -> None:
        self.node = world.ids[number]
        self.others = tuple(node for node in world.ids if node != self.node)
        self.rng = rng
        self.quorum_sets = world.quorum_sets
        self._world = world
        self._number = number

    @property
    def now_ms(self) -> int:
        return self._world.now_ms

    @property
    def slot(self) -> int:
        return self._world.slot_of(self._number)

    def send(self, to: bytes, statement: Statement) -> None:
        self._world.lie(self._number, to, statement)

    def after(self, delay_ms: int, act: Act) -> None:
        self._world.after(delay_ms, act)
