"""Scripts: a file of commands, each followed by `----` and its recorded output, which ends with an empty line.

`pytest --rewrite` records the output anew. Source: cockroachdb/datadriven, as etcd's raft uses it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SEPARATOR = "----"


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a script. Comments stand above it, and `line` is where its output begins."""

    comments: tuple[str, ...]
    command: str
    output: tuple[str, ...]
    line: int

    def text(self, output: tuple[str, ...]) -> str:
        return "\n".join([*self.comments, self.command, SEPARATOR, *output]) + "\n"


def run_script(path: Path, execute: Callable[[str], list[str]], *, rewrite: bool) -> None:
    """Give each command to `execute` and compare the lines that it answers, or record them.

    Raises:
        AssertionError: an output differs; the message shows both.
        ValueError: the file is not a script.
    """
    steps = list(parse(path.read_text()))
    if not steps:
        raise ValueError(f"{path}: no commands")
    texts = []
    for step in steps:
        answered = tuple(execute(step.command))
        if any(not line.strip() for line in answered):
            raise ValueError(f"{path}:{step.line}: {step.command!r} answered an empty line, which would end its output")
        texts.append(step.text(answered))
        if not rewrite:
            assert answered == step.output, _difference(path, step, answered)
    if rewrite:
        path.write_text("\n".join(texts))


def parse(text: str) -> Iterator[Step]:
    """Split a script into its steps.

    Raises:
        ValueError: a command without `----`.
    """
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        comments = []
        while at < len(lines) and (not lines[at].strip() or lines[at].startswith("#")):
            if lines[at].strip():
                comments.append(lines[at])
            at += 1
        if at == len(lines):
            return
        if at + 1 >= len(lines) or lines[at + 1] != SEPARATOR:
            raise ValueError(f"line {at + 1}: {lines[at]!r} is not followed by {SEPARATOR}")
        command, at = lines[at], at + 2
        start = at
        while at < len(lines) and lines[at].strip():
            at += 1
        yield Step(tuple(comments), command, tuple(lines[start:at]), start + 1)


def _difference(path: Path, step: Step, answered: tuple[str, ...]) -> str:
    return "\n".join([f"{path}:{step.line}: {step.command}", "recorded:", *step.output, "now:", *answered])
