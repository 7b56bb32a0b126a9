"""The suite's questions: chosen by the seed alone, held out, in every level alike."""

from collections import Counter

from node.lab.evaluate.items import suite


def test_the_seed_alone_decides() -> None:
    assert suite(["calendar", "logic"], [1, 2, 3], 12, 5) == suite(["calendar", "logic"], [1, 2, 3], 12, 5)
    assert suite(["calendar"], [1], 12, 5) != suite(["calendar"], [1], 12, 6)


def test_a_skills_questions_do_not_depend_on_the_others() -> None:
    """Two measurements of one skill can so be compared."""
    both = suite(["calendar", "logic"], [1, 2, 3], 12, 5)
    assert [item for item in both if item.group == "logic"] == suite(["logic"], [1, 2, 3], 12, 5)


def test_levels_come_in_equal_parts() -> None:
    items = suite(["arithmetic", "units"], [1, 3], 10, 5)
    assert Counter((item.group, item.level) for item in items) == {
        (skill, level): 5 for skill in ("arithmetic", "units") for level in (1, 3)
    }
