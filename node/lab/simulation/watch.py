"""What a run remembers of itself: nothing by default, for remembering is slow; its digest, or the story of one slot."""

from dataclasses import dataclass, field
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened."""

    at_ms: int
    node: int
    """-1 is nobody: the network, or the schedule."""
    slot: int | None
    what: str
    parts: tuple[object, ...]


@dataclass(slots=True)
class Watch:
    """Worlds ask `on` before they put together what to tell."""

    traced: bool = False
    """Make a digest over everything told: two runs of one plan have the same, or no run is to be believed."""
    kept: bool = False
    """Keep everything told."""
    told: list[Told] = field(default_factory=list)
    _digest: "blake2b" = field(default_factory=lambda: blake2b(digest_size=16))

    @property
    def on(self) -> bool:
        return self.traced or self.kept

    def tell(self, at_ms: int, node: int, slot: int | None, what: str, *parts: object) -> None:
        """`parts` are values whose repr says all about them, and nothing about where they lie in memory."""
        if self.traced:
            self._digest.update(repr((at_ms, node, slot, what, parts)).encode())
        if self.kept:
            self.told.append(Told(at_ms, node, slot, what, parts))

    def trace(self) -> str:
        return self._digest.hexdigest() if self.traced else ""
