"""Draws the samples of one request: in one call where the server draws many, else in a call for each."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from node.model.errors import AbilityMissing
from node.model.remote.dialect import Asked, Dialect, body_of, seed_of
from node.model.remote.errors import AnswerInvalid, ServerRefused
from node.model.remote.http import Call, Http
from node.model.remote.rendering import rendered
from node.model.remote.replies import Choice, Notes, Usage, Wrong, choices_of, usage_of
from node.model.remote.texts import Texts
from node.model.remote.together import together
from node.model.requests import GenerateRequest, Prompted
from node.model.results import End, Piece


@dataclass(frozen=True, slots=True)
class Server:
    """What the parts of a request work with."""

    http: Http
    dialect: Dialect
    notes: Notes


async def asked_of(server: Server, request: Prompted, call: Call) -> Asked:
    """Where and as what this prompt goes.

    Raises:
        AbilityMissing: the server takes no bare text, and this is one.
    """
    if server.dialect.chat and not request.raw and not request.written:
        return Asked.chat(request.prompt)
    return await bare_of(server, request, call)


async def bare_of(server: Server, request: Prompted, call: Call) -> Asked:
    """The prompt as bare text that can be gone on with, in the model's template unless it is raw."""
    dialect = server.dialect
    if not dialect.text:
        raise AbilityMissing("go on from bare text", "its server takes messages only")
    if request.raw or not dialect.chat:
        return Asked.bare(f"{request.prompt}{'' if request.raw else chr(10)}{request.written}")
    if not dialect.renders:
        raise AbilityMissing(
            "go on from the beginning of an answer", "its server does not say what a prompt looks like in its template"
        )
    text = await rendered(server.http, dialect, request.prompt, call)
    return Asked.bare(text + request.written, rendered=True)


async def generate(
    server: Server, request: GenerateRequest, call: Call, tell: Callable[[Piece], None] | None
) -> tuple[Texts, Usage]:
    """All samples, streamed if there is somebody to tell. Raises ServerError, AbilityMissing."""
    asked = await asked_of(server, request, call)
    work = _Generating(server, request, asked, call, Texts(request, tell))
    every = list(range(request.samples))
    if request.sampling.temperature == 0.0:
        usage = await work.draw([every])  # all samples are equal: draw one
    elif server.dialect.many and request.samples > 1:
        usage = await work.draw_together()
    else:
        usage = await work.draw([[sample] for sample in every])
    if request.likelihood and not all(text.says_tokens for text in work.texts.samples):
        raise AnswerInvalid(server.http.place, "does not say how likely its tokens are, though it did when tried")
    return work.texts, usage


@dataclass(frozen=True, slots=True)
class _Generating:
    server: Server
    request: GenerateRequest
    asked: Asked
    call: Call
    texts: Texts

    async def draw(self, groups: Sequence[Sequence[int]]) -> Usage:
        """One call for each group of samples that are to be equal."""
        return sum(await together(self._call(1, [equal], equal[0]) for equal in groups), Usage())

    async def draw_together(self) -> Usage:
        """One call for all, and one for each that did not come of it: some servers draw many only up to a number."""
        numbered = [[sample] for sample in range(self.request.samples)]
        try:
            usage = await self._call(self.request.samples, numbered, 0)
        except ServerRefused as refused:
            if refused.status not in (400, 422):
                raise
            usage = Usage()
        return usage + await self.draw([[sample] for sample in self.texts.missing()])

    async def _call(self, samples: int, groups: Sequence[Sequence[int]], seed: int) -> Usage:
        seeded = seed_of(self.request.sampling.seed, seed)
        body = body_of(self.server.dialect, self.request, self.asked, samples=samples, seed=seeded)
        try:
            if self.texts.tell is not None:
                return await self._stream(body, groups)
            answer = await self.server.http.post(self.asked.path, body, self.call)
            for choice in choices_of(answer, samples):
                whole = Choice(choice.index, choice.text, choice.end or End.MODEL, choice.tokens)
                self.texts.add(whole, groups[choice.index])
            return self._usage(answer, samples)
        except Wrong as wrong:
            raise AnswerInvalid(self.server.http.place, str(wrong)) from None

    async def _stream(self, body: dict[str, Any], groups: Sequence[Sequence[int]]) -> Usage:
        usage = Usage()
        body = body | {"stream": True, "stream_options": {"include_usage": True}}
        async with aclosing(self.server.http.stream(self.asked.path, body, self.call)) as events:
            async for event in events:
                for choice in choices_of({"choices": []} | event, len(groups)):
                    self.texts.add(choice, groups[choice.index])
                if event.get("usage"):
                    usage = self._usage(event, len(groups))
        open_texts = (self.texts.samples[sample] for group in groups for sample in group)
        if any(text.end is None and (text.text or len(groups) == 1) for text in open_texts):
            raise Wrong("ends its stream in the middle of a text")
        return usage

    def _usage(self, answer: dict[str, Any], samples: int) -> Usage:
        return usage_of(answer, self.asked.size, samples * self.request.tokens_max, self.server.notes)
