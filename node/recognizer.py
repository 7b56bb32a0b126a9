"""Recognizes a question's class from its text: a multinomial naive Bayes classifier over words and groups of letters.

Such a classifier is always sure of something. So each class also knows how usual its questions look to itself, and what
looks less usual than nearly all of them is of no class.
Source: C. Manning, P. Raghavan, H. Schütze, Introduction to Information Retrieval (2008), section 13.2.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FEATURES_MAX = 3_000
"""Of one class: the most frequent ones; keeps a file of many classes small."""
CLASSES_MAX = 200
TEXT_LENGTH_MAX = 6_000
"""Characters of a question that are looked at, its options among them."""
FEATURE_LENGTH_MAX = 32
SMOOTHING = 0.5
"""Added to every count, so that nothing is impossible."""
SURE = 0.95
"""How likely a class must be beside the others to be recognized."""
UNUSUAL = 0.02
"""The share of a class's own questions that looks too unusual to be of it."""

_NUMBER = re.compile(r"[0-9]+")
_WORD = re.compile(r"[^\W_]+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """What is known of the questions of one class.

    Args:
        counts: how often each feature was seen.
        usual: the mean logarithm of the likelihood of a feature that all but the most unusual questions reach.
    """

    counts: Mapping[str, int]
    usual: float


@dataclass(frozen=True, slots=True)
class Recognizer:
    """Knows several classes; with one alone it goes by how usual a question looks."""

    classes: Mapping[str, ClassCounts]

    def recognize(self, text: str) -> str | None:
        """The class of a question, or None when it is of none that is known or might be of several."""
        found = features(text)
        if not found or not self.classes:
            return None
        vocabulary = len({feature for one in self.classes.values() for feature in one.counts})
        logs = {name: _loglikelihood(found, one.counts, vocabulary) for name, one in sorted(self.classes.items())}
        likeliest = max(logs, key=lambda name: logs[name])
        sureness = 1 / math.fsum(math.exp(log - logs[likeliest]) for log in logs.values())
        mean = logs[likeliest] / len(found)
        return likeliest if sureness >= SURE and mean >= self.classes[likeliest].usual else None

    def report(self) -> dict[str, Any]:
        """As JSON values; `read` takes them back."""
        return {name: {"usual": one.usual, "counts": dict(one.counts)} for name, one in sorted(self.classes.items())}

    @staticmethod
    def read(data: Any) -> "Recognizer":
        """Raises ValueError, saying what is wrong."""
        if not isinstance(data, dict) or len(data) > CLASSES_MAX:
            raise ValueError(f"the recognizer must be an object of at most {CLASSES_MAX} classes")
        return Recognizer({name: _read_class(name, entry) for name, entry in data.items()})


def learned(texts: Mapping[str, Sequence[str]]) -> Recognizer:
    """Learn classes from questions of each."""
    seen = {name: [features(text) for text in some] for name, some in texts.items() if some}
    counts = {name: _counted(some) for name, some in seen.items()}
    vocabulary = len({feature for one in counts.values() for feature in one})
    return Recognizer({name: ClassCounts(counts[name], _usual(seen[name], counts[name], vocabulary)) for name in seen})


def features(text: str) -> list[str]:
    """Each word and each group of three letters in it, once: how long a list is says little about what is asked of it.

    All numbers are one word.
    """
    line = _NUMBER.sub("0", text[:TEXT_LENGTH_MAX].casefold())
    words = [word[:FEATURE_LENGTH_MAX] for word in _WORD.findall(line)]
    joined = f" {' '.join(words)} "
    letters = (joined[start : start + 3] for start in range(len(joined) - 2))
    return list(dict.fromkeys([*(f"{word} " for word in words), *letters]))


def _loglikelihood(found: Sequence[str], counts: Mapping[str, int], vocabulary: int) -> float:
    whole = sum(counts.values()) + SMOOTHING * (vocabulary + 1)
    return math.fsum(math.log((counts.get(feature, 0) + SMOOTHING) / whole) for feature in found)


def _usual(seen: Sequence[Sequence[str]], counts: Mapping[str, int], vocabulary: int) -> float:
    """Each question is looked at as the others of its class see it: what it added to the counts is taken off first."""
    whole = sum(counts.values()) + SMOOTHING * (vocabulary + 1)
    means = []
    for found in seen:
        others = [max(0, counts.get(feature, 0) - 1) for feature in found]
        left = whole - sum(feature in counts for feature in found)
        means.append(math.fsum(math.log((count + SMOOTHING) / left) for count in others) / max(1, len(found)))
    return sorted(means)[int(len(means) * UNUSUAL)]


def _counted(seen: Sequence[Sequence[str]]) -> dict[str, int]:
    """In how many questions each feature is. Of equally frequent ones the same are kept in whatever order they come."""
    counts = Counter(feature for found in seen for feature in found)
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:FEATURES_MAX])


def _read_class(name: str, entry: Any) -> ClassCounts:
    if not isinstance(entry, dict) or entry.keys() != {"usual", "counts"}:
        raise ValueError(f"class {name[:40]!r} of the recognizer must have usual and counts")
    usual, counts = entry["usual"], entry["counts"]
    if not isinstance(usual, int | float) or not math.isfinite(usual):
        raise ValueError(f"class {name[:40]!r} of the recognizer: usual must be a number")
    if not isinstance(counts, dict) or not 0 < len(counts) <= FEATURES_MAX:
        raise ValueError(f"class {name[:40]!r} of the recognizer: counts must be 1 to {FEATURES_MAX} numbers")
    if not all(type(count) is int and 0 < count < 2**53 for count in counts.values()):
        raise ValueError(f"class {name[:40]!r} of the recognizer: a count is no positive whole number")
    return ClassCounts(counts, float(usual))
