"""The replay window takes each envelope once, in any order that a network makes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.transport.replay import WINDOW, ReplayWindow


def offer(window: ReplayWindow, epoch: int, sequence: int) -> bool:
    if not window.is_fresh(epoch, sequence):
        return False
    window.note(epoch, sequence)
    return True


@pytest.mark.parametrize(
    ("came", "then", "fresh"),
    [
        pytest.param([], (0, 0), True, id="the first of all, however small"),
        pytest.param([(5, 1)], (5, 1), False, id="the same again"),
        pytest.param([(5, 1)], (5, 2), True, id="the next"),
        pytest.param([(5, 1), (5, 3)], (5, 2), True, id="one that was overtaken"),
        pytest.param([(5, 1), (5, 3), (5, 2)], (5, 2), False, id="one that was overtaken, again"),
        pytest.param([(5, 100)], (5, 37), True, id="the oldest in the window"),
        pytest.param([(5, 100)], (5, 36), False, id="older than the window"),
        pytest.param([(5, 1), (5, 65)], (5, 1), False, id="moved out of the window"),
        pytest.param([(5, 2), (5, 65)], (5, 2), False, id="moved to the window's edge"),
        pytest.param([(5, 7), (5, 2**64 - 1)], (5, 7), False, id="far behind"),
        pytest.param([(5, 2**64 - 1)], (6, 0), True, id="a restart begins anew"),
        pytest.param([(5, 1), (6, 1)], (5, 2), False, id="before the restart"),
    ],
)
def test_window(came: list[tuple[int, int]], then: tuple[int, int], fresh: bool) -> None:
    window = ReplayWindow()
    assert all(offer(window, *envelope) for envelope in came)
    assert offer(window, *then) is fresh


def test_looking_changes_nothing() -> None:
    """A forged envelope is looked at before its signature is checked."""
    window = ReplayWindow()
    assert window.is_fresh(9, 9)
    assert offer(window, 1, 1)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 200)), max_size=300))
def test_each_passes_at_most_once_and_newer_ones_always(envelopes: list[tuple[int, int]]) -> None:
    """The definition, against a memory without end."""
    window, taken = ReplayWindow(), set[tuple[int, int]]()
    for epoch, sequence in envelopes:
        newest = max((key[0] for key in taken), default=-1)
        highest = max((key[1] for key in taken if key[0] == newest), default=-1)
        in_window = epoch > newest or (epoch == newest and sequence > highest - WINDOW)
        assert offer(window, epoch, sequence) is (in_window and (epoch, sequence) not in taken)
        if in_window:
            taken.add((epoch, sequence))
