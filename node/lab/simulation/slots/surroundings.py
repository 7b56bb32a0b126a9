"""What one member in a run of slots needs of the world around it."""

from typing import Protocol

from coordinator.voting import Slot, Statement
from node.lab.simulation.slots.letters import LetterDriver
from node.lab.simulation.slots.oracle import Judge
from node.lab.simulation.timeline import Act


class Surroundings(Protocol):
    """What a member needs of the world."""

    slots: int
    healed: bool

    @property
    def now_ms(self) -> int: ...

    def after(self, delay_ms: int, act: Act) -> None: ...

    def tell(self, number: int, slot: int, what: str, *parts: object) -> None: ...

    def driver(self, number: int, previous: bytes, values: set[bytes]) -> LetterDriver: ...

    def broadcast(self, number: int, statement: Statement, at_most: int | None = None) -> int | None:
        """To so many of the others; how many are left of `at_most`."""
        ...

    def send(self, sender: int, receiver: int, statement: Statement) -> None: ...

    def ask(self, number: int, slot: int, of: int) -> None: ...

    def judge(self, slot: Slot) -> Judge | None:
        """Who judges its steps, if anybody does."""
        ...

    def begins(self, number: int, slot: int) -> None:
        """The slot waits for this member's proposal; the world calls `propose`."""
        ...

    def fetches(self, number: int, slot: int, value: bytes) -> None:
        """The world calls `fetched`."""
        ...

    def said(self, number: int, statement: Statement) -> None: ...

    def decided(self, number: int, slot: int, value: bytes) -> None: ...

    def died(self, number: int, down_ms: int) -> None: ...
