"""A person's own questions: a file with one JSON object a line, checked as a whole before anything is asked."""

import json
from pathlib import Path
from typing import Any

from coordinator.records import AnswerKind, QuestionError, is_plain
from node.errors import Exit, NodeError
from node.lab.evaluate.items import Item, make_item

SIZE_MAX = 64 * 1024 * 1024
QUESTIONS_MAX = 100_000
CLASS_LENGTH_MAX = 40
PROBLEMS_SHOWN_MAX = 20
UNNAMED = "own"
"""The class of questions that name none."""
_FIELDS = {"text", "kind", "options", "answer", "class"}
_EXAMPLE = '{"text": "What is 2 + 3?", "kind": "number", "answer": "5", "class": "sums"}'


class QuestionsInvalid(NodeError):
    """The file holds no questions to measure with. The message lists what is wrong, line by line."""

    exit_code = Exit.USAGE

    def __init__(self, path: Path, problems: list[str]) -> None:
        more = [f"  - and {len(problems) - PROBLEMS_SHOWN_MAX} more"] if len(problems) > PROBLEMS_SHOWN_MAX else []
        shown = [f"  - {problem}" for problem in problems[:PROBLEMS_SHOWN_MAX]]
        lines = [f"{path}: {len(problems)} problem(s)", *shown, *more, f"  a line reads, for example: {_EXAMPLE}"]
        super().__init__("\n".join(lines))


def read_questions(path: Path) -> list[Item]:
    """Raises QuestionsInvalid."""
    try:
        if path.stat().st_size > SIZE_MAX:
            raise QuestionsInvalid(path, [f"larger than {SIZE_MAX >> 20} MiB"])
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise QuestionsInvalid(path, [f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise QuestionsInvalid(path, [f"not UTF-8 text (byte {error.start}); save it as UTF-8"]) from error
    items, problems = list[Item](), list[str]()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            items.append(_item(line))
        except (QuestionError, ValueError) as error:
            problems.append(f"line {number}: {error}")
    if not items and not problems:
        problems.append("no question in it")
    if len(items) > QUESTIONS_MAX:
        problems.append(f"{len(items)} questions; at most {QUESTIONS_MAX}")
    if problems:
        raise QuestionsInvalid(path, problems)
    return items


def _item(line: str) -> Item:
    try:
        entry: Any = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(entry, dict):
        raise ValueError("not a JSON object")
    unknown = sorted(entry.keys() - _FIELDS)
    missing = sorted({"text", "answer"} - entry.keys())
    if unknown or missing:
        wrong = [f"{name} is missing" for name in missing] + [f"{name[:40]!r} is unknown" for name in unknown]
        raise ValueError("; ".join(wrong))
    options = entry.get("options", [])
    kind = entry.get("kind", "choice" if options else "short")
    group = entry.get("class", UNNAMED)
    texts = [entry["text"], entry["answer"], kind, group]
    if not isinstance(options, list) or not all(isinstance(text, str) for text in [*texts, *options]):
        raise ValueError("text, answer, kind and class must be strings, options a list of strings")
    kinds = [one.value for one in AnswerKind]
    if kind not in kinds:
        raise ValueError(f"kind {kind[:40]!r} is not known; choose {', '.join(kinds)}")
    if not group.strip() or len(group) > CLASS_LENGTH_MAX or not is_plain(group):
        raise ValueError(f"class must be 1 to {CLASS_LENGTH_MAX} printable characters")
    return make_item(entry["text"], AnswerKind(kind), options, entry["answer"], group.strip())
