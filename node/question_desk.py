"""Makes a question out of what a person asks."""

import os
from collections.abc import Sequence

from coordinator.ledger.roster import Roster
from coordinator.records import AnswerKind, Question
from coordinator.tally import RULES, is_counted, named, rule
from node.errors import QuestionRefused
from node.shell import wall_ms


def question_of(
    text: str, kind: str | None, options: Sequence[str], deadline_ms: int | None, tally: str | None, roster: Roster
) -> Question:
    """Raises QuestionRefused and QuestionError, both for people."""
    kinds = [one.value for one in AnswerKind]
    kind = kind or (AnswerKind.CHOICE.value if options else AnswerKind.SHORT.value)
    if kind not in kinds:
        raise QuestionRefused(f"the answer kind {kind!r} is not known; choose {', '.join(kinds)}")
    if tally and rule(tally) is None:
        known = f"{', '.join(sorted(RULES))}, or only- and the first 24 digits of a member's id"
        raise QuestionRefused(f"the voting rule {tally!r} is not known; choose {known}")
    if tally and named(tally) is not None and not any(is_counted(tally, node) for node in roster.by_node):
        raise QuestionRefused(f"{tally}: no member of the roster has an id that begins so; see: moot members")
    return Question(
        text.strip(),
        AnswerKind(kind),
        tuple(option.strip() for option in options),
        roster.charter.deadline_ms if deadline_ms is None else deadline_ms,
        tally or "",
        wall_ms(),
        os.urandom(16),
    )
