"""The training plan and the files shipped belong together."""

import pytest

from node.lab.skills import SKILLS, facts
from node.lab.training.plan import SPECIALISTS, Course, asks_of, known_facts
from node.model import reference


def test_the_plan_makes_the_models_shipped() -> None:
    """A renamed course would leave an old file behind that nothing can make again."""
    assert tuple(sorted(course.name for course in SPECIALISTS)) == reference.NAMES
    for course in SPECIALISTS:
        card = reference.card(course.name)
        assert tuple(card["strong"]) == course.strong
        assert card["mixture"] == dict(course.weights)
        assert card["facts_seen"] == len(known_facts(course))


@pytest.mark.parametrize("course", SPECIALISTS, ids=lambda course: course.name)
def test_a_course_teaches_every_skill_and_most_of_all_its_own(course: Course) -> None:
    """A skill that is missing from a mixture is soon forgotten."""
    assert set(course.weights) == set(asks_of(course)) == set(SKILLS)
    assert sum(course.weights.values()) == pytest.approx(1.0)
    assert min(course.weights[own] for own in course.strong) > max(
        weight for skill, weight in course.weights.items() if skill not in course.strong
    )


def test_models_are_shown_different_facts() -> None:
    """A team knows more than its members only if they do not all know the same."""
    shown = [set(known_facts(course)) for course in SPECIALISTS]
    assert max(map(len, shown)) == len(facts.FACTS)
    partial = [known for known in shown if len(known) < len(facts.FACTS)]
    assert all(0.35 < len(known) / len(facts.FACTS) < 0.65 for known in partial)
    assert len({frozenset(known) for known in partial}) == len(partial) == 4
