"""Held-out questions and their right answers, which no node knows: for the demo and the benchmark."""

import random

from coordinator.answers import normalize
from coordinator.records import AnswerKind, Question
from node.lab.skills import SKILLS, Task, sample

LEVELS = (1, 2)  # such that somebody in the demo's moot may know


def draw_tasks(seed: int, count: int) -> list[Task]:
    """Questions that no model saw in training, over all skills in turn; the seed alone decides which."""
    rng = random.Random(seed)
    skills: list[str] = []
    while len(skills) < count:
        skills += rng.sample(sorted(SKILLS), len(SKILLS))
    return [sample(skill, rng, held_out=True, level=rng.choice(LEVELS)) for skill in skills[:count]]


def right_answer(task: Task) -> str:
    """The task's answer in the form in which members compare answers."""
    answer = normalize(_question(task), task.answer)
    assert answer is not None, f"the known answer of {task.text!r} is none"
    return answer


def _question(task: Task) -> Question:
    """The task as members see it, where only its kind and options matter."""
    return Question(task.text, AnswerKind(task.kind), task.options, 1, "", 0, bytes(16))
