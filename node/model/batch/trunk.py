"""A prompt in the model's memory, and the shelf where those that begin alike stand together."""

from array import array
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from node.model.batch.cells import Segment

WIDTH = array("i").itemsize
"""Bytes of a packed token."""


def packed(tokens: Iterable[int]) -> bytes:
    """In a form that is quick to compare."""
    return array("i", tokens).tobytes()


def common(one: bytes, other: bytes) -> int:
    """How many tokens two packed prompts begin alike with."""
    size = min(len(one), len(other))
    if one[:size] == other[:size]:
        return size // WIDTH
    difference = int.from_bytes(one[:size], "little") ^ int.from_bytes(other[:size], "little")
    lowest = (difference & -difference).bit_length() - 1  # no loop in Python over the tokens
    return lowest // (8 * WIDTH)


@dataclass(slots=True, eq=False)
class Trunk:
    """A prompt in a sequence of its own: being evaluated, in use by its job's branches, or idle and kept for later."""

    adapters: Hashable
    data: bytes
    """The tokens, packed."""
    sequence: int
    leaf: Segment
    shared: int
    """Tokens that it has from another; they are there at once or, where it waits, as soon as the other has them."""
    done: int = 0
    """Tokens that its sequence holds, but for those of a branch that lives in the same sequence."""
    idle: bool = False
    waits_for: "Trunk | None" = None
    followers: "list[Trunk]" = field(default_factory=list)
    """Those that wait for this one."""

    @property
    def length(self) -> int:
        return len(self.data) // WIDTH


class Shelf:
    """Prompts sorted by their bytes. What begins most like a prompt stands next to its place: no search."""

    __slots__ = ("_datas", "_trunks")

    def __init__(self) -> None:
        self._datas: list[bytes] = []
        self._trunks: list[Trunk] = []

    def __bool__(self) -> bool:
        return bool(self._trunks)

    def add(self, trunk: Trunk) -> None:
        place = bisect_left(self._datas, trunk.data)
        self._datas.insert(place, trunk.data)
        self._trunks.insert(place, trunk)

    def remove(self, trunk: Trunk) -> None:
        place = bisect_left(self._datas, trunk.data)
        while self._trunks[place] is not trunk:  # several may be equal
            place += 1
        del self._datas[place], self._trunks[place]

    def alike(self, data: bytes) -> Iterator[tuple[Trunk, int]]:
        """Every prompt with how many tokens it has in common with this one, those that have most first."""
        after = bisect_left(self._datas, data)
        before = after - 1
        left = common(self._datas[before], data) if before >= 0 else -1
        right = common(self._datas[after], data) if after < len(self._datas) else -1
        while left >= 0 or right >= 0:
            if left >= right:
                yield self._trunks[before], left
                before -= 1
                left = common(self._datas[before], data) if before >= 0 else -1
            else:
                yield self._trunks[after], right
                after += 1
                right = common(self._datas[after], data) if after < len(self._datas) else -1

    def longer(self, trunk: Trunk) -> Iterator[Trunk]:
        """Other prompts that begin with all of this one."""
        place = bisect_left(self._datas, trunk.data)
        while place < len(self._datas) and self._datas[place].startswith(trunk.data):
            if self._trunks[place] is not trunk:
                yield self._trunks[place]
            place += 1

    def shorter(self, trunk: Trunk) -> list[Trunk]:
        """Other prompts that this one begins with, as far as nothing else stands between them."""
        place = bisect_left(self._datas, trunk.data) - 1
        found = []
        while place >= 0 and trunk.data.startswith(self._datas[place]):
            found.append(self._trunks[place])
            place -= 1
        return found
