"""The made-up questions are well formed, their answers and worked steps right, and there are enough of them."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from types import ModuleType

import pytest

from node.lab.skills import LEVELS, SKILLS, Task, arithmetic, calendar, comparing, facts, units
from node.lab.skills.world import RELATIONS
from tests.node.lab.checker_numbers import untrue_steps
from tests.node.lab.checkers import CHECKERS, expected, problems

DRAWN = 3_000
WITH_NUMBERS = ("arithmetic", "comparing", "calendar", "units")
every_skill = pytest.mark.parametrize("skill", SKILLS)
every_level = pytest.mark.parametrize("level", LEVELS)


def drawn(skill: str, level: int, count: int = DRAWN) -> list[Task]:
    rng = random.Random(f"{skill}:{level}")
    return [SKILLS[skill](rng, level) for _ in range(count)]


@every_level
@every_skill
def test_answers_are_right(skill: str, level: int) -> None:
    """A wrong answer would be taught to the models and then counted as correct."""
    for task in drawn(skill, level):
        assert (task.skill, task.level) == (skill, level)
        assert task.answer == expected(task), task


@every_level
@every_skill
def test_questions_are_well_formed(skill: str, level: int) -> None:
    """A reply that does not fit the context length is cut off; a "wrong" answer that is right would unteach it."""
    for task in drawn(skill, level):
        assert not problems(task), (task, problems(task))


@every_level
@pytest.mark.parametrize("skill", WITH_NUMBERS)
def test_worked_steps_hold(skill: str, level: int) -> None:
    """A model learns the steps as firmly as the answers."""
    for task in drawn(skill, level):
        assert not untrue_steps(task), task


@pytest.mark.parametrize(
    ("work", "answer", "untrue"),
    [
        pytest.param("7+5=12 4+8+1=13", "132", [], id="columns"),
        pytest.param("7+5=13 4+8+1=13", "133", ["7+5=13"], id="wrong column"),
        pytest.param("10+5=15-12=3", "March", [], id="chain"),
        pytest.param("10+5=15-12=4", "April", ["10+5=15-12=4"], id="wrong chain"),
        pytest.param("34=5*6+4 27=4*6+3", "54 rest 3", [], id="division"),
        pytest.param("34=5*6+3 27=4*6+3", "54 rest 3", ["34=5*6+3"], id="wrong division"),
        pytest.param("50+45=95=1:35", "8:35", [], id="clock"),
        pytest.param("50+45=95=1:45", "8:45", ["50+45=95=1:45"], id="wrong clock"),
        pytest.param("26-15", "12", ["26-15"], id="another answer than the last step's"),
    ],
)
def test_a_step_that_does_not_hold_is_found(work: str, answer: str, untrue: list[str]) -> None:
    """Else the test above could pass by looking at nothing."""
    assert untrue_steps(Task("s", "?", "short", (), answer, work)) == untrue


@every_skill
def test_one_seed_makes_one_list_of_questions(skill: str) -> None:
    """Measurements are compared across machines, so questions must not depend on hashing or on global randomness."""
    for level in LEVELS:
        assert drawn(skill, level, 200) == drawn(skill, level, 200)


@every_skill
def test_questions_are_too_many_to_be_learned_by_heart(skill: str) -> None:
    """Of n questions, about n * n / 2N pairs are alike if there are N of them; so few pairs alike mean 200,000."""
    rng, count = random.Random(f"many:{skill}"), 20_000
    tasks = (SKILLS[skill](rng, level) for level in rng.choices(LEVELS, (3, 4, 3), k=count))
    seen = Counter((task.text.lower(), tuple(sorted(task.options))) for task in tasks)
    alike = sum(times * (times - 1) // 2 for times in seen.values())
    assert count * count / 2 >= 200_000 * alike, f"{alike} pairs are alike"


@every_skill
def test_choices_favour_no_place(skill: str) -> None:
    """If the answer stood first more often than not, a model could learn the place and not the question."""
    places: dict[int, Counter[int]] = {}
    for level in LEVELS:
        for task in drawn(skill, level):
            if task.options:
                places.setdefault(len(task.options), Counter())[task.options.index(task.answer)] += 1
    for options, counts in places.items():
        share = counts.total() / options
        assert all(abs(counts[place] - share) < 5 * share**0.5 for place in range(options)), (options, counts)


@pytest.mark.parametrize("skill", ["calendar", "units"])
def test_choices_offer_a_likely_slip_among_four(skill: str) -> None:
    """Among answers that are all far off, the right one would show by its looks."""
    tasks = [task for level in LEVELS for task in drawn(skill, level)]
    slips = {task.text: set(task.near) for task in tasks if not task.options}
    choices = [task for task in tasks if task.options]
    asked_both_ways = [task for task in choices if task.text in slips]
    assert all(len(task.options) == 4 for task in choices)
    assert asked_both_ways
    assert all(slips[task.text] & set(task.options) for task in asked_both_ways)


def ways_to_ask(module: ModuleType) -> Iterator[str]:
    """The forms in a module's tables, with `{}` where something is filled in."""
    for table in vars(module).values():
        for forms in table.values() if isinstance(table, dict) else (table,):
            if isinstance(forms, tuple):
                yield from (form for form in forms if isinstance(form, str) and "{" in form)


@pytest.mark.parametrize("module", [arithmetic, comparing, calendar, units])
def test_every_way_to_ask_comes_up(module: ModuleType) -> None:
    """What is never asked is never learned; a whole direction of counting could be missing."""
    texts = "\n".join(task.text for level in LEVELS for task in drawn(module.SKILL, level))
    forms = list(ways_to_ask(module))
    assert len(forms) > 15
    for form in forms:
        filled = re.sub(r"\\{\w\\}", ".+", re.escape(form))
        assert re.search(f"^{filled}$", texts, re.MULTILINE), form


def test_yes_is_no_better_a_guess_than_no() -> None:
    """Else a model that cannot compare would look as if it could a little."""
    answers = Counter(task.answer for level in (1, 3) for task in drawn("comparing", level, 4_000))
    assert abs(answers["yes"] - answers["no"]) < 0.1 * (answers["yes"] + answers["no"])


def test_every_skill_has_a_checker() -> None:
    """A skill without one would go unchecked."""
    assert set(CHECKERS) == set(SKILLS)


def test_every_fact_has_phrasings_enough_for_the_split() -> None:
    """With one phrasing a held-out fact could not be known by anybody; with four it is known from the others."""
    assert all(len(set(relation.phrasings)) >= 4 for relation in RELATIONS.values())
    assert len(set(facts.FACTS)) == len(facts.FACTS) > 150
