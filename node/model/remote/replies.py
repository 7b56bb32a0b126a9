"""Reads what a server answers: every number and text is checked, since nothing makes a server tell the truth."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.model.results import End

CHARACTERS_PER_TOKEN_MAX = 1_024
"""Longer than any vocabulary's longest token."""
TEMPLATE_TOKENS_MAX = 8_192
"""What a server may add to a prompt: its chat template, with a system message."""
DIMENSIONS_MAX = 65_536
_LOGPROB_MIN = -1e4
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# How usual vocabularies spell the token that ends an answer, where servers do not say which one it is.
_ENDS = {"</s>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<eos>", "<|return|>"}


class Wrong(Exception):
    """What is wrong with an answer."""


@dataclass(frozen=True, slots=True)
class Likely:
    """A token and its log-probability. The id is -1 where the server does not say it."""

    text: str
    data: bytes
    logprob: float
    id: int = -1

    @property
    def ends(self) -> bool:
        """Whether it ends the answer."""
        return not self.data or self.text in _ENDS


@dataclass(frozen=True, slots=True)
class TokenRead:
    """One token of a text, where it begins in it (-1: not said), and the likeliest ones in its place."""

    likely: Likely
    offset: int = -1
    top: tuple[Likely, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One text, or a piece of one that is streamed.

    Args:
        end: None while it goes on.
        tokens: None where the server says nothing of them.
    """

    index: int
    text: str
    end: End | None
    tokens: tuple[TokenRead | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server says it evaluated; 0 where it does not say."""

    prompt: int = 0
    cached: int = 0
    generated: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.prompt + other.prompt, self.cached + other.cached, self.generated + other.generated)


@dataclass(slots=True)
class Notes:
    """What was put right in a server's accounts, each thing once."""

    tell: Callable[[str], None]
    _told: set[str] = field(default_factory=set)

    def note(self, what: str, why: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self.tell(why)


def choices_of(answer: dict[str, Any], most: int) -> list[Choice]:
    """All texts of an answer, at most `most`, each of which has another index."""
    choices = _list(answer.get("choices"), "choices")
    if len(choices) > most:
        raise Wrong(f"sends {len(choices)} texts where {most} were asked for")
    read = [_choice(choice, most) for choice in choices]
    if len({choice.index for choice in read}) < len(read):
        raise Wrong("numbers two texts alike")
    return read


def _choice(value: Any, most: int) -> Choice:
    choice = _dict(value, "a choice")
    index = choice.get("index", 0)
    if type(index) is not int or not 0 <= index < most:
        raise Wrong(f"numbers a text {index!r:.20}")
    return Choice(index, clean(_text(choice)), _end(choice), _tokens(choice.get("logprobs")))


def _text(choice: dict[str, Any]) -> str:
    """Of a message, a piece of one, or bare text. Messages may have no content, as when a model only thought."""
    for name in ("message", "delta"):
        if name in choice:
            text = _dict(choice[name], "a message").get("content") or ""
            break
    else:
        text = choice.get("text")
    if not isinstance(text, str):
        raise Wrong("sends a text that is none")
    return text


def clean(text: str) -> str:
    """Without halves of characters, which JSON can hold and UTF-8 cannot."""
    return _LONE_SURROGATE.sub("\ufffd", text)


def _end(choice: dict[str, Any]) -> End | None:
    match choice.get("finish_reason"):
        case None | "":
            return None
        case "length":
            return End.LENGTH
        case "stop" | "eos" | "eos_token":  # vLLM also says which text stopped it; for the others it was the model
            return End.STOP if isinstance(choice.get("stop_reason"), str) else End.MODEL
        case reason:
            raise Wrong(f"ended a text for the reason {reason!r:.40}, so that it is not the model's answer")


def _tokens(value: Any) -> tuple[TokenRead | None, ...] | None:
    """Tokens in the form of OpenAI's chats (and of llama-server everywhere), or in that of its completions."""
    if value is None:
        return None
    if (content := _dict(value, "logprobs").get("content")) is not None:
        return tuple(_chat_token(token) for token in _list(content, "logprobs.content"))
    if "tokens" not in value:
        return None
    texts, logprobs = _list(value["tokens"], "tokens"), _list(value.get("token_logprobs"), "token_logprobs")
    offsets, tops = value.get("text_offset") or [-1] * len(texts), value.get("top_logprobs") or [None] * len(texts)
    if not len(texts) == len(logprobs) == len(_list(offsets, "text_offset")) == len(_list(tops, "top_logprobs")):
        raise Wrong("sends lists of tokens of different lengths")
    return tuple(map(_text_token, texts, logprobs, offsets, tops))


def _chat_token(value: Any) -> TokenRead:
    token = _dict(value, "a token")
    top = tuple(_likely(_dict(other, "a token")) for other in _list(token.get("top_logprobs") or [], "top_logprobs"))
    return TokenRead(_likely(token), -1, top)


def _likely(token: dict[str, Any]) -> Likely:
    text, data, number = token.get("token"), token.get("bytes"), token.get("id", -1)
    if not isinstance(text, str) or type(number) is not int or number < -1:
        raise Wrong("sends a token without text")
    if data is not None and not all(type(byte) is int and 0 <= byte < 256 for byte in _list(data, "bytes")):
        raise Wrong("sends a token whose bytes are none")
    text = clean(text)
    return Likely(text, text.encode() if data is None else bytes(data), logprob_of(token.get("logprob")), number)


def _text_token(text: Any, logprob: Any, offset: Any, top: Any) -> TokenRead | None:
    """None for the first token of all, before which there is nothing that could make it likely."""
    if logprob is None:
        return None
    if not isinstance(text, str) or type(offset) is not int:
        raise Wrong("sends a token without text or place")
    others = _dict(top, "top_logprobs") if top is not None else {}
    read = (Likely(clean(other), clean(other).encode(), logprob_of(value)) for other, value in others.items())
    text = clean(text)
    likely = Likely(text, text.encode(), logprob_of(logprob))
    return TokenRead(likely, offset, tuple(sorted(read, key=lambda other: -other.logprob)))


def logprob_of(value: Any) -> float:
    """A natural logarithm of a probability. Some servers write a very small number for minus infinity."""
    if type(value) not in (int, float) or not -3.5e38 <= value <= 1e-3:
        raise Wrong(f"sends {value!r:.40} as a log-probability")
    return min(0.0, max(_LOGPROB_MIN, float(value)))


def usage_of(answer: dict[str, Any], prompt_bytes: int, generated_max: int, notes: Notes) -> Usage:
    """What the server says it counted, as far as that can be: what is more is cut, what is no count is left out.

    No tokenizer makes more tokens of a prompt than it has bytes. `generated_max` are the tokens that were allowed, of
    all samples together.
    """
    usage = answer.get("usage") or {}
    if not isinstance(usage, dict):
        notes.note("usage", f"its account is of another form ({usage!r:.40}) and is left out")
        return Usage()
    details = usage.get("prompt_tokens_details")
    prompt = _count(usage, "prompt_tokens", prompt_bytes + TEMPLATE_TOKENS_MAX, notes)
    cached = _count(details, "cached_tokens", prompt, notes) if isinstance(details, dict) else 0
    return Usage(prompt, cached, _count(usage, "completion_tokens", generated_max, notes))


def _count(counts: dict[str, Any], name: str, most: int, notes: Notes) -> int:
    value = counts.get(name)
    if value is None:
        return 0
    if type(value) is not int or value < 0:
        notes.note(name, f"its {name} is {value!r:.40}, which is no count, and is left out")
        return 0
    if value > most:
        notes.note(f"{name} cut", f"its {name} is {value}, more than can be; {most} is counted instead")
    return min(value, most)


def vectors_of(answer: dict[str, Any], texts: int) -> tuple[tuple[float, ...], ...]:
    """One vector per text in the order of the texts, each made 1 long."""
    rows = [_dict(row, "an embedding") for row in _list(answer.get("data"), "data")]
    if sorted(row.get("index", 0) if type(row.get("index", 0)) is int else -1 for row in rows) != list(range(texts)):
        raise Wrong(f"sends {len(rows)} vectors, not one for each of {texts} texts")
    ordered = sorted(rows, key=lambda row: int(row.get("index", 0)))
    vectors = tuple(_unit(_list(row.get("embedding"), "embedding")) for row in ordered)
    if len({len(vector) for vector in vectors}) != 1:
        raise Wrong("sends vectors of different lengths")
    return vectors


def _unit(values: Sequence[Any]) -> tuple[float, ...]:
    if not 1 <= len(values) <= DIMENSIONS_MAX:
        raise Wrong(f"sends a vector of {len(values)} numbers")
    if not all(type(value) in (int, float) and abs(value) < 1e30 for value in values):
        raise Wrong("sends a vector of what are no numbers")
    length = math.hypot(*values)
    if length == 0.0:
        raise Wrong("sends a vector of zeros")
    return tuple(value / length for value in values)


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise Wrong(f"sends no list as {what}")
    return value


def _dict(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Wrong(f"sends no object as {what}")
    return value
