"""The questions that are measured with: held-out ones of the reference suite, or a person's own."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from coordinator.answers import normalize, prompt_for
from coordinator.records import AnswerKind, Question
from coordinator.signed import Digest
from node.lab.skills import Task, sample


@dataclass(frozen=True, slots=True)
class Item:
    """One question with its known answer.

    Args:
        group: its skill, or the class that a person's file gives it.
        level: of difficulty; 0 where nobody says.
        right: the answer in the one form in which members compare answers.
    """

    question: Question
    group: str
    level: int
    right: str

    @property
    def id(self) -> Digest:
        """Breaks ties, as a question's id does in a moot."""
        return sha256(self.question.encode()).digest()

    @property
    def prompt(self) -> str:
        """What a member's model is given."""
        return prompt_for(self.question)


def make_item(text: str, kind: AnswerKind, options: Sequence[str], answer: str, group: str, level: int = 0) -> Item:
    """Raises QuestionError where the question cannot be asked, ValueError where the answer is none of its kind."""
    question = Question(text, kind, tuple(options), 1, "", 0, bytes(16))
    right = normalize(question, answer)
    if right is None:
        among = f"; choose one of {', '.join(options)}" if options else ""
        raise ValueError(f"the answer {answer[:60]!r} is no answer of kind {kind.value}{among}")
    return Item(question, group, level, right)


def of_task(task: Task) -> Item:
    return make_item(task.text, AnswerKind(task.kind), task.options, task.answer, task.skill, task.level)


def suite(skills: Sequence[str], levels: Sequence[int], per_skill: int, seed: int) -> list[Item]:
    """Held-out questions of each skill in turn, levels in equal parts; the seed alone decides which.

    A skill's questions do not depend on which other skills are asked.
    """
    by_skill = []
    for skill in skills:
        rng = random.Random(f"{seed}:{skill}")
        chosen = [levels[number % len(levels)] for number in range(per_skill)]
        by_skill.append([of_task(sample(skill, rng, held_out=True, level=level)) for level in chosen])
    return [item for turn in zip(*by_skill, strict=True) for item in turn]
