"""The hash tree: each leaf has its path, and nothing else leads to the root."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.ledger.merkle import EMPTY, leaf, path, root, root_of_path

LEAVES = [leaf(bytes([number])) for number in range(40)]


@pytest.mark.parametrize("count", range(1, 34))
def test_every_leaf_has_its_path(count: int) -> None:
    leaves = LEAVES[:count]
    for index in range(count):
        assert root_of_path(leaves[index], index, count, path(leaves, index)) == root(leaves)


def test_the_tree_is_that_of_the_source() -> None:
    """RFC 9162, section 2.1.1, with its prefixes 0x00 and 0x01, for three leaves."""
    a, b, c = (sha256(b"\0" + data).digest() for data in (b"a", b"b", b"c"))
    left = sha256(b"\1" + a + b).digest()
    assert root([leaf(b"a"), leaf(b"b"), leaf(b"c")]) == sha256(b"\1" + left + c).digest()
    assert root([]) == EMPTY == sha256(b"").digest()


@st.composite
def changed(draw: st.DrawFn) -> tuple[int, int, bytes, int, int, list[bytes]]:
    """(count, index) of a leaf, and a leaf, index, count and path of which at least one differs."""
    count = draw(st.integers(1, 33))
    index = draw(st.integers(0, count - 1))
    siblings = list(path(LEAVES[:count], index))
    start, claimed, of = LEAVES[index], index, count
    what = draw(st.sampled_from(["leaf", "index", "count", "longer"] + ["path", "shorter", "swapped"] * bool(siblings)))
    match what:
        case "leaf":
            start = draw(st.sampled_from([*LEAVES[:index], *LEAVES[index + 1 :]]))
        case "index":
            claimed = draw(st.integers(-2, 40).filter(lambda other: other != index))
        case "count":
            of = draw(st.integers(0, 40).filter(lambda other: other != count))
        case "longer":
            siblings.insert(draw(st.integers(0, len(siblings))), LEAVES[39])
        case "path":
            place = draw(st.integers(0, len(siblings) - 1))
            siblings[place] = LEAVES[39]
        case "shorter":
            siblings.pop(draw(st.integers(0, len(siblings) - 1)))
        case "swapped":
            place = draw(st.integers(0, len(siblings) - 1))
            start, siblings[place] = siblings[place], start
    return count, index, start, claimed, of, siblings


@given(changed())
def test_nothing_else_leads_to_the_root(case: tuple[int, int, bytes, int, int, list[bytes]]) -> None:
    """If it did, a certificate could prove a question that was never decided, or another place for it."""
    count, index, start, claimed, of, siblings = case
    found = root_of_path(start, claimed, of, siblings)
    if claimed == index and start == LEAVES[index] and siblings == list(path(LEAVES[:count], index)):
        # The same path may fit a tree of another size, with the same root: the size stands in the header, signed too.
        assert found in (None, root(LEAVES[:count])) and of != count
    else:
        assert found != root(LEAVES[:count])


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=9))
def test_an_inner_node_is_no_leaf(data: list[bytes]) -> None:
    """Without different prefixes the two halves of a tree would pass for the leaves of a smaller one."""
    leaves = [leaf(one) for one in data]
    inner = leaves[0] + leaves[1]
    assert leaf(inner) != root(leaves[:2])
