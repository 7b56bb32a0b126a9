"""Compound questions read anew: each thing in the text that has a name is worked out and put in the name's place."""

import re

from tests.node.lab.checker_measures import calendar, units
from tests.node.lab.checker_numbers import arithmetic, comparing
from tests.node.lab.checker_words import strings
from tests.node.lab.checker_world import world

NAME = r"([A-Z][a-z]+(?: [A-Z][a-z]+)?|[a-z]+)"
FACT = (
    rf"the (?:capital|currency|main language|opposite|plural|past tense) of {NAME}"
    r"|the (?:word for a young|female counterpart of)(?: an?)? [a-z]+"
    r"|the [a-z]+ planet from the sun"
)
COUNTED = r"the (?P<unit>day|month) (?P<far>\d+ (?:days|months) (?:after|before) [A-Z][a-z]+)"
ENDS = r"the (?P<end>largest|smallest) of (?P<items>\d+(?:, \d+)* and \d+)"


def compound(text: str) -> str:
    """The answer to a compound question, worked out from the inside."""
    while (simpler := _simpler(text)) != text:
        text = simpler
    return _last(text)


def _simpler(text: str) -> str:
    """The text with one of its inmost things worked out."""
    if found := re.search(FACT, text):
        return _put(text, found, world(f"What is {found[0]}?"))
    if found := re.search(COUNTED, text):
        return _put(text, found, calendar(f"What {found['unit']} is {found['far']}?"))
    if found := re.search(ENDS, text):
        return _put(text, found, comparing(f"Which is the {found['end']}: {found['items'].replace(' and', ',')}?"))
    if found := re.search(r"the (?:sum|product|difference) of \d+ and \d+", text):
        return _put(text, found, arithmetic(f"What is {found[0]}?"))
    if found := re.search(r"the Roman numeral [A-Z]+", text):
        return _put(text, found, units(f"What is {found[0]}?"))
    if found := re.search(r"the number of letters in (?!the )(\w+)", text):
        return _put(text, found, str(len(found[1])))
    return text


def _put(text: str, found: re.Match[str], value: str) -> str:
    return text[: found.start()] + value + text[found.end() :]


def _last(text: str) -> str:
    """What is left names no things any more: `Add 5 to 12.`"""
    if re.search(r"^(?:Add|Subtract|Multiply) \d", text):
        return arithmetic(text)
    if re.search(r"^Is \d", text):
        return comparing(text)
    if "Roman" in text:
        return units(text)
    if "how many days" in text.lower():
        (month,) = re.findall(r"[A-Z][a-z]+(?= in|\?)", text)
        (year,) = re.findall(r"\d{4}", text)
        return calendar(f"How many days has {month} {year}?")
    return strings(text)
