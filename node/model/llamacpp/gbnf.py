"""Reads a GBNF grammar as llama.cpp's parser does, with words for what is wrong.

Source: llama.cpp, grammars/README.md.
"""

import string
from dataclasses import dataclass

from node.model.errors import GrammarInvalid

RULES_MAX = 1_000
NESTING_MAX = 64  # of parentheses; llama.cpp's parser calls itself for each
REPETITIONS_MAX = 1_000
_NAME = frozenset(string.ascii_letters + string.digits + "-")
_ESCAPES = {"t": 0, "r": 0, "n": 0, "\\": 0, '"': 0, "[": 0, "]": 0, "-": 0, "x": 2, "u": 4, "U": 8}


@dataclass(frozen=True, slots=True)
class Letters:
    """One or more letters, or sets of letters, in a row."""

    size: int


@dataclass(frozen=True, slots=True)
class Reference:
    name: str


@dataclass(frozen=True, slots=True)
class Group:
    alternatives: "Alternatives"


@dataclass(frozen=True, slots=True)
class Repeated:
    """Args: most: None for without end."""

    item: "Item"
    least: int
    most: int | None

    @property
    def times(self) -> int:
        """How often llama.cpp writes the item out."""
        return max(1, self.least if self.most is None else self.most)


Item = Letters | Reference | Group | Repeated
Alternatives = tuple[tuple[Item, ...], ...]


def read(text: str) -> dict[str, Alternatives]:
    """Raises: GrammarInvalid: it cannot be read; the message says where."""
    return _Reader(text).rules()


class _Reader:
    """Walks through the text once, as llama.cpp's parser does."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.nesting = text, 0, 0

    def fail(self, problem: str) -> GrammarInvalid:
        line = self.text.count("\n", 0, self.at) + 1
        return GrammarInvalid(f"{problem} in line {line}, at {self.text[self.at : self.at + 20]!r}")

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def space(self, newlines: bool) -> None:
        blank = " \t\r\n" if newlines else " \t"
        while (letter := self.peek()) and (letter in blank or letter == "#"):
            if letter == "#":
                while (letter := self.peek()) and letter not in "\r\n":
                    self.at += 1
            else:
                self.at += 1

    def rules(self) -> dict[str, Alternatives]:
        found: dict[str, Alternatives] = {}
        self.space(True)
        while self.peek():
            name = self.name()
            self.space(False)
            if self.peek(3) != "::=":
                raise self.fail("::= is missing")
            self.at += 3
            self.space(True)
            found[name] = self.alternatives(nested=False)
            if self.peek() and self.peek() not in "\r\n":
                raise self.fail("the rule should end")
            self.space(True)
            if len(found) > RULES_MAX:
                raise GrammarInvalid(f"it has more than {RULES_MAX} rules")
        return found

    def name(self) -> str:
        start = self.at
        while self.peek() and self.peek() in _NAME:
            self.at += 1
        if start == self.at:
            raise self.fail("a name is missing")
        return self.text[start : self.at]

    def alternatives(self, nested: bool) -> Alternatives:
        found = [self.sequence(nested)]
        while self.peek() == "|":
            self.at += 1
            self.space(True)
            found.append(self.sequence(nested))
        return tuple(found)

    def sequence(self, nested: bool) -> tuple[Item, ...]:
        items: list[Item] = []
        fresh = False  # whether there is something to repeat: an empty text is nothing
        while letter := self.peek():
            if letter in _NAME:
                items.append(Reference(self.name()))
            elif letter in '"[.(':
                item = self.item(letter)
                fresh = not isinstance(item, Letters) or item.size > 0
                if fresh:
                    items.append(item)
                self.space(nested)
                continue
            elif letter in "*+?{":
                if not fresh:
                    raise self.fail("there is nothing to repeat")
                least, most = self.repetition(letter, nested)
                items[-1] = Repeated(items[-1], least, most)
            elif letter in "<!":
                raise self.fail("tokens cannot be named; write their text")
            else:
                break
            fresh = True
            self.space(nested)
        return tuple(items)

    def item(self, letter: str) -> Item:
        self.at += 1
        match letter:
            case '"':
                size = 0
                while self.peek() != '"':
                    self.letter()
                    size += 1
                self.at += 1
                return Letters(size)
            case "[":
                return Letters(self.letter_set())
            case "(":
                self.nesting += 1
                if self.nesting > NESTING_MAX:
                    raise self.fail(f"more than {NESTING_MAX} parentheses are open")
                self.space(True)
                inner = Group(self.alternatives(nested=True))
                if self.peek() != ")":
                    raise self.fail("a closing parenthesis is missing")
                self.at += 1
                self.nesting -= 1
                return inner
            case _:
                return Letters(1)

    def letter_set(self) -> int:
        size = 0
        if self.peek() == "^":
            self.at += 1
        while self.peek() != "]":
            self.letter()
            size += 1
            if self.peek() == "-" and self.peek(2) != "-]":
                self.at += 1
                self.letter()
                size += 1
        self.at += 1
        if size == 0:
            raise self.fail("a set of letters is empty")
        return size

    def letter(self) -> None:
        letter = self.peek()
        if not letter:
            raise self.fail("the grammar ends too early")
        self.at += 1
        if letter == "\\":
            digits = _ESCAPES.get(self.peek() or " ")
            if digits is None:
                raise self.fail("an unknown escape")
            self.at += 1
            if len(code := self.peek(digits)) < digits or not set(code) <= set(string.hexdigits):
                raise self.fail(f"{digits} hexadecimal digits are missing")
            self.at += digits

    def repetition(self, letter: str, nested: bool) -> tuple[int, int | None]:
        self.at += 1
        if letter != "{":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[letter]
        self.space(nested)
        least = self.number()
        most: int | None = least
        self.space(nested)
        if self.peek() == ",":
            self.at += 1
            self.space(nested)
            most = None if self.peek() == "}" else self.number()
            self.space(nested)
        if self.peek() != "}":
            raise self.fail("} is missing")
        self.at += 1
        if most is not None and most < least:
            raise self.fail(f"a repetition from {least} to {most} times")
        return least, most

    def number(self) -> int:
        start = self.at
        while self.peek() and self.peek() in string.digits:
            self.at += 1
        digits = self.text[start : self.at]
        if not digits:
            raise self.fail("a number is missing")
        if len(digits) > 9 or int(digits) > REPETITIONS_MAX:
            raise self.fail(f"more than {REPETITIONS_MAX} repetitions")
        return int(digits)
