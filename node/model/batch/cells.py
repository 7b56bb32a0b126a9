"""How many cells of the model's cache prompts hold, where those that several prompts share are counted once."""

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Segment:
    """Cells that the same prompts hold, for the positions from the parent's end to its own."""

    parent: "Segment | None"
    end: int
    holders: int = 0
    """Prompts that end here, and segments held that go on from here."""
    users: int = 0
    """The same, of prompts in use alone."""

    @property
    def start(self) -> int:
        return 0 if self.parent is None else self.parent.end


class Cells:
    """A prompt is known by its last segment: the path to the root has all its cells.

    Every prompt that ends in a segment or beyond holds all of it, so a segment is free when nothing holds it any more.
    """

    __slots__ = ("held", "used")

    def __init__(self) -> None:
        self.held = 0
        """By any prompt."""
        self.used = 0
        """By prompts in use."""

    def add(self, source: Segment | None, shared: int, end: int) -> Segment:
        """A prompt in use of `end` tokens, the first `shared` of them in the cells of another."""
        assert shared < end
        leaf = Segment(None if source is None or shared == 0 else _until(source, shared), end)
        self._hold(leaf)
        segment: Segment | None = leaf
        while segment is not None:
            segment.users += 1
            if segment.users > 1:
                break
            self.used += segment.end - segment.start
            segment = segment.parent
        return leaf

    def rest(self, leaf: Segment) -> None:
        """The prompt is no more in use."""
        segment: Segment | None = leaf
        while segment is not None:
            segment.users -= 1
            if segment.users:
                break
            self.used -= segment.end - segment.start
            segment = segment.parent

    def drop(self, leaf: Segment) -> None:
        """The prompt, which is not in use, is forgotten."""
        segment: Segment | None = leaf
        while segment is not None:
            segment.holders -= 1
            if segment.holders:
                break
            self.held -= segment.end - segment.start
            segment = segment.parent

    def shorten(self, leaf: Segment, end: int) -> Segment:
        """The prompt, which is not in use, keeps its first `end` tokens, at least 1."""
        shorter = _until(leaf, end)
        if shorter is not leaf:
            self._hold(shorter)
            self.drop(leaf)
        return shorter

    def _hold(self, leaf: Segment) -> None:
        segment: Segment | None = leaf
        while segment is not None:
            segment.holders += 1
            if segment.holders > 1:
                break
            self.held += segment.end - segment.start
            segment = segment.parent


def _until(leaf: Segment, until: int) -> Segment:
    """The segment on the way to `leaf` that ends at position `until`, split off where there is none."""
    segment = leaf
    while segment.start >= until:
        assert segment.parent is not None, "the first segment starts at 0"
        segment = segment.parent
    assert until <= segment.end, "a prompt has no more cells than tokens"
    if until == segment.end:
        return segment
    upper = Segment(segment.parent, until, holders=1, users=1 if segment.users else 0)
    segment.parent = upper
    return upper
