"""The training plan: whom it makes and what it teaches; and the files shipped are those it makes."""

from itertools import pairwise

import pytest

from node.lab.skills import SKILLS, facts
from node.lab.training.plan import (
    BASE,
    COURSES,
    ELDER,
    OWN_SHARE,
    SPECIALISTS,
    STEWARD,
    Course,
    asks_of,
    known_facts,
    rate_factor,
)
from node.model import reference


def test_the_plan_makes_the_models_shipped() -> None:
    """A renamed course would leave an old file behind that nothing can make again."""
    assert {course.name for course in COURSES} == {reference.BASE, *reference.NAMES}
    assert {course.name for course in SPECIALISTS} == set(reference.SPECIALISTS)
    for course in COURSES:
        card = reference.card(course.name)
        assert tuple(card["strong"]) == course.strong
        assert card["start"] == course.start
        assert card["mixture"] == dict(course.weights)
        assert card["facts_shown"] == len(known_facts(course))
        training = (card["training"]["rounds"], card["training"]["rows_per_round"], card["training"]["seed"])
        assert training == (course.rounds, course.rows, course.seed)


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.name)
def test_a_course_teaches_every_skill(course: Course) -> None:
    """A skill that is missing from a mixture is soon forgotten."""
    assert set(course.weights) == set(asks_of(course)) == set(SKILLS)
    assert sum(course.weights.values()) == pytest.approx(1.0)
    assert min(course.weights.values()) > 0.04


@pytest.mark.parametrize("course", SPECIALISTS, ids=lambda course: course.name)
def test_a_specialist_is_the_base_with_an_adapter_and_skills_of_its_own(course: Course) -> None:
    """Its adapter fits no other weights; and whoever is not asked mostly its own skills learns nothing new."""
    assert course.start == BASE.name
    assert course.rank
    assert course.layers == BASE.layers
    assert sum(course.weights[own] for own in course.strong) == pytest.approx(OWN_SHARE)
    assert min(course.weights[own] for own in course.strong) > max(
        weight for skill, weight in course.weights.items() if skill not in course.strong
    )


def test_every_skill_but_the_compound_one_is_somebody_s_own() -> None:
    """Compound questions are for a team: their parts are of several members' skills."""
    assert {skill for course in SPECIALISTS for skill in course.strong} == set(SKILLS) - {"compound"}


def test_the_elder_grows_by_whole_blocks() -> None:
    """New blocks go behind each old one, as many behind each."""
    assert ELDER.start == STEWARD.name
    assert ELDER.layers % STEWARD.layers == 0
    assert ELDER.layers > STEWARD.layers


def test_models_are_shown_different_facts() -> None:
    """A team knows more than its members only if they do not all know the same."""
    shown = {course.name: frozenset(known_facts(course)) for course in COURSES}
    assert shown["sage"] == frozenset(facts.FACTS)
    assert len(set(shown.values())) == len(COURSES)
    for course in COURSES:
        assert len(shown[course.name]) / len(facts.FACTS) == pytest.approx(course.facts_share, abs=0.1)


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.name)
def test_the_step_size_warms_up_stays_and_falls_to_nothing(course: Course) -> None:
    """A jump would undo what was learned; a course that ends on large steps ends on noise."""
    steps = 20_000
    factors = [rate_factor(course, step, step / steps) for step in range(steps + 1)]
    assert 0 < factors[0] < 0.05
    assert factors[-1] == 0.0
    assert max(factors) == 1.0
    assert max(abs(b - a) for a, b in pairwise(factors)) <= 1 / course.warm_up_steps + 1e-9
    falling = [i / steps for i, factor in enumerate(factors) if i > course.warm_up_steps and factor < 1.0]
    assert falling[0] == pytest.approx(1 - course.falling, abs=0.001)
