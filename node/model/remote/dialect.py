"""What one server understands of OpenAI's interface and beyond it, and how requests are written for it.

Sources: the interfaces as documented by llama.cpp (tools/server/README.md), vLLM (OpenAI-compatible server), Ollama
(OpenAI compatibility) and llama-cpp-python (OpenAI compatible web server).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Any

from node.model.engine import Ability
from node.model.errors import AbilityMissing, GrammarInvalid
from node.model.remote.replies import clean
from node.model.requests import GenerateRequest, Grammar, Sampling

CHAT, TEXT = "/chat/completions", "/completions"
TOP_MAX = 20
"""Likeliest tokens that OpenAI's interface gives at most, and most servers with it."""
TOP_MAX_LLAMA_SERVER = 1_024


class Kind(Enum):
    """Which program the server is, as its list of models tells. It decides about details; abilities are tried out."""

    VLLM = "vllm"
    LLAMA_SERVER = "llamacpp"
    OLLAMA = "library"
    LLAMA_CPP_PYTHON = "me"
    OTHER = ""

    @staticmethod
    def of(owner: object) -> "Kind":
        return next((kind for kind in Kind if kind.value and kind.value == owner), Kind.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What was found out about a server.

    Args:
        chat: it renders messages with the model's template; without it prompts are followed by a newline.
        text: it goes on from bare text.
        many: it draws several samples of a prompt at once.
        extras: it takes top_k, min_p and the like; what must not be changed silently is then set to nothing.
        grammar: the way in which it takes GBNF, a name in GRAMMARS; None if it does not.
        schema: the way in which it takes JSON schemas, a name in SCHEMAS.
        echoes: it says how likely a given text is.
        renders: it says what a prompt looks like in the model's template.
        fingerprint: all that it says of the model itself.
        context_length, parameters, size_bytes: 0 where it does not say.
    """

    kind: Kind
    model: str
    chat: bool
    text: bool
    many: bool = False
    extras: bool = False
    likelihood: bool = False
    stream: bool = False
    grammar: str | None = None
    schema: str | None = None
    echoes: bool = False
    renders: bool = False
    embeds: bool = False
    fingerprint: str = ""
    context_length: int = 0
    parameters: int = 0
    size_bytes: int = 0

    @property
    def abilities(self) -> frozenset[Ability]:
        """Of any request. Some special ones are refused nevertheless, such as closed scores."""
        found = {
            Ability.SAMPLE: True,
            Ability.STREAM: self.stream,
            Ability.LIKELIHOOD: self.likelihood,
            Ability.NEXT: self.likelihood,
            Ability.SCORE: self.echoes and (self.renders or not self.chat),
            Ability.GRAMMAR: self.grammar is not None or self.schema is not None,
            Ability.EMBED: self.embeds,
        }
        return frozenset(ability for ability, is_there in found.items() if is_there)

    @property
    def top_max(self) -> int:
        return TOP_MAX_LLAMA_SERVER if self.kind is Kind.LLAMA_SERVER else TOP_MAX

    @property
    def parallel_max(self) -> int | None:
        """llama-cpp-python's server breaks off a streamed answer when another request comes."""
        return 1 if self.kind is Kind.LLAMA_CPP_PYTHON else None

    def sampling(self, sampling: Sampling, seed: int | None) -> dict[str, Any]:
        """Raises AbilityMissing for what the server would ignore without a word."""
        drawn: dict[str, Any] = {"temperature": sampling.temperature, "top_p": sampling.top_p}
        if seed is not None:
            drawn["seed"] = seed
        if self.extras:
            none = 0 if self.kind is Kind.LLAMA_CPP_PYTHON else -1
            drawn |= {"top_k": sampling.top_k or none, "min_p": sampling.min_p}
            drawn["repetition_penalty" if self.kind is Kind.VLLM else "repeat_penalty"] = 1.0
        elif sampling.temperature > 0 and (sampling.top_k or sampling.min_p):
            raise AbilityMissing("sample with top_k or min_p", "its server has no such settings; use top_p")
        return drawn

    def constrained(self, grammar: Grammar, path: str) -> dict[str, Any]:
        """The fields for a grammar. Raises AbilityMissing, and GrammarInvalid for a schema that is no JSON."""
        if grammar.kind == "gbnf":
            if self.grammar is None:
                raise AbilityMissing("follow a GBNF grammar", "its server takes none" + self._schemas_instead)
            return grammar_fields(self.grammar, grammar.text)
        elsewhere = self.chat and path == TEXT and self.kind is not Kind.VLLM and self.schema != "json_schema"
        if self.schema is None or elsewhere:
            raise AbilityMissing("follow a JSON schema", "its server takes none" + (" for bare text" * elsewhere))
        try:
            schema = json.loads(grammar.text)
        except (ValueError, RecursionError) as error:
            raise GrammarInvalid(f"the schema is no JSON: {error}") from None
        return schema_fields(self.schema, schema)

    @property
    def _schemas_instead(self) -> str:
        return "" if self.schema is None else "; give a JSON schema instead"


GRAMMARS = ("grammar", "structured_outputs", "guided_grammar")
"""llama.cpp's; vLLM's from 0.11 on; vLLM's before."""
SCHEMAS = ("response_format", "json_schema", "json_object", "structured_outputs", "guided_json")
"""OpenAI's, Ollama's and vLLM's; llama-server's everywhere; llama-cpp-python's; vLLM's, new and old."""


def grammar_fields(way: str, grammar: str) -> dict[str, Any]:
    return {way: {"grammar": grammar}} if way == "structured_outputs" else {way: grammar}


def schema_fields(way: str, schema: Any) -> dict[str, Any]:
    match way:
        case "response_format":
            named = {"name": "answer", "strict": True, "schema": schema}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        case "json_object":
            return {"response_format": {"type": "json_object", "schema": schema}}
        case "structured_outputs":
            return {"structured_outputs": {"json": schema}}
        case _:
            return {way: schema}


def body_of(dialect: Dialect, request: GenerateRequest, prompt: "Asked", *, samples: int, seed: int) -> dict[str, Any]:
    """A request for texts. Raises AbilityMissing for what this server cannot do."""
    body = {**prompt.fields, "model": dialect.model, "max_tokens": request.tokens_max}
    body |= dialect.sampling(request.sampling, seed)
    if samples > 1:
        body["n"] = samples
    if request.stop:
        body["stop"] = list(request.stop)
    if request.likelihood:
        body |= likelihood_fields(prompt.path, 1)
    if request.grammar is not None:
        body |= dialect.constrained(request.grammar, prompt.path)
    return body


def likelihood_fields(path: str, top: int) -> dict[str, Any]:
    return {"logprobs": True, "top_logprobs": top} if path == CHAT else {"logprobs": top}


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a prompt goes, and as what.

    Args:
        size: bytes of the prompt in UTF-8.
    """

    path: str
    fields: Mapping[str, Any]
    size: int

    @staticmethod
    def chat(message: str) -> "Asked":
        message = clean(message)
        return Asked(CHAT, {"messages": [{"role": "user", "content": message}]}, len(message.encode()))

    @staticmethod
    def bare(text: str, *, rendered: bool = False) -> "Asked":
        """Args: rendered: it holds the model's own first token already."""
        text = clean(text)
        more = {"add_special_tokens": False} if rendered else {}
        return Asked(TEXT, {"prompt": text} | more, len(text.encode()))


def seed_of(seed: int, sample: int) -> int:
    """Of one call, 31 bits, which every server takes."""
    return int.from_bytes(sha256(f"{seed}/{sample}".encode()).digest()[:4], "big") >> 1
