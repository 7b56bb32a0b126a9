"""What the two protocols of one slot share: who and where they are, whom they ask, what time it is."""

from dataclasses import dataclass, field

from coordinator.voting.driver import Driver, Timer, Validity
from coordinator.voting.effects import Note
from coordinator.voting.quorum import QuorumSet


@dataclass(slots=True)
class Context:
    node: bytes
    slot: int
    quorum_set: QuorumSet
    driver: Driver
    voting: bool
    now_ms: int = 0  # of the event being played
    notes: list[Note] = field(default_factory=list)  # of the event being played
    digest: bytes = b""
    _known: dict[bytes, QuorumSet] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.digest = self.quorum_set.digest()
        self._known[self.digest] = self.quorum_set

    def lookup(self, digest: bytes) -> QuorumSet | None:
        """The quorum set with this digest, or None while it is unknown. One that is not sane counts as unknown."""
        found = self._known.get(digest)
        if found is None:
            found = self.driver.quorum_set(digest)
            if found is None or found.problem() is not None:
                return None
            self._known[digest] = found
        return found

    def quorum_set_problem(self, digest: bytes) -> str | None:
        """Why no statement may name this quorum set; None also while it is unknown."""
        if digest in self._known:
            return None
        found = self.driver.quorum_set(digest)
        return found.problem() if found is not None else None

    def is_full(self, value: bytes, *, nomination: bool = False) -> bool:
        return self.driver.validate(self.slot, value, nomination) is Validity.FULL

    def due_ms(self, timer: Timer, count: int) -> int:
        """When a timer that starts now runs out; always later than now."""
        return self.now_ms + max(1, self.driver.timeout_ms(timer, count))
