"""How well a model file answers what no training has seen: by skill and level, by way, and as sure as it seems."""

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from coordinator import prompts
from node.lab.skills import LEVELS, SKILLS, Task, sample, ways
from node.lab.training.answering import answers
from node.lab.training.tokens import prompt

SEED = 2026
PER_LEVEL = 100  # questions of each skill and level
CALIBRATION_PER_LEVEL = 15  # of these, those that are also sampled
SAMPLES = 5
TEMPERATURE = 1.0
PER_WAY = 60


@dataclass(frozen=True, slots=True)
class Count:
    """Questions asked, and those answered correctly."""

    questions: int
    correct: int

    @classmethod
    def of(cls, right: Iterable[bool]) -> "Count":
        """From each question's outcome."""
        outcomes = list(right)
        return cls(len(outcomes), sum(outcomes))


def folded(text: str) -> str:
    """Letter case and spacing aside."""
    return " ".join(text.lower().split())


def right(reply: str, answer: str) -> bool:
    """Whether a reply comes to an answer."""
    return folded(prompts.answer_of(reply)) == folded(answer)


@cache
def questions(skill: str, level: int) -> tuple[Task, ...]:
    """The held-out questions that every model is asked."""
    rng = random.Random(f"{SEED}:{skill}:{level}")
    return tuple(sample(skill, rng, held_out=True, level=level) for _ in range(PER_LEVEL))


@cache
def examples(way: str) -> tuple[ways.Example, ...]:
    """Held-out questions in one of the ways of working together, of any skill that suits it."""
    rng = random.Random(f"{SEED}:{way}")
    found: list[ways.Example] = []
    while len(found) < PER_WAY:
        made = ways.WAYS[way](rng, sample(rng.choice(list(SKILLS)), rng, held_out=True))
        if made is not None:
            found.append(made)
    return tuple(found)


SHARED_WAYS = tuple(way for way in ways.WAYS if way != "answer")


def fingerprint(files: Sequence[Path]) -> str:
    """Names a measurement: of these files, with today's questions; another means that it must be done anew."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    for task in (task for skill in SKILLS for level in LEVELS for task in questions(skill, level)):
        digest.update(f"{prompt(task)}{task.answer}\n".encode())
    for example in (example for way in SHARED_WAYS for example in examples(way)):
        digest.update(f"{example.prompt}{example.reply}\n".encode())
    return digest.hexdigest()


def measure(path: Path) -> dict[str, Any]:
    """All that is measured of one model, as JSON holds it; "answers" are those to `questions`, in order."""
    cells = [(skill, level) for skill in SKILLS for level in LEVELS]
    tasks = [task for cell in cells for task in questions(*cell)]
    replies = [texts[0] for texts in answers(path, [prompt(task) for task in tasks])]
    outcome = [right(reply, task.answer) for reply, task in zip(replies, tasks, strict=True)]
    by_cell = {cell: outcome[i * PER_LEVEL : (i + 1) * PER_LEVEL] for i, cell in enumerate(cells)}
    accuracy = {
        skill: {
            **asdict(Count.of(one for level in LEVELS for one in by_cell[skill, level])),
            "levels": {str(level): asdict(Count.of(by_cell[skill, level])) for level in LEVELS},
        }
        for skill in SKILLS
    }
    given = [folded(prompts.answer_of(reply)) for reply in replies]
    return {"accuracy": accuracy, "calibration": calibration(path), "ways": by_way(path), "answers": given}


def by_way(path: Path) -> dict[str, dict[str, int]]:
    """Per way of working together, how often the model comes to what it should."""
    asked = [example for way in SHARED_WAYS for example in examples(way)]
    replies = [texts[0] for texts in answers(path, [example.prompt for example in asked])]
    outcome = [right(reply, prompts.answer_of(one.reply)) for reply, one in zip(replies, asked, strict=True)]
    return {way: asdict(Count.of(outcome[i * PER_WAY : (i + 1) * PER_WAY])) for i, way in enumerate(SHARED_WAYS)}


def calibration(path: Path) -> dict[str, Any]:
    """How often the answer that most samples give is right, by how many give it."""
    tasks = [task for skill in SKILLS for level in LEVELS for task in questions(skill, level)[:CALIBRATION_PER_LEVEL]]
    drawn = answers(path, [prompt(task) for task in tasks], SAMPLES, TEMPERATURE)
    agreed: dict[int, list[bool]] = {agreeing: [] for agreeing in range(1, SAMPLES + 1)}
    for task, texts in zip(tasks, drawn, strict=True):
        answer, agreeing = Counter(folded(prompts.answer_of(text)) for text in texts).most_common(1)[0]
        agreed[agreeing].append(answer == folded(task.answer))
    counts = {agreeing: Count.of(outcomes) for agreeing, outcomes in agreed.items()}
    return {
        "samples": SAMPLES,
        "temperature": TEMPERATURE,
        "agreement": {str(agreeing): asdict(count) for agreeing, count in counts.items()},
        "error": round(calibration_error(counts), 4),
    }


def calibration_error(counts: Mapping[int, Count]) -> float:
    """The expected calibration error, the agreeing samples' share being the confidence, a bin for each of its values.

    Source: Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning (AAAI 2015), section on ECE.
    """
    total = sum(count.questions for count in counts.values())
    most = max(counts)
    return sum(abs(count.correct - count.questions * agreeing / most) for agreeing, count in counts.items()) / total


def side_by_side(merged: Path, base: Path, adapter: Path, skills: Sequence[str]) -> dict[str, int]:
    """A merged model and its base with the adapter on the same questions: how often each is right, and they agree."""
    tasks = [task for skill in skills for level in LEVELS for task in questions(skill, level)]
    asked = [prompt(task) for task in tasks]
    whole = [texts[0] for texts in answers(merged, asked)]
    adapted = [texts[0] for texts in answers(base, asked, adapters=[adapter])]
    return {
        "questions": len(tasks),
        "merged_correct": sum(right(reply, task.answer) for reply, task in zip(whole, tasks, strict=True)),
        "adapted_correct": sum(right(reply, task.answer) for reply, task in zip(adapted, tasks, strict=True)),
        "same_reply": sum(one == other for one, other in zip(whole, adapted, strict=True)),
    }


def alike(answers_given: Mapping[str, Sequence[str]]) -> dict[str, dict[str, dict[str, int]]]:
    """For each two models, the questions on which both err, and those on which they give the same wrong answer.

    Args:
        answers_given: per model, what `measure` holds as "answers".
    """
    truth = [folded(task.answer) for skill in SKILLS for level in LEVELS for task in questions(skill, level)]

    def pair(one: Sequence[str], other: Sequence[str]) -> dict[str, int]:
        wrong = [(a, b) for a, b, answer in zip(one, other, truth, strict=True) if a != answer != b]
        return {"both_err": len(wrong), "alike": sum(a == b for a, b in wrong)}

    return {
        name: {other: pair(mine, theirs) for other, theirs in answers_given.items() if other != name}
        for name, mine in answers_given.items()
    }
