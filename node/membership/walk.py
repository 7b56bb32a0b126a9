"""Whose turn it is to be probed: every place once in random order, then all over again in another.

Source: Das et al., SWIM (DSN 2002), section 4.3. The shuffle is Fisher and Yates', done one draw at a time: a walk
through ten thousand costs nothing at once, and whoever comes in between is as likely to be next as to be last.
"""

from array import array
from dataclasses import dataclass, field
from random import Random


@dataclass(slots=True)
class Walk:
    _left: "array[int]" = field(default_factory=lambda: array("I"))
    """Places whose turn is still to come, in no order."""

    def __len__(self) -> int:
        return len(self._left)

    def begin(self, size: int) -> None:
        """Walk anew through the places 0 to size - 1."""
        self._left = array("I", range(size))

    def add(self, place: int) -> None:
        """Also visit this place in the walk that is on, at a random turn."""
        self._left.append(place)

    def take(self, rng: Random) -> int | None:
        """The next place; None at the end of the walk."""
        left = self._left
        if not left:
            return None
        at = int(rng.random() * len(left))
        left[at], left[-1] = left[-1], left[at]
        return left.pop()
