"""Finds out what a server can do by asking it: for its models, then for a few tokens in each way that might work."""

import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from node.model.remote.address import MODEL_LENGTH_MAX, ServerAddress
from node.model.remote.dialect import (
    GRAMMARS,
    SCHEMAS,
    TEXT,
    Asked,
    Dialect,
    Kind,
    grammar_fields,
    likelihood_fields,
    schema_fields,
)
from node.model.remote.errors import AnswerInvalid, ServerError, ServerRefused, ServerUnreachable
from node.model.remote.http import Call, Http
from node.model.remote.rendering import rendered
from node.model.remote.replies import Choice, Notes, Wrong, choices_of, vectors_of
from node.model.remote.scoring import echoed
from node.model.remote.together import together

_MESSAGE = "Say a word."
_TEXT = "One, two, three, four, five, six,"
_WORD = "zq7"
_OBJECT = {"zq": 7}
_SCHEMA = {
    "type": "object",
    "properties": {"zq": {"type": "integer", "enum": [7]}},
    "required": ["zq"],
    "additionalProperties": False,
}
_CONSTRAINED_TOKENS = 24
_NUMBER_MAX = 1 << 50
_SCORES_DIFFER_MAX = 0.2
"""Between a token as it was drawn and as it is scored: passes of different shapes round differently."""


async def find_dialect(http: Http, address: ServerAddress, call: Call) -> Dialect:
    """Ask for the models, see that one can be asked, and try what else there is.

    Raises:
        ServerError: the server cannot be reached, has no such model, or does not answer as one.
    """
    listed = await _listed(http, address, call)
    begun = _begin(listed)
    if begun.parallel_max is not None:
        http.limit(begun.parallel_max)
    probe = _Probe(http, call, begun)
    await probe.find_paths()
    extras, many, likelihood, stream, embeds, renders = await together(
        (
            probe.takes({"top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0}),
            probe.draws_many(),
            probe.tells_likelihood(),
            probe.streams(),
            probe.embeds(),
            probe.renders(),
        )
    )
    grammar, schema = await together((probe.grammar(), probe.schema()))
    echoes = likelihood and await probe.echoes()
    return replace(
        probe.dialect,
        extras=extras and probe.dialect.kind is not Kind.OLLAMA,  # it takes and ignores them
        many=many,
        likelihood=likelihood,
        stream=stream,
        embeds=embeds,
        renders=renders,
        grammar=grammar,
        schema=schema,
        echoes=echoes,
    )


async def _listed(http: Http, address: ServerAddress, call: Call) -> dict[str, Any]:
    """What the server says of the model."""
    try:
        answer = await http.get("/models", call)
    except ServerRefused as refused:
        if refused.status in (401, 403):
            raise
        raise ServerError(
            http.place, f"has no list of models ({refused.status}); the address mostly ends with /v1"
        ) from None
    data = answer.get("data")
    models = {
        model["id"]: model
        for model in (data if isinstance(data, list) else [])
        if isinstance(model, dict) and isinstance(model.get("id"), str) and model["id"].isprintable()
    }
    if not address.model and len(models) == 1:
        return next(iter(models.values()))
    if address.model in models:
        return models[address.model]
    known = ", ".join(name[:MODEL_LENGTH_MAX] for name in sorted(models)[:20]) or "none"
    asked = f"has no model {address.model!r}" if address.model else "has several models or none"
    raise ServerError(http.place, f"{asked}; write one of these after the #: {known}")


def _begin(listed: dict[str, Any]) -> Dialect:
    meta = listed.get("meta") if isinstance(listed.get("meta"), dict) else {}
    assert isinstance(meta, dict)
    told = {name: listed.get(name) for name in ("id", "owned_by", "root", "meta", "max_model_len")}
    return Dialect(
        kind=Kind.of(listed.get("owned_by")),
        model=str(listed["id"]),
        chat=False,
        text=False,
        fingerprint=json.dumps(told, sort_keys=True)[:4_096],
        context_length=_number(listed.get("max_model_len", meta.get("n_ctx"))),
        parameters=_number(meta.get("n_params")),
        size_bytes=_number(meta.get("size")),
    )


def _number(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _NUMBER_MAX else 0


class _Probe:
    """Asks one thing at a time; a refusal, and an answer that is none, mean that the server cannot do it."""

    def __init__(self, http: Http, call: Call, dialect: Dialect) -> None:
        self._http, self._call = http, call
        self.dialect = dialect

    async def find_paths(self) -> None:
        """Raises ServerError if neither messages nor bare text are answered: then the model does not run."""
        asked = (Asked.chat(_MESSAGE), Asked.bare(_TEXT))
        chat, text = await together(self._answer_or_refusal(each) for each in asked)
        if isinstance(chat, ServerError) and isinstance(text, ServerError):
            raise chat
        answered = chat if isinstance(chat, dict) else text
        assert isinstance(answered, dict)
        build = str(answered.get("system_fingerprint"))[:200]
        kind = Kind.OLLAMA if build == "fp_ollama" else self.dialect.kind  # it says so whoever a model is from
        self.dialect = replace(
            self.dialect,
            kind=kind,
            chat=isinstance(chat, dict),
            text=isinstance(text, dict) and kind is not Kind.OLLAMA,  # it puts bare text into the template too
            fingerprint=f"{self.dialect.fingerprint} {build}",
        )

    async def takes(self, fields: dict[str, Any]) -> bool:
        return await self._works(lambda: self._choice(fields))

    async def draws_many(self) -> bool:
        async def ask() -> None:
            answer = await self._ask(self._prompt, {"n": 2, "temperature": 1.0})
            if len(choices_of(answer, 2)) != 2:
                raise Wrong("draws one")

        return await self._works(ask)

    async def tells_likelihood(self) -> bool:
        async def ask() -> None:
            choice = await self._choice(likelihood_fields(self._prompt.path, 3))
            if not choice.tokens or choice.tokens[0] is None or len(choice.tokens[0].top) < 2:
                raise Wrong("says nothing of its tokens")

        return await self._works(ask)

    async def streams(self) -> bool:
        async def ask() -> None:
            body = {**self._prompt.fields, "model": self.dialect.model, "max_tokens": 2, "temperature": 0.0}
            async with aclosing(self._http.stream(self._prompt.path, body | {"stream": True}, self._call)) as events:
                ends = [choice.end async for event in events for choice in choices_of({"choices": []} | event, 1)]
            if not any(ends):
                raise Wrong("its stream has no end")

        return await self._works(ask)

    async def embeds(self) -> bool:
        async def ask() -> None:
            body = {"model": self.dialect.model, "input": ["a", "b c"], "encoding_format": "float"}
            vectors_of(await self._http.post("/embeddings", body, self._call), 2)

        return await self._works(ask)

    async def renders(self) -> bool:
        async def ask() -> None:
            if not (self.dialect.chat and self.dialect.text):
                raise Wrong("has no template, or no way to give it what came of it")
            await rendered(self._http, self.dialect, _MESSAGE, self._call)

        return await self._works(ask)

    async def grammar(self) -> str | None:
        ways = {Kind.OLLAMA: (), Kind.VLLM: GRAMMARS[1:]}.get(self.dialect.kind, GRAMMARS)
        wanted = f'root ::= "{_WORD}"'
        return await self._first(ways, lambda way: grammar_fields(way, wanted), lambda text: text == _WORD)

    async def schema(self) -> str | None:
        def follows(text: str) -> bool:
            return bool(json.loads(text) == _OBJECT)

        ways = SCHEMAS
        if self.dialect.kind in (Kind.LLAMA_SERVER, Kind.VLLM):  # those that also work for bare text
            ways = (*ways[1:2], *ways[3:], *ways[:1], *ways[2:3])
        return await self._first(ways, lambda way: schema_fields(way, _SCHEMA), follows)

    async def echoes(self) -> bool:
        """Draw a token, score it as given text, and compare: some servers are a token off."""

        async def ask() -> None:
            asked = Asked.bare(_TEXT)
            answer = await self._ask(asked, {"temperature": 0.0, **likelihood_fields(TEXT, 1)})
            (choice,) = choices_of(answer, 1)
            drawn = choice.tokens[0] if choice.tokens else None
            if drawn is None or not choice.text.strip():
                raise Wrong("says nothing of its tokens")
            whole = Asked.bare(_TEXT + choice.text)
            score = (await echoed(self._http, self.dialect, whole, _TEXT, self._call, Notes(_no_note))).score
            if score.tokens != 1 or abs(score.logprob - drawn.likely.logprob) > _SCORES_DIFFER_MAX:
                raise Wrong("scores a text otherwise than it draws it")

        return self.dialect.text and await self._works(ask)

    async def _first(
        self, ways: tuple[str, ...], fields: Callable[[str], dict[str, Any]], follows: Callable[[str], bool]
    ) -> str | None:
        async def ask(way: str) -> None:
            choice = await self._choice({**fields(way), "max_tokens": _CONSTRAINED_TOKENS})
            if not follows(choice.text.strip()):
                raise Wrong("ignores it")

        for way in ways:
            if await self._works(lambda way=way: ask(way)):  # type: ignore[misc]
                return way
        return None

    async def _works(self, ask: Callable[[], Awaitable[object]]) -> bool:
        """Raises ServerError if the server is gone or has too much to do, so that nothing can be said of it."""
        try:
            await ask()
        except ServerUnreachable:
            await self._http.get("/models", self._call)  # some close the connection over what they do not know
            return False
        except (ServerRefused, AnswerInvalid, Wrong, ValueError, RecursionError):
            return False
        return True

    async def _answer_or_refusal(self, asked: Asked) -> dict[str, Any] | ServerError:
        try:
            return await self._ask(asked)
        except (ServerRefused, AnswerInvalid) as refusal:
            return refusal

    @property
    def _prompt(self) -> Asked:
        return Asked.chat(_MESSAGE) if self.dialect.chat else Asked.bare(_TEXT)

    async def _choice(self, fields: dict[str, Any]) -> Choice:
        (choice,) = choices_of(await self._ask(self._prompt, fields), 1)
        return choice

    async def _ask(self, asked: Asked, fields: dict[str, Any] | None = None) -> dict[str, Any]:
        body = {**asked.fields, "model": self.dialect.model, "max_tokens": 1, "temperature": 0.0, **(fields or {})}
        answer = await self._http.post(asked.path, body, self._call)
        try:
            choices_of(answer, int(body.get("n", 1)))
        except Wrong as wrong:
            raise AnswerInvalid(self._http.place, str(wrong)) from None
        return answer


def _no_note(_: str) -> None:
    """A probe is not accounted."""
