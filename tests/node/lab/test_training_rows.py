"""Training data: the same each time, of the training side only, with the reply as the part that is learned."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from coordinator import prompts
from node.lab.skills import Task, held_out, ways
from node.lab.skills.task import normalized
from node.lab.training import rows as training_rows
from node.lab.training.plan import SPECIALISTS, STEWARD, asks_of
from node.lab.training.rows import BATCH_TOKENS, Row, grouped, row, rows
from node.lab.training.tokens import CONTEXT_LENGTH, END, START, decode, prompt

COURSE = replace(STEWARD, rows=2000)


def asked(example: Row) -> str:
    return decode(list(example.ids[: example.begin]))


def told(example: Row) -> str:
    return decode(list(example.ids[example.begin :]))


def test_a_row_is_a_prompt_and_its_reply() -> None:
    """An end that is not learned would leave a model that never stops."""
    made = row("2 + 3 = ?\n", "5\n")
    assert (made.ids[0], made.ids[-1]) == (START, END)
    assert asked(made) == "2 + 3 = ?\n"
    assert told(made) == "5\n"


def test_a_round_can_be_drawn_again_and_differs_from_the_next() -> None:
    """A training that was stopped and goes on must not differ from one that was not."""
    assert rows(COURSE, 3) == rows(COURSE, 3)
    assert len({*rows(COURSE, 3)} & {*rows(COURSE, 4)}) < 200


def test_what_is_held_out_is_never_trained_in_any_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in ten is left out, plain or with others' answers below it: a prompt begins with its question's line."""
    held: set[str] = set()
    kept: set[str] = set()

    def spy(task: Task) -> bool:
        out = held_out(task)
        (held if out else kept).add(normalized(prompt(task)))
        return out

    monkeypatch.setattr(training_rows, "held_out", spy)
    examples = rows(COURSE, 0)
    assert 0.05 * COURSE.rows < COURSE.rows - len(examples) < 0.15 * COURSE.rows
    lines = {normalized(asked(example).split("\n")[0]) for example in examples}
    assert lines <= kept
    assert not lines & held


def test_a_course_asks_in_proportion_to_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A specialist gets mostly its own questions, and everybody gets all ways to work with others."""
    drawn: Counter[str] = Counter()
    worked: Counter[str] = Counter()
    really = ways.example

    def spy(rng: random.Random, task: Task) -> ways.Example:
        made = really(rng, task)
        drawn[task.skill] += 1
        worked[made.way] += 1
        return made

    monkeypatch.setattr(ways, "example", spy)
    course = replace(SPECIALISTS[0], rows=4000)
    rows(course, 0)
    for skill, weight in course.weights.items():
        assert drawn[skill] / drawn.total() == pytest.approx(weight, abs=0.03)
    assert set(worked) == set(ways.WAYS)
    assert worked["answer"] / worked.total() == pytest.approx(0.6, abs=0.05)


def test_rows_fit_the_context() -> None:
    """A longer one would be trained on positions that no model is run at."""
    assert max(len(example.ids) for example in rows(COURSE, 1)) <= CONTEXT_LENGTH


def test_a_plain_example_is_the_question_and_the_reply() -> None:
    """What measuring asks must be what training asked."""
    rng = random.Random(1)
    for skill, ask in asks_of(STEWARD).items():
        task = ask(rng, 1)
        example = ways.answer(rng, task)
        assert example is not None, skill
        assert (example.prompt, example.reply) == (prompt(task), ways.worked_out(task))
        assert prompts.answer_of(example.reply) == task.answer


def test_groups_hold_every_row_once_and_little_padding() -> None:
    """Rows of about one length share a batch; none is lost or doubled; order is by chance but not by the clock."""
    examples = rows(COURSE, 2)
    groups = grouped(random.Random(1), examples)
    assert Counter(example for group in groups for example in group) == Counter(examples)
    assert groups == grouped(random.Random(1), examples)
    padded = [len(group) * max(len(example.ids) for example in group) for group in groups]
    assert max(padded) <= BATCH_TOKENS
    assert sum(padded) < 1.2 * sum(len(example.ids) for example in examples)
