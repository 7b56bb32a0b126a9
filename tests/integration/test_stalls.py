"""Nodes that are away for a while: stalled by their machine, or too many at once for a quorum."""

import time
from collections.abc import Callable

import pytest

from node.errors import Exit
from tests.integration.moots import PATIENCE_S, LocalMoot, common, run_moot


def test_a_stalled_node_delays_nobody_and_catches_up(five: LocalMoot) -> None:
    """Whoever cannot answer is noticed, and taken back as soon as it can: nobody stays dead."""
    five.freeze("scribe")
    first = five.ask("sage", "What is 5 plus 6?")
    five.wait_seen("scribe", ("suspect", "dead"))
    second = five.ask("sorter", "What is 6 plus 7?")
    awake = [name for name in five.names if name != "scribe"]
    decisions = [five.decided(question, awake) for question in (first, second)]
    five.wait_seen("scribe", ("dead",))
    five.thaw("scribe")
    five.wait_whole()
    for decision in decisions:
        five.decided(decision["id"])
        assert common(five.client("scribe").decision(decision["id"])) == common(decision)
    third = five.decided(five.ask("scribe", "What is 7 plus 8?"))
    assert {member["state"] for member in third["members"]} == {"answered"}


@pytest.mark.parametrize(
    ("go", "seconds_max"),
    [
        pytest.param(LocalMoot.end, 10, id="told to stop"),
        pytest.param(LocalMoot.kill, 30, id="killed"),  # Noticed only when they do not answer.
    ],
)
def test_two_of_five_end_without_a_quorum_and_go_on_when_the_others_return(
    five: LocalMoot, go: Callable[[LocalMoot, str], int], seconds_max: int
) -> None:
    """The asker is told soon after the deadline. The question stays open; members that return still end it."""
    for name in ("abacus", "almanac", "sage"):
        go(five, name)
    started = time.monotonic()
    arguments = ["What is 8 plus 9?", "--kind", "number", "--deadline-ms", "2000", "--home", str(five.home("sorter"))]
    ran = run_moot("ask", *arguments)
    seconds = time.monotonic() - started
    assert (ran.returncode, ran.stdout) == (Exit.NO_QUORUM, ""), ran.stderr
    assert "no quorum: 2 of 5 members answered by the deadline" in ran.stderr
    assert 2 <= seconds < seconds_max
    question = five.client("sorter").decisions(1)[0]["id"]
    scribe = five.client("scribe")  # It may notice a moment later that the others are gone.
    five.wait_for("the same word", lambda: scribe.decision(question)["state"] == "no_quorum" or None, PATIENCE_S)
    five.start_all()
    ended = five.ended(question, five.names)  # With the answers that had come when a quorum could vote again.
    assert (ended["state"], ended["answered"] >= ended["turnout"]) in (("decided", True), ("no_quorum", False))
    five.decided(five.ask("abacus", "What is 9 plus 9?"))
