"""What a model is given to read when it works with others, and what its reply says.

A prompt is the question's line, as `answers.prompt_for` writes it, and a few short lines below it; a reply is one line
that ends in `=> ` and what is asked for, after whatever steps the model writes down. What a peer wrote is untrusted: it
gets a bounded place within one line, so that it cannot pretend to be another line of the prompt.
"""

import re
from collections.abc import Sequence

from coordinator.answers import answer_line
from coordinator.records import is_plain

SHOWN_MAX = 8  # answers of peers in one prompt: more would crowd out the question in a small context
SHOWN_LENGTH_MAX = 64  # characters of each
PARTS_MAX = 4  # into which a question is split; each costs a question of its own
PART_LENGTH_MAX = 200

BETWEEN_ANSWERS = "; "
BETWEEN_CHOICES = " / "
BETWEEN_PARTS = " | "
RIGHT = "right"
WRONG = "wrong"

_YES = ("yes", RIGHT)
_NO = ("no", WRONG)
_PLACE = re.compile(r"\{(\d{1,2})\}", re.ASCII)  # of a part's answer in a later part, counted from 1


def answer(question: str) -> str:
    """The question alone."""
    return f"{question}\n"


def revise(question: str, others: Sequence[str], mine: str) -> str:
    """To answer again, the others' answers and one's own being known."""
    return f"{question}\nOthers: {_listed(others, BETWEEN_ANSWERS)}\nMine: {shown(mine)}\n"


def judge(question: str, proposed: str) -> str:
    """Whether an answer is right: `verdict_of` reads the reply."""
    return f"{question}\nIs it {shown(proposed)}?\n"


def critique(question: str, proposed: str) -> str:
    """Whether an answer is right, and what is right instead: `verdict_of` and `correction_of` read the reply."""
    return f"{question}\nAnswer: {shown(proposed)}\nCheck it.\n"


def reconsider(question: str, mine: str, criticism: str) -> str:
    """To answer again, given what `answer_of` reads in the reply to a `critique`."""
    return f"{question}\nMine: {shown(mine)}\nCritique: {shown(criticism)}\n"


def choose(question: str, candidates: Sequence[str]) -> str:
    """Which of the members' answers is right; it is to be repeated as it stands."""
    return f"{question}\nWhich: {_listed(candidates, BETWEEN_CHOICES)}\n"


def go_on(question: str, work: str) -> str:
    """To take up worked steps where another has left off."""
    return f"{question}\nWork: {shown(work)}\n"


def split(question: str) -> str:
    """Into questions which lead to the answer one after another: `parts_of` reads the reply."""
    return f"{question}\nSplit it.\n"


def use(question: str, answers: Sequence[str]) -> str:
    """To answer, given the answers to its parts."""
    return f"{question}\nParts: {_listed(answers, BETWEEN_ANSWERS)}\n"


def shown(text: str) -> str:
    """What a peer wrote, on one line and of bounded length: each control character and line end becomes a space."""
    beginning = text[: 2 * SHOWN_LENGTH_MAX]
    return "".join(letter if is_plain(letter) else " " for letter in beginning).strip()[:SHOWN_LENGTH_MAX].rstrip()


def answer_of(reply: str) -> str:
    """What a reply says after its steps; "" when it says nothing."""
    return answer_line(reply) or ""


def verdict_of(reply: str) -> bool | None:
    """Whether a reply holds an answer for right; None when it says neither."""
    words = answer_of(reply).lower().replace(",", " ").rstrip(".! ").split()
    if not words or words[0] not in (*_YES, *_NO):
        return None
    if words[0] != WRONG and len(words) > 1:
        return None  # "right or wrong", "no idea"
    return words[0] in _YES


def correction_of(reply: str) -> str | None:
    """What a critique holds for right instead; None when it does not say."""
    verdict, _, correction = answer_of(reply).partition(",")
    return correction.strip() or None if verdict.strip().lower() == WRONG else None


def parts_of(reply: str) -> tuple[str, ...]:
    """The questions that one is split into, `{1}` standing for the first's answer; none when they cannot be asked.

    A part may refer only to parts before it.
    """
    parts = tuple(part.strip() for part in answer_of(reply).split(BETWEEN_PARTS.strip()))
    if not 2 <= len(parts) <= PARTS_MAX or not all(0 < len(part) <= PART_LENGTH_MAX for part in parts):
        return ()
    known = all(0 < int(number) <= i for i, part in enumerate(parts) for number in _PLACE.findall(part))
    return parts if known else ()


def filled(part: str, answers: Sequence[str]) -> str:
    """A part as it is asked, with the answers to those before it. What looks like a place in an answer stays."""
    return _PLACE.sub(lambda found: shown(answers[int(found[1]) - 1]), part)


def _listed(texts: Sequence[str], separator: str) -> str:
    return separator.join(shown(text) for text in texts[:SHOWN_MAX])
