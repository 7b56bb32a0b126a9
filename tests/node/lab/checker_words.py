"""Questions about the letters of words worked out anew, from their texts alone."""

import re
import string

PLACES = ("first", "second", "third", "fourth", "fifth", "sixth")


def strings(text: str) -> str:
    """The answer to a question about letters."""
    body = text.rstrip("?.")
    for pattern, answer in READINGS:
        if match := re.search(pattern, body):
            return answer(*(group for group in match.groups() if group is not None))
    raise AssertionError(f"nothing reads {text!r}")


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"


def _letter(place: str, word: str) -> str:
    at = len(word) if place == "last" else PLACES.index(place) + 1
    return re.fullmatch(rf".{{{at - 1}}}(.).*", word)[1]  # type: ignore[index]


def _from_end(place: str, word: str) -> str:
    return _letter(place, _backwards(word))


def _backwards(word: str) -> str:
    left, out = word, ""
    while left:
        left, out = left[:-1], out + left[-1]
    return out


def _ordered(word: str) -> str:
    return "".join(letter * word.count(letter) for letter in string.ascii_lowercase)


def _without_vowels(word: str) -> str:
    assert "y" not in word.lower(), "it is open whether its y is a vowel"
    return re.sub("[aeiouAEIOU]", "", word)


def _ends_swapped(word: str) -> str:
    return re.sub(r"^(.)(.*)(.)$", r"\3\2\1", word)


def _large(word: str) -> str:
    return "".join(chr(ord(letter) - 32) if letter >= "a" else letter for letter in word)


# Tried in this order: later patterns read more.
READINGS = (
    (r"Is (\w) the first letter of (\w+)$", lambda c, w: _yes(w.startswith(c))),
    (r"Does (\w+) (?:start|begin) with (\w)$", lambda w, c: _yes(w.startswith(c))),
    (r"Is the letter (\w) in (\w+)$", lambda c, w: _yes(c in w)),
    (r"Does (\w+) (?:have|contain) the letter (\w)$", lambda w, c: _yes(c in w)),
    (r"Sort the letters of (\w+)$|the letters of (\w+) (?:in order|from a to z)$", _ordered),
    (r"(?:Swap|Exchange) the first and last letter of (\w+)$", _ends_swapped),
    (r"Write (\w+) with its first and last letter swapped$", _ends_swapped),
    (r"vowels from (\w+)$|(\w+) without (?:its )?vowels$|vowels out of (\w+)$", _without_vowels),
    (r"the (\w+) letter from the end of (\w+)$", _from_end),
    (r"Counted from the end, what is the (\w+) letter of (\w+)$", _from_end),
    (r"(?:the|Name the) (\w+) letter of (\w+)$", _letter),
    (r"Which letter of (\w+) is the (\w+)$", lambda w, place: _letter(place, w)),
    (r"How many times does (\w) occur in (\w+)$", lambda c, w: str(len(w.split(c)) - 1)),
    (r"How often is (\w) in (\w+)$|Count the letter (\w) in (\w+)$", lambda c, w: str(len(w.split(c)) - 1)),
    (
        r"many letters (?:has|are in) (\w+)$|long is the word (\w+)$|Count the letters in (\w+)$",
        lambda w: str(sum(1 for _ in w)),
    ),
    (r"Join (\w+) and (\w+)$|Write (\w+) and (\w+) as one word$|What is (\w+) followed by (\w+)$", str.__add__),
    (r"(\w+) in (?:capitals|upper case)$", _large),
    (r"Reverse the word (\w+)$|Spell (\w+) backwards$|What is (\w+) read backwards$", _backwards),
    (r"Write (\w+) in reverse$|Turn (\w+) round$", _backwards),
)
