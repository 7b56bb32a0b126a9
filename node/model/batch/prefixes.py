"""The prompts in the model's memory: who holds which sequence and cells, what is shared, kept for later and evicted."""

from collections.abc import Hashable

from node.model.batch.cells import Cells
from node.model.batch.jobs import Room
from node.model.batch.plan import Copy, Cut, Forget, Operation
from node.model.batch.trunk import WIDTH, Shelf, Trunk

SHARED_MIN = 8
"""Tokens. A shorter common beginning, mostly the template's, is evaluated sooner than it is waited for."""


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
        self._shelves: dict[Hashable, Shelf] = {}
        """All prompts, by adapters."""
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
        assert self.seats
        source, shared = self._match(adapters, data)
        leaf = self._cells.add(source.leaf if source else None, shared, len(data) // WIDTH)
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
        self._shelves.setdefault(adapters, Shelf()).add(trunk)
        self._in_use += 1
        self._promised += promised
        while self.held > self._room.cells:
            self._evict()
        return trunk

    def _match(self, adapters: Hashable, data: bytes) -> tuple[Trunk | None, int]:
        """Whose beginning to share, and how many tokens of it. The prompt's last token is always evaluated anew."""
        shelf = self._shelves.get(adapters)
        if shelf is None:
            return None, 0
        longest = len(data) // WIDTH - 1
        can_cut = self._room.can_cut
        ready = coming = 0
        found: Trunk | None = None
        awaited: Trunk | None = None
        for trunk, alike in shelf.alike(data):
            shared = min(alike, longest)
            if shared <= ready:
                break
            if not can_cut and shared < trunk.length:
                continue
            if shared > coming:
                awaited, coming = trunk, shared
            if min(shared, trunk.done) > ready and (can_cut or trunk.done == trunk.length):
                found, ready = trunk, min(shared, trunk.done)
        if coming >= ready + SHARED_MIN:
            return awaited, coming
        return (found, ready) if ready >= SHARED_MIN else (None, 0)

    def _take_over(self, source: Trunk, shared: int) -> int:
        """The new prompt goes on in the sequence of an idle one, which is no more."""
        if shared < source.length:
            self.operations.append(Cut(source.sequence, shared))
        del self._idle[source.sequence]
        self._shelves[source.adapters].remove(source)
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
            self._rest(trunk)
        else:
            self._forget(trunk)
        # The more prompts are in use, the sooner others push out one that is kept, and the more tokens pay for it.
        while self.cached > self._room.cached_cells_max // max(1, self._in_use):
            self._evict()
        return orphans

    def _rest(self, trunk: Trunk) -> None:
        """Keep it, unless another holds as much and more; and of the idle ones, only what holds more than it."""
        shelf = self._shelves[trunk.adapters]
        if trunk.done < trunk.length:
            shelf.remove(trunk)
            trunk.data = trunk.data[: trunk.done * WIDTH]
            trunk.leaf = self._cells.shorten(trunk.leaf, trunk.done)
            shelf.add(trunk)
        if any(other.done >= trunk.done for other in shelf.longer(trunk)):
            self._forget(trunk)
            return
        for other in shelf.shorter(trunk):
            if other.idle:
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
        shelf = self._shelves[trunk.adapters]
        shelf.remove(trunk)
        if not shelf:
            del self._shelves[trunk.adapters]
        self.operations.append(Forget(trunk.sequence))
        self._free.append(trunk.sequence)


def _covers(data: bytes, trunk: Trunk) -> bool:
    """Whether a prompt, once evaluated, holds all that the other does."""
    return data.startswith(trunk.data)
