"""Which prompts begin alike: against comparing them token by token."""

from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from node.model.batch.cells import Segment
from node.model.batch.trunk import Shelf, Trunk, common, packed

TOKENS = st.lists(st.sampled_from([0, 1, 256, 65_536, 2**31 - 1]), min_size=1, max_size=8)


def alike(one: list[int], other: list[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


@given(TOKENS, TOKENS)
def test_common(one: list[int], other: list[int]) -> None:
    assert common(packed(one), packed(other)) == alike(one, other)


@given(st.lists(TOKENS, max_size=12), TOKENS, st.data())
def test_shelf(prompts: list[list[int]], asked: list[int], data: st.DataObject) -> None:
    """Most alike first, and none left out; what is longer and what is shorter stands beside it."""
    shelf = Shelf()
    trunks = [Trunk((), packed(prompt), number, Segment(None, len(prompt)), 0) for number, prompt in enumerate(prompts)]
    for trunk in trunks:
        shelf.add(trunk)
    for trunk in data.draw(st.lists(st.sampled_from(trunks), unique_by=id)) if trunks else []:
        shelf.remove(trunk)
        trunks.remove(trunk)
    found = list(shelf.alike(packed(asked)))
    assert [size for _, size in found] == sorted(alike(asked, prompts[trunk.sequence]) for trunk in trunks)[::-1]
    assert all(size == alike(asked, prompts[trunk.sequence]) for trunk, size in found)
    assert bool(shelf) is bool(trunks)
    for trunk in trunks:
        longer = {id(other) for other in trunks if other is not trunk and other.data.startswith(trunk.data)}
        assert {id(other) for other in shelf.longer(trunk)} == longer
        assert all(trunk.data.startswith(other.data) and other is not trunk for other in shelf.shorter(trunk))
