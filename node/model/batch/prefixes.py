"""The prompts in the model's memory: who holds which sequence and cells, what is shared, kept for later and evicted."""

from array import array
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from node.model.batch.cells import Cells, Segment
from node.model.batch.jobs import Room
from node.model.batch.plan import Copy, Cut, Forget, Operation

SHARED_MIN = 8
"""Tokens. A shorter common beginning, mostly the template's, is evaluated sooner than it is waited for."""

_WIDTH = array("i").itemsize


def packed(tokens: Iterable[int]) -> bytes:
    """In a form that is quick to compare."""
    return array("i", tokens).tobytes()


def common(one: bytes, other: bytes) -> int:
    """How many tokens two packed prompts begin alike with."""
    size = min(len(one), len(other))
    if one[:size] == other[:size]:
        return size // _WIDTH
    difference = int.from_bytes(one[:size], "little") ^ int.from_bytes(other[:size], "little")
    lowest = (difference & -difference).bit_length() - 1  # no loop in Python over the tokens
    return lowest // (8 * _WIDTH)


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
        return len(self.data) // _WIDTH


class Prefixes:
    """Sequences and cells, and the operations that keep the model's memory in step.

    What is promised is never more than there is: the cells that prompts hold, all of a prompt from the start, and those
    that branches may come to need are together at most `room.cells`; prompts in use leave at least one sequence.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._free = list(reversed(range(room.sequences)))
        self._cells = Cells()
        self._promised = 0
        self._in_use = 0
        self._trunks: dict[Hashable, dict[int, Trunk]] = {}
        """By adapters and sequence."""
        self._idle: dict[int, Trunk] = {}
        """By sequence, least recently used first."""
        self.operations: list[Operation] = []
        """To be done before the next pass."""

    @property
    def held(self) -> int:
        """Cells that are held or promised."""
        return self._cells.held + self._promised

    @property
    def cached(self) -> int:
        """Cells held by idle prompts alone."""
        return self._cells.held - self._cells.used

    @property
    def seats(self) -> bool:
        """Whether there is a sequence for one more prompt."""
        return self._in_use + 2 <= self._room.sequences and bool(self._free or self._idle)

    def admit(self, adapters: Hashable, data: bytes, promised: int) -> Trunk | None:
        """Find room for a prompt and for what its branches may come to need; None when there is none now.

        The prompt is packed; `promised` is in cells, for all branches together.
        """
        if not self.seats:
            return None
        source, shared = self._match(adapters, data)
        leaf = self._cells.add(source.leaf if source else None, shared, len(data) // _WIDTH)
        if self._cells.used + self._promised + promised > self._room.cells:  # even with no idle prompt left
            self._cells.rest(leaf)
            self._cells.drop(leaf)
            return None
        if source is not None and source.idle and (_covers(data, source) or not (self._free or len(self._idle) > 1)):
            sequence = self._take_over(source, shared)
            trunk = Trunk(adapters, data, sequence, leaf, shared, done=shared)
        else:
            trunk = Trunk(adapters, data, self._sequence(source), leaf, shared)
            if source is not None:
                self._begin_as(source, trunk)
        self._trunks.setdefault(adapters, {})[trunk.sequence] = trunk
        self._in_use += 1
        self._promised += promised
        while self.held > self._room.cells:
            self._evict()
        return trunk

    def _match(self, adapters: Hashable, data: bytes) -> tuple[Trunk | None, int]:
        """Whose beginning to share, and how many tokens of it. The prompt's last token is always evaluated anew."""
        limit = data[:-_WIDTH]
        ready = coming = 0
        found: Trunk | None = None
        awaited: Trunk | None = None
        for trunk in self._trunks.get(adapters, {}).values():
            if not trunk.data.startswith(data[: _WIDTH * (ready + 1)]):
                continue
            shared = common(trunk.data, limit)
            if not self._room.can_cut and shared < trunk.length:
                continue
            if min(shared, trunk.done) > ready and (self._room.can_cut or trunk.done == trunk.length):
                found, ready = trunk, min(shared, trunk.done)
            if shared > coming:
                awaited, coming = trunk, shared
        if coming >= ready + SHARED_MIN:
            return awaited, coming
        return (found, ready) if ready >= SHARED_MIN else (None, 0)

    def _take_over(self, source: Trunk, shared: int) -> int:
        """The new prompt goes on in the sequence of an idle one, which is no more."""
        if shared < source.length:
            self.operations.append(Cut(source.sequence, shared))
        del self._idle[source.sequence]
        self._cells.drop(source.leaf)
        return source.sequence

    def _begin_as(self, source: Trunk, trunk: Trunk) -> None:
        if source.idle:
            self._idle[source.sequence] = self._idle.pop(source.sequence)  # just used
        if source.done >= trunk.shared:
            self._copy(source, trunk)
        else:
            trunk.waits_for = source
            source.followers.append(trunk)

    def _copy(self, source: Trunk, trunk: Trunk) -> None:
        self.operations.append(Copy(source.sequence, trunk.sequence, trunk.shared))
        trunk.done = trunk.shared
        trunk.waits_for = None

    def advance(self, trunk: Trunk, done: int) -> list[Trunk]:
        """More of the prompt is evaluated. Returns those that waited for it and wait no more."""
        trunk.done = done
        if not trunk.followers:
            return []
        woken = [follower for follower in trunk.followers if follower.shared <= done]
        trunk.followers = [follower for follower in trunk.followers if follower.shared > done]
        for follower in woken:
            self._copy(trunk, follower)
        return woken

    def branch(self, trunk: Trunk, *, last: bool) -> int | None:
        """A sequence that begins as the prompt; None when all are taken. The last branch may live in the prompt's."""
        if last and self._room.can_cut:
            return trunk.sequence
        if not (self._free or self._idle):
            return None
        sequence = self._sequence(None)
        self.operations.append(Copy(trunk.sequence, sequence, trunk.length))
        return sequence

    def leave(self, trunk: Trunk, sequence: int) -> None:
        """The branch in this sequence is over."""
        if sequence == trunk.sequence:
            self.operations.append(Cut(sequence, trunk.length))
        else:
            self.operations.append(Forget(sequence))
            self._free.append(sequence)

    def give_back(self, cells: int) -> None:
        """Of what was promised to branches, so much is no more needed."""
        self._promised -= cells

    def finish(self, trunk: Trunk, *, keep: bool) -> list[Trunk]:
        """The prompt's job is over: it is kept for later ones, as far as it is evaluated, or forgotten.

        Returns those that still waited for it; they were given nothing.
        """
        self._in_use -= 1
        self._cells.rest(trunk.leaf)
        if trunk.waits_for is not None:
            trunk.waits_for.followers.remove(trunk)
        orphans, trunk.followers = trunk.followers, []
        for orphan in orphans:
            orphan.waits_for = None
        if keep and trunk.done >= SHARED_MIN:
            if trunk.done < trunk.length:
                trunk.data = trunk.data[: trunk.done * _WIDTH]
                trunk.leaf = self._cells.shorten(trunk.leaf, trunk.done)
            self._rest(trunk)
        else:
            self._forget(trunk)
        while self.cached > self._room.cached_cells_max:
            self._evict()
        return orphans

    def _rest(self, trunk: Trunk) -> None:
        """Keep it, unless another holds as much and more; and of the idle ones, those that hold more than it."""
        others = [other for other in self._trunks[trunk.adapters].values() if other is not trunk]
        if any(other.done >= trunk.done and other.data.startswith(trunk.data) for other in others):
            self._forget(trunk)
            return
        for other in others:
            if other.idle and trunk.data.startswith(other.data):
                del self._idle[other.sequence]
                self._forget(other)
        trunk.idle = True
        self._idle[trunk.sequence] = trunk

    def _sequence(self, kept: Trunk | None) -> int:
        """A free sequence, by eviction if need be, but not of `kept`."""
        if not self._free:
            self._evict(kept)
        return self._free.pop()

    def _evict(self, kept: Trunk | None = None) -> None:
        """Forget the prompt that nobody used for the longest time."""
        sequence = next(sequence for sequence, trunk in self._idle.items() if trunk is not kept)
        self._forget(self._idle.pop(sequence))

    def _forget(self, trunk: Trunk) -> None:
        self._cells.drop(trunk.leaf)
        trunks = self._trunks[trunk.adapters]
        del trunks[trunk.sequence]
        if not trunks:
            del self._trunks[trunk.adapters]
        self.operations.append(Forget(trunk.sequence))
        self._free.append(trunk.sequence)


def _covers(data: bytes, trunk: Trunk) -> bool:
    """Whether a prompt, once evaluated, holds all that the other does."""
    return data.startswith(trunk.data)
