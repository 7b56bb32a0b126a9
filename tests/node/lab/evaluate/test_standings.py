"""What a node remembers of a measurement: by hand, and that it can be read back and recognized."""

from pathlib import Path

from node.lab.evaluate.items import suite
from node.lab.evaluate.live import LiveMoot
from node.lab.evaluate.measure import Measured
from node.lab.evaluate.standings import replace_file, standing_of
from node.standing import Standing
from tests.node.lab.evaluate.scripted import Silent, item
from tests.node.lab.evaluate.test_live import NODES, FakeNode

MOOT = bytes([7]) * 32


def measured(count: int) -> Measured:
    """Ada is always right, and together they are always wrong."""
    moot = LiveMoot(FakeNode())
    found = moot.prepare(["points"])
    moot.measure([item(text=f"what is {number} + 4?") for number in range(count)], Silent(), found)
    return found


def test_who_is_better_in_a_class() -> None:
    standing = standing_of(measured(8), MOOT, 5, 1)
    sums = standing.classes["sums"]
    assert (sums.questions, sums.together, dict(sums.members)) == (8, 0, {NODES["ada"]: 8, NODES["bea"]: 0})
    assert sums.best == NODES["ada"] and sums.better and sums.difference[0] == 1.0
    assert (standing.tally, standing.moot, standing.measured_ms) == ("points", MOOT, 5)
    assert Standing.read(standing.write()) == standing
    assert standing.recognizer.recognize("what is 99 + 4?") == "sums"


def test_too_few_questions_show_no_difference() -> None:
    """Five wins of five may be chance: one in sixteen."""
    assert not standing_of(measured(5), MOOT, 5, 1).classes["sums"].better


def test_a_skill_of_the_suite_is_recognized_in_questions_that_were_not_asked() -> None:
    moot = LiveMoot(FakeNode())
    found = moot.prepare(["points"])
    moot.measure(suite(["calendar", "strings"], [1, 2], 4, 1), Silent(), found)
    recognizer = standing_of(found, MOOT, 5, 1).recognizer
    others = suite(["calendar", "strings"], [1, 2], 40, 2)
    assert sum(recognizer.recognize(one.prompt) == one.group for one in others) >= 70


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "standing.json"
    path.write_bytes(b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]
