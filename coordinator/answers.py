"""What a model is asked, and what counts as its answer: equal answers become equal text.

A model's text is untrusted: one line of bounded length is looked at, and whatever it holds, the result is plain text or
None. The tally counts only answers in this form, so every Python must give the same: characters younger than Unicode
3.2, the fixed version that each Python carries for RFC 3454, stay as they are, and older ones no longer change how they
fold (Unicode's stability policies for normalization and case folding).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from math import gcd

from coordinator.records import ANSWER_LENGTH_MAX, AnswerKind, Question, is_plain, sorted_points

ARROW = "=>"
"""Stands before an answer in the prompts of the models that we train, and in the text of models that repeat it."""
LINE_LENGTH_MAX = 2_000
"""Characters of a line that are looked at; a longer line is no answer. Keeps every step below fast."""
NUMBER_LENGTH_MAX = 40
EXPONENT_MAX = 999
FOLDS_MAX = 8
"""Folding may uncover something to fold again, for example a quote in quotes. What does not settle is no answer."""

_QUOTES = "\"'`\u00b4\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb\u2039\u203a*_"
_STOPS = ",;:!?\u2026\u2013\u2014"  # ..., ellipsis, dashes
_LETTERS = "abcdefghijklmnop"
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"))
_NUMBER = re.compile(
    r"""(?<!\w) (?<!\d[./]) (?P<sign>[-+\u2212])? [$€£¥]?
        (?: (?P<whole> \d{1,3} (?:,\d{3})+ (?!\d) | \d+ ) (?:\.(?P<part>\d+))?  |  (?<!\.)\.(?P<only>\d+) )
        (?: [eE](?P<exponent>[-+]?\d{1,9}) (?!\w) )?
        (?: \s?[/\u2044]\s? (?P<below>\d+) )?""",
    re.VERBOSE | re.ASCII,
)


def prompt_for(question: Question) -> str:
    """The question as one line without its end; a choice names its options."""
    text = " ".join(line.strip() for line in question.text.splitlines() if line.strip())
    return question_line(text, question.options)


def question_line(text: str, options: Sequence[str]) -> str:
    """A text of one line with its options, if it is a choice."""
    return f"{text} ({' / '.join(options)})" if options else text


def normalize(question: Question, raw: str) -> str | None:
    """The answer in a model's text, in the one form that all members use for it; None when there is none.

    A choice becomes the exact text of an option, a number plain decimal text or a reduced fraction, a short answer
    folded text. Normalizing twice changes nothing.
    """
    if raw in question.options:
        return raw
    line = answer_line(raw)
    if line is None:
        return None
    match question.kind:
        case AnswerKind.CHOICE:
            return _choice(question.options, line)
        case AnswerKind.NUMBER:
            return _number(line)
        case AnswerKind.SHORT:
            return _short(line)


def count(question: Question, texts: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """How samples fell: (answer, samples that gave it), in the order of records; what is no answer is left out."""
    answers = (normalize(question, text) for text in texts)
    return sorted_points(Counter(answer for answer in answers if answer is not None))


def answer_line(raw: str) -> str | None:
    """The first line of what follows the last arrow; None when there is none, or one too long to look at."""
    lines = raw.rpartition(ARROW)[2].strip().splitlines()
    if not lines or len(lines[0]) > LINE_LENGTH_MAX:
        return None
    return lines[0].strip() or None


def _choice(options: tuple[str, ...], line: str) -> str | None:
    """The one option that reads like the line; else the one that the line gives the letter of, as "b" or "(b)"."""
    folded = _fold(line)
    bare = _trim(folded)
    inner = bare.strip("()[]").strip()
    readings: tuple[tuple[str, Callable[[str], str]], ...] = (
        (folded, _fold),
        (bare, _fold),
        (bare, lambda option: _trim(_fold(option))),
        (inner, _fold),
    )
    for reading, of in readings:
        found = [option for option in options if reading and of(option) == reading]
        if found:
            return found[0] if len(found) == 1 else None
    place = _LETTERS.find(inner) if len(inner) == 1 else -1
    return options[place] if 0 <= place < len(options) else None


def _number(line: str) -> str | None:
    """The last number of the line, without its unit."""
    found = list(_NUMBER.finditer("".join(_ascii_digit(letter) for letter in line)))
    if not found:
        return None
    last = found[-1]
    part = last["only"] or last["part"] or ""
    exponent = int(last["exponent"] or 0) - len(part)
    digits = int((last["whole"] or "").replace(",", "") + part)
    sign = "-" if last["sign"] in ("-", "\u2212") and digits else ""
    text = _fraction(digits, exponent, int(last["below"])) if last["below"] else _decimal(digits, exponent)
    return sign + text if text is not None and len(text) <= NUMBER_LENGTH_MAX else None


def _decimal(digits: int, exponent: int) -> str | None:
    """digits · 10^exponent as plain text; None when that is out of all proportion."""
    if abs(exponent) > EXPONENT_MAX:
        return None
    if exponent >= 0:
        return str(digits * 10**exponent)
    text = str(digits).rjust(1 - exponent, "0")
    return f"{text[:exponent]}.{text[exponent:]}".rstrip("0").rstrip(".")


def _fraction(digits: int, exponent: int, below: int) -> str | None:
    if not below or abs(exponent) > EXPONENT_MAX:
        return None
    above = digits * 10 ** max(exponent, 0)
    below *= 10 ** max(-exponent, 0)
    divisor = gcd(above, below)
    above, below = above // divisor, below // divisor
    return str(above) if below == 1 else f"{above}/{below}"


def _short(line: str) -> str | None:
    text: str | None = line
    for _ in range(FOLDS_MAX):
        if text is None:
            return None
        before, text = text, answer_line(_trim(_fold(text)))
        if text == before:
            return text if len(text.encode()) <= ANSWER_LENGTH_MAX else None
    return None


def _fold(text: str) -> str:
    """One case, one width, one kind of space, nothing invisible."""
    runs = ("".join(run) if is_young else _fold_run("".join(run)) for is_young, run in groupby(text, _is_young))
    words = ("".join(letter for letter in word if is_plain(letter)) for word in "".join(runs).split())
    return " ".join(word for word in words if word)


def _fold_run(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _is_young(letter: str) -> bool:
    return unicodedata.ucd_3_2_0.category(letter) == "Cn"


def _ascii_digit(letter: str) -> str:
    """Digits of other scripts and widths count too; small ones, as in a unit, do not."""
    return str(unicodedata.decimal(letter)) if unicodedata.ucd_3_2_0.category(letter) == "Nd" else letter


def _trim(text: str) -> str:
    """Without list dash, quotes, emphasis, one pair of brackets and closing stops. A sign or a leading point stays."""
    text = text.removeprefix("- ").lstrip(_QUOTES + _STOPS + " ").rstrip(_QUOTES + _STOPS + ". ")
    for opening, closing in _BRACKETS:
        inner = text[1:-1]
        if text.startswith(opening) and text.endswith(closing) and opening not in inner and closing not in inner:
            text = inner.strip()
    return text
