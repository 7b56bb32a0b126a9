"""How models work together on a question, as examples to learn from: a prompt, and the one line that answers it."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType

from coordinator import prompts
from coordinator.answers import ARROW, question_line
from node.lab.skills.compound import Compound
from node.lab.skills.task import Task

PROMPT_LENGTH_MAX = 230
REPLY_LENGTH_MAX = 110
"""Characters; what is longer is not taught, so that prompt and reply fit a context of 384 tokens with room to spare."""
ALONE = 0.6
"""Share of questions that are asked alone: who cannot answer is of no use to others."""
OTHERS_MAX = 5
CRITIC_IS_RIGHT = 0.7
RELIABILITIES = (0.2, 0.5, 0.8)
"""Of the others, one of these per example: neither following them nor ignoring them may become a habit."""


@dataclass(frozen=True, slots=True)
class Example:
    """What a model reads, with its last line's end, and what it is to write, without it."""

    prompt: str
    reply: str
    way: str


def _example(way: str, prompt: str, work: str, result: str) -> Example | None:
    reply = f"{work} {ARROW} {result}" if work else result
    fits = len(prompt) <= PROMPT_LENGTH_MAX and len(reply) <= REPLY_LENGTH_MAX
    return Example(prompt, reply, way) if fits else None


def _line(task: Task) -> str:
    return question_line(task.text, task.options)


def _said(rng: random.Random, task: Task, reliability: float) -> str:
    """What somebody answers who is right so often."""
    return task.answer if rng.random() < reliability else rng.choice(task.near)


def answer(_rng: random.Random, task: Task) -> Example | None:
    """The question alone."""
    return _example("answer", prompts.answer(_line(task)), task.work, task.answer)


def revise(rng: random.Random, task: Task) -> Example | None:
    """To answer again, knowing what others say, who are right more or less often."""
    reliability = rng.choice(RELIABILITIES)
    others = [_said(rng, task, reliability) for _ in range(rng.randint(1, OTHERS_MAX))]
    prompt = prompts.revise(_line(task), others, _said(rng, task, 0.5))
    return _example("revise", prompt, task.work, task.answer)


def worked_out(task: Task) -> str:
    """The whole reply to a question."""
    return f"{task.work} {ARROW} {task.answer}" if task.work else task.answer


def _compared(task: Task, proposed: str) -> str:
    """The work before a verdict: the answer worked out, and how far the proposed one is the same: `=> 570 => 57/`.

    A small model cannot tell at one glance whether two texts are equal; it can write down what they share, letter by
    letter, and see whether they part.
    """
    pairs = zip(task.answer, proposed, strict=False)
    shared = "".join(letter for letter, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return f"{worked_out(task)} {ARROW} {shared}{'' if proposed == task.answer else '/'}"


def judge(rng: random.Random, task: Task) -> Example | None:
    """Whether an answer is right, after working it out."""
    proposed = _said(rng, task, 0.5)
    result = "yes" if proposed == task.answer else "no"
    return _example("judge", prompts.judge(_line(task), proposed), _compared(task, proposed), result)


def critique(rng: random.Random, task: Task) -> Example | None:
    """Whether an answer is right, and which is, after working it out."""
    proposed = _said(rng, task, 0.5)
    result = prompts.RIGHT if proposed == task.answer else f"{prompts.WRONG}, {task.answer}"
    return _example("critique", prompts.critique(_line(task), proposed), _compared(task, proposed), result)


def reconsider(rng: random.Random, task: Task) -> Example | None:
    """To answer again after a critique, which may be mistaken."""
    mine = _said(rng, task, 0.5)
    if rng.random() < CRITIC_IS_RIGHT:
        better = task.answer
    else:
        better = rng.choice([text for text in (*task.near, mine) if text != task.answer])
    criticism = prompts.RIGHT if better == mine else f"{prompts.WRONG}, {better}"
    return _example("reconsider", prompts.reconsider(_line(task), mine, criticism), task.work, task.answer)


def choose(rng: random.Random, task: Task) -> Example | None:
    """Which of several answers, one of them right, is right."""
    wrong = rng.sample(task.near, rng.randint(1, len(task.near)))
    candidates = rng.sample([task.answer, *wrong], len(wrong) + 1)
    return _example("choose", prompts.choose(_line(task), candidates), task.work, task.answer)


def go_on(rng: random.Random, task: Task) -> Example | None:
    """To take up worked steps where another has left off."""
    pieces = task.work.split(" ")
    if len(pieces) < 2:
        return None
    cut = rng.randrange(1, len(pieces))
    done, rest = " ".join(pieces[:cut]), " ".join(pieces[cut:])
    if len(done) > prompts.SHOWN_LENGTH_MAX:
        return None
    return _example("go_on", prompts.go_on(_line(task), done), rest, task.answer)


def split(_rng: random.Random, task: Task) -> Example | None:
    """Which questions lead to the answer of a compound one."""
    if not isinstance(task, Compound):
        return None
    return _example("split", prompts.split(_line(task)), "", prompts.BETWEEN_PARTS.join(task.parts))


def use(_rng: random.Random, task: Task) -> Example | None:
    """To answer a compound question, its parts but the last being answered."""
    if not isinstance(task, Compound):
        return None
    return _example("use", prompts.use(_line(task), task.inner), "", task.answer)


Way = Callable[[random.Random, Task], Example | None]

WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "answer": answer,
        "revise": revise,
        "judge": judge,
        "critique": critique,
        "reconsider": reconsider,
        "choose": choose,
        "go_on": go_on,
        "split": split,
        "use": use,
    }
)
"""Each gives None for a question that it does not suit, or that would be too long."""

_SHARED: Mapping[str, int] = MappingProxyType(
    {"revise": 9, "judge": 9, "critique": 7, "reconsider": 5, "choose": 5, "go_on": 4, "split": 5, "use": 3}
)
"""How often each way is drawn of those that are not alone; who answers a question seldom splits it."""


def example(rng: random.Random, task: Task) -> Example:
    """One example of the question, alone or in some other way that suits it.

    A question that suits none is asked alone; one that is too long even for that is a bug of its generator.
    """
    left = {} if rng.random() < ALONE else dict(_SHARED)
    while left:
        (way,) = rng.choices(list(left), list(left.values()))
        made = WAYS[way](rng, task)
        if made is not None:
            return made
        del left[way]
    alone = answer(rng, task)
    assert alone is not None, f"too long for a model: {task}"
    return alone
