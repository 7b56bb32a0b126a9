"""Examples of working together say what is so: a judged answer is right or wrong as the example says."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from coordinator import prompts
from coordinator.answers import ARROW
from node.lab.skills import LEVELS, SKILLS, Task
from node.lab.skills.compound import Compound
from node.lab.skills.ways import PROMPT_LENGTH_MAX, REPLY_LENGTH_MAX, WAYS, Example, example
from node.lab.training.tokens import prompt

DRAWN = 300  # of each skill and level
every_way = pytest.mark.parametrize("way", WAYS)


def drawn(way: str, count: int = DRAWN) -> Iterator[tuple[Task, Example]]:
    """Questions of all skills and levels with an example in this way, where there is one."""
    rng = random.Random(f"ways:{way}")
    for skill in SKILLS:
        for level in LEVELS:
            for _ in range(count):
                task = SKILLS[skill](rng, level)
                made = WAYS[way](rng, task)
                if made is not None:
                    yield task, made


def below(task: Task, made: Example) -> list[str]:
    """The lines of the prompt below the question's."""
    assert made.prompt.startswith(prompt(task))
    return made.prompt.removeprefix(prompt(task)).splitlines()


def after(start: str, line: str, end: str = "") -> str:
    assert line.startswith(start) and line.endswith(end), line
    return line[len(start) : len(line) - len(end)]


@every_way
def test_examples_fit_a_model(way: str) -> None:
    """Prompt and reply share a small context, and each is made of characters that the models have."""
    found = list(drawn(way))
    assert len(found) > 500
    for _, made in found:
        assert made.way == way
        assert len(made.prompt) <= PROMPT_LENGTH_MAX and len(made.reply) <= REPLY_LENGTH_MAX
        assert made.prompt.endswith("\n") and "\n" not in made.reply
        assert (made.prompt + made.reply).replace("\n", "").isascii()


@pytest.mark.parametrize("way", ["answer", "revise", "reconsider", "choose", "go_on", "use"])
def test_whoever_answers_in_the_end_answers_right(way: str) -> None:
    """Models learn to answer from these."""
    for task, made in drawn(way):
        assert prompts.answer_of(made.reply) == task.answer


def test_others_are_right_more_or_less_often() -> None:
    """If the others were always right, to follow them would be all there is to learn; if never, to ignore them."""
    right, mine_right, found = 0, 0, 0
    shares = Counter[float]()
    for task, made in drawn("revise"):
        others, mine = below(task, made)
        answers = after("Others: ", others).split("; ")
        assert set(answers) <= {task.answer, *task.near}
        said = after("Mine: ", mine)
        assert said in (task.answer, *task.near)
        mine_right += said == task.answer
        right += answers.count(task.answer)
        shares[answers.count(task.answer) / len(answers)] += 1
        found += len(answers)
    assert 0.45 < right / found < 0.55
    assert 0.45 < mine_right / shares.total() < 0.55
    assert min(shares[0], shares[1]) > 0.1 * shares.total()


@pytest.mark.parametrize("way", ["judge", "critique"])
def test_verdicts_are_true_and_balanced(way: str) -> None:
    """A model taught false verdicts, or always the same one, judges nothing."""
    verdicts = Counter[bool]()
    for task, made in drawn(way):
        line = below(task, made)[0]
        proposed = after("Is it ", line, "?") if way == "judge" else after("Answer: ", line)
        is_right = proposed == task.answer
        assert proposed in (task.answer, *task.near)
        assert prompts.verdict_of(made.reply) is is_right
        if way == "critique":
            assert prompts.correction_of(made.reply) == (None if is_right else task.answer)
        verdicts[is_right] += 1
    assert 0.45 < verdicts[True] / verdicts.total() < 0.55


def test_critics_may_be_mistaken() -> None:
    """If the critic were always right, a model would learn to repeat what it says."""
    right = Counter[bool]()
    for task, made in drawn("reconsider"):
        mine, criticism = (
            after(start, line) for start, line in zip(("Mine: ", "Critique: "), below(task, made), strict=True)
        )
        verdict = prompts.verdict_of(criticism)
        assert verdict is not None
        better = prompts.correction_of(criticism) or mine
        assert verdict is (better == mine), "a critic who calls it wrong says something else"
        right[better == task.answer] += 1
    assert 0.67 < right[True] / right.total() < 0.73


def test_one_candidate_is_right() -> None:
    """Two right ones, or none, could not be chosen among; the right one has no favourite place."""
    places = Counter[int]()
    for task, made in drawn("choose"):
        (line,) = below(task, made)
        candidates = after("Which: ", line).split(" / ")
        assert candidates.count(task.answer) == 1 and set(candidates) - {task.answer} <= set(task.near)
        if len(candidates) == 3:
            places[candidates.index(task.answer)] += 1
    share = places.total() / 3
    assert all(abs(places[place] - share) < 5 * share**0.5 for place in range(3)), places


def test_work_goes_on_where_it_stopped() -> None:
    """Two members' halves make one's whole."""
    for task, made in drawn("go_on"):
        (line,) = below(task, made)
        rest = made.reply.rpartition(f" {ARROW} ")[0]
        assert rest and f"{after('Work: ', line)} {rest}" == task.work


@pytest.mark.parametrize("way", ["split", "use"])
def test_only_compound_questions_are_split(way: str) -> None:
    """A question of one part has nothing to divide among members."""
    for task, made in drawn(way):
        assert isinstance(task, Compound)
        if way == "split":
            assert below(task, made) == ["Split it."]
            assert prompts.parts_of(made.reply) == task.parts
        else:
            assert [after("Parts: ", line).split("; ") for line in below(task, made)] == [list(task.inner)]


def test_six_of_ten_are_asked_alone_and_every_way_comes_up() -> None:
    """Working together is of use only among those who can answer."""
    rng = random.Random("mixture")
    ways = Counter(
        example(rng, SKILLS[skill](rng, level)).way for skill in SKILLS for level in LEVELS for _ in range(DRAWN)
    )
    assert set(ways) == set(WAYS)
    assert 0.57 < ways["answer"] / ways.total() < 0.63
    assert min(ways.values()) > 0.002 * ways.total()


def test_one_seed_makes_one_list_of_examples() -> None:
    """A training can be repeated."""
    first, second = (
        [example(rng, SKILLS["logic"](rng, 2)) for _ in range(200)] for rng in (random.Random(5), random.Random(5))
    )
    assert first == second
