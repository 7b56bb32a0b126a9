"""Grammars that were being used whenever the model's process died: such a one is refused for a while."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from node.model.errors import GrammarInvalid
from node.model.requests import Grammar

DEATHS_MAX = 2
"""At one death it may have been another's fault."""
SECONDS_MIN = 600.0
"""Doubled by every further death."""
DOUBLINGS_MAX = 10
SUSPECTS_MAX = 1_024
"""The longest forgotten goes first."""


@dataclass(slots=True)
class _Suspect:
    deaths: int = 0
    until_s: float = 0.0


class Quarantine:
    """Whoever was there at two deaths, and served nobody in between."""

    def __init__(self) -> None:
        self._suspects: OrderedDict[bytes, _Suspect] = OrderedDict()

    def check(self, grammar: Grammar | None, now_s: float) -> None:
        """Raises GrammarInvalid while the grammar is refused."""
        suspect = self._suspects.get(_key(grammar)) if grammar and self._suspects else None
        if suspect is not None and now_s < suspect.until_s:
            raise GrammarInvalid(f"it was in use {suspect.deaths} times when the model's process ended")

    def served(self, grammar: Grammar | None) -> None:
        """An answer came: what ended the process was something else."""
        if grammar and self._suspects:
            self._suspects.pop(_key(grammar), None)

    def died(self, grammars: Iterable[Grammar], now_s: float) -> None:
        """The process ended while these were in it."""
        for key in dict.fromkeys(map(_key, grammars)):
            suspect = self._suspects.pop(key, None) or _Suspect()
            suspect.deaths += 1
            further = min(suspect.deaths - DEATHS_MAX, DOUBLINGS_MAX)
            if further >= 0:
                suspect.until_s = now_s + SECONDS_MIN * 2**further
            self._suspects[key] = suspect
        while len(self._suspects) > SUSPECTS_MAX:
            self._suspects.popitem(last=False)


def _key(grammar: Grammar) -> bytes:
    return hashlib.sha256(f"{grammar.kind} {grammar.text}".encode("utf-8", "replace")).digest()
