"""A model's memory as llama.cpp's unified cache keeps it, tagged cells. It checks what the real one takes on trust."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from node.model.batch.jobs import Room
from node.model.batch.plan import Copy, Cut, Forget, Operation, Plan


@dataclass(slots=True, eq=False)
class Cell:
    """One token at one position. Nothing holds it any more when no sequence does."""

    token: int
    position: int
    adapters: Hashable


@dataclass(slots=True)
class Memory:
    """Each sequence is the list of its cells; several may have the same cell."""

    room: Room
    sequences: dict[int, list[Cell]] = field(default_factory=dict)
    evaluated: int = 0
    passes: int = 0

    def text(self, sequence: int) -> tuple[int, ...]:
        return tuple(cell.token for cell in self.sequences.get(sequence, ()))

    @property
    def cells(self) -> int:
        """How many are taken."""
        return len({id(cell) for cells in self.sequences.values() for cell in cells})

    def operate(self, operations: Sequence[Operation]) -> None:
        for operation in operations:
            match operation:
                case Copy(source, target, until):
                    self._check(source, target)
                    cells = self.sequences.get(source, [])
                    assert not self.sequences.get(target), "copied into a sequence that is taken"
                    assert 0 < until <= len(cells), "copied more than there is"
                    assert self.room.can_cut or until == len(cells), "a recurrent state is copied whole"
                    self.sequences[target] = cells[:until]
                case Cut(sequence, start):
                    self._check(sequence)
                    assert self.room.can_cut, "a recurrent state cannot be cut"
                    assert 0 < start <= len(self.sequences[sequence])
                    del self.sequences[sequence][start:]
                case Forget(sequence):
                    self._check(sequence)
                    self.sequences.pop(sequence, None)

    def _check(self, *sequences: int) -> None:
        assert all(0 <= sequence < self.room.sequences for sequence in sequences)

    def evaluate(self, plan: Plan) -> None:
        """One forward pass, its operations done."""
        size = len(plan.tokens)
        assert 0 < size <= self.room.batch_tokens
        assert size == len(plan.positions) == len(plan.sequences)
        assert plan.outputs == sorted(set(plan.outputs))
        assert len(plan.outputs) <= (self.room.outputs_max or size)
        for token, position, sequence in zip(plan.tokens, plan.positions, plan.sequences, strict=True):
            self._check(sequence)
            cells = self.sequences.setdefault(sequence, [])
            assert position == len(cells), "a gap, or a position evaluated twice"
            assert all(cell.adapters == plan.adapters for cell in cells), "evaluated with other adapters"
            cells.append(Cell(token, position, plan.adapters))
        assert self.cells <= self.room.cells, "the cache overflows"
        self.evaluated += size
        self.passes += 1
