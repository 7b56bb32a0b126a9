"""Counting shared cells: against a list of every cell."""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from node.model.batch.cells import Cells, Segment


@dataclass(slots=True, eq=False)
class Prompt:
    leaf: Segment
    cells: list[object]
    used: bool = True


class Counting(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.cells = Cells()
        self.prompts: list[Prompt] = []

    @rule(size=st.integers(1, 30))
    def add(self, size: int) -> None:
        self.prompts.append(Prompt(self.cells.add(None, 0, size), [object() for _ in range(size)]))

    @precondition(lambda self: self.prompts)
    @rule(data=st.data(), more=st.integers(1, 10))
    def share(self, data: st.DataObject, more: int) -> None:
        source = data.draw(st.sampled_from(self.prompts))
        shared = data.draw(st.integers(0, len(source.cells)))
        leaf = self.cells.add(source.leaf, shared, shared + more)
        self.prompts.append(Prompt(leaf, source.cells[:shared] + [object() for _ in range(more)]))

    @precondition(lambda self: any(prompt.used for prompt in self.prompts))
    @rule(data=st.data())
    def rest(self, data: st.DataObject) -> None:
        prompt = data.draw(st.sampled_from([prompt for prompt in self.prompts if prompt.used]))
        self.cells.rest(prompt.leaf)
        prompt.used = False

    @precondition(lambda self: not all(prompt.used for prompt in self.prompts))
    @rule(data=st.data(), keep=st.booleans())
    def shorten_or_drop(self, data: st.DataObject, keep: bool) -> None:
        prompt = data.draw(st.sampled_from([prompt for prompt in self.prompts if not prompt.used]))
        if keep:
            size = data.draw(st.integers(1, len(prompt.cells)))
            prompt.leaf = self.cells.shorten(prompt.leaf, size)
            del prompt.cells[size:]
        else:
            self.cells.drop(prompt.leaf)
            self.prompts.remove(prompt)

    @invariant()
    def all_are_counted_once(self) -> None:
        assert self.cells.held == len({id(cell) for prompt in self.prompts for cell in prompt.cells})
        assert self.cells.used == len({id(cell) for prompt in self.prompts if prompt.used for cell in prompt.cells})


TestCounting = Counting.TestCase
