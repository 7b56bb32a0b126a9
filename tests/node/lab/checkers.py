"""Which checker works out which skill's answers anew, and what a well-formed question is."""

import re
from collections.abc import Callable, Mapping

from node.lab.skills import Task
from node.lab.skills.ways import worked_out
from node.lab.training.tokens import prompt
from tests.node.lab.checker_compound import compound
from tests.node.lab.checker_measures import calendar, units
from tests.node.lab.checker_numbers import arithmetic, comparing
from tests.node.lab.checker_words import strings
from tests.node.lab.checker_world import world
from tests.node.lab.logic_checker import solved

PROMPT_CHARACTERS_MAX = 140
REPLY_CHARACTERS_MAX = 80

# Each works out an answer from what a question says alone, by other means than the code that made the question.
CHECKERS: Mapping[str, Callable[[Task], str]] = {
    "arithmetic": lambda task: arithmetic(task.text),
    "comparing": lambda task: comparing(task.text),
    "strings": lambda task: strings(task.text),
    "calendar": lambda task: calendar(task.text),
    "units": lambda task: units(task.text),
    "logic": lambda task: solved(task.text),
    "facts": lambda task: world(task.text, task.options),
    "compound": lambda task: compound(task.text),
}


def expected(task: Task) -> str:
    """The answer to a question, worked out anew."""
    return CHECKERS[task.skill](task)


def problems(task: Task) -> list[str]:
    """What is wrong with the form of a question; empty when nothing is."""
    folded = ["".join(text.lower().split()) for text in (task.answer, *task.near)]
    numbers = (task.answer, *task.near) if task.kind == "number" else ()
    wrong = {
        "options belong to choices, and to them alone": (task.kind == "choice") != bool(task.options),
        "options differ": len({option.lower() for option in task.options}) != len(task.options),
        "the answer to a choice is an option": task.kind == "choice" and task.answer not in task.options,
        "near a choice's answer are the other options": task.kind == "choice"
        and not set(task.near) <= set(task.options) - {task.answer},
        "one to four wrong answers are near": not 1 <= len(task.near) <= 4,
        "wrong answers differ from the right one and each other": len(set(folded)) != len(folded),
        "a number is written plainly": any(str(int(n)) != n for n in numbers),
        "a number is below zero only where the question has such": "-" in "".join(numbers)
        and re.search(r" -\d", task.text) is None,
        "everything is ASCII, on one line": not _printable("".join((task.text, *task.options, worked_out(task)))),
        "a question is short": len(prompt(task)) - 1 > PROMPT_CHARACTERS_MAX,
        "a reply is short": len(worked_out(task)) > REPLY_CHARACTERS_MAX,
    }
    return [what for what, holds in wrong.items() if holds]


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()
