"""A model that needs no weights: what comes next, and how likely, follows from the text alone."""

import json
import math
import random
import re
from dataclasses import dataclass
from typing import Any

WORDS = (" red", " blue", " green", " grey")
ENDS_AFTER = 4
"""Tokens; then the model ends its answer."""


def tokens_of(text: str) -> list[str]:
    return re.findall(r"\s*[^\s<]+|\s*<[^>]*>|\s+$|<", text)


def likely(before: str) -> dict[str, float]:
    """Log-probabilities of what may come after a text."""
    weights = [1 + (sum(before.encode()) * 7 + index * 13) % 17 for index in range(len(WORDS))]
    return {word: math.log(weight / sum(weights)) for word, weight in zip(WORDS, weights, strict=True)}


def logprob(before: str, token: str) -> float:
    return likely(before).get(token, -0.5 - (len(before) * 3 + len(token)) % 11)


@dataclass(frozen=True)
class Drawn:
    """One answer: its tokens with what was possible in their place."""

    tokens: list[str]
    tops: list[dict[str, float]]
    reason: str

    @property
    def text(self) -> str:
        return "".join(self.tokens)


def draw(prompt: str, body: dict[str, Any], sample: int, wanted: str | None) -> Drawn:
    """Args: wanted: all that a grammar allows."""
    rng = random.Random(f"{body.get('seed')}/{sample}")
    tokens: list[str] = []
    tops: list[dict[str, float]] = []
    most = int(body.get("max_tokens", 16))
    while len(tokens) < most:
        if wanted is not None and "".join(tokens) == wanted:
            return Drawn(tokens, tops, "stop")
        if wanted is None and len(tokens) == ENDS_AFTER:
            return Drawn(tokens, tops, "stop")
        top = likely(prompt + "".join(tokens))
        best = max(top, key=lambda word: top[word])
        if wanted is not None:
            tokens.append(wanted[len("".join(tokens)) :][:3])
            top = {tokens[-1]: -1.0}
        elif body.get("temperature", 1.0) == 0:
            tokens.append(best)
        else:
            tokens.append(rng.choices(list(top), [math.exp(value) for value in top.values()])[0])
        tops.append(dict(sorted(top.items(), key=lambda item: -item[1])))
    return Drawn(tokens, tops, "length")


def only_text_of(grammar: str) -> str:
    """Of a grammar with one rule that is one text."""
    match = re.fullmatch(r'root ::= ("(?:[^"\\]|\\.)*")', grammar)
    assert match is not None
    return str(json.loads(match[1]))


def instance_of(schema: dict[str, Any]) -> str:
    """The least that a schema of enumerated properties allows."""
    return json.dumps({name: part["enum"][0] for name, part in schema["properties"].items()})
