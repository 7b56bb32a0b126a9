"""What a server says of texts without writing any: scores, next tokens, embeddings."""

from collections.abc import Sequence
from dataclasses import replace

from node.model.errors import AbilityMissing, ModelFailed
from node.model.remote.dialect import Asked, likelihood_fields
from node.model.remote.errors import AnswerInvalid
from node.model.remote.generating import Server, asked_of, bare_of
from node.model.remote.http import Call
from node.model.remote.replies import Likely, Usage, Wrong, choices_of, clean, usage_of, vectors_of
from node.model.remote.scoring import Echo, echoed
from node.model.remote.together import together
from node.model.requests import EmbedRequest, NextRequest, Sampling, ScoreRequest
from node.model.results import NextToken, Score


async def score(server: Server, request: ScoreRequest, call: Call) -> tuple[tuple[Score, ...], Usage]:
    """One score per continuation.

    Raises:
        AbilityMissing: the end of an answer is to be scored too, or something that has nothing before it.
        ModelFailed: first tokens alone are asked for, and two are alike.
        ServerError: see there.
    """
    if request.closed:
        raise AbilityMissing("score the end of an answer", "its server does not say how likely that is")
    scores, usage = await _scores(server, request, call)
    if not request.calibrated:
        return scores, usage
    empty, more = await _scores(server, replace(request, prompt=""), call)
    both = zip(scores, empty, strict=True)
    return tuple(replace(given, unconditional=without.logprob) for given, without in both), usage + more


async def _scores(server: Server, request: ScoreRequest, call: Call) -> tuple[tuple[Score, ...], Usage]:
    asked = await bare_of(server, request, call)
    before = str(asked.fields["prompt"])
    if not before:
        raise AbilityMissing("score a text that nothing comes before", "its server does not score first tokens")

    async def one(continuation: str) -> Echo:
        whole = before + clean(continuation)
        given = Asked(asked.path, {**asked.fields, "prompt": whole}, len(whole.encode()))
        return await echoed(server.http, server.dialect, given, before, call, server.notes, first=request.first_only)

    found = await together(map(one, request.continuations))
    if request.first_only and len({echo.first for echo in found}) < len(found):
        raise ModelFailed("two continuations begin with the same token; ask without first_only")
    return tuple(echo.score for echo in found), sum((echo.usage for echo in found), Usage())


async def next_tokens(server: Server, request: NextRequest, call: Call) -> tuple[tuple[NextToken, ...], Usage]:
    """The likeliest next tokens; at most as many as the server tells."""
    asked = await asked_of(server, request, call)
    body = {**asked.fields, "model": server.dialect.model, "max_tokens": 1}
    body |= server.dialect.sampling(Sampling(temperature=1.0), 0)
    body |= likelihood_fields(asked.path, min(request.top, server.dialect.top_max))
    answer = await server.http.post(asked.path, body, call)
    try:
        (choice,) = choices_of(answer, 1)
        first = choice.tokens[0] if choice.tokens else None
        if first is None or not first.top:
            raise Wrong("does not say which tokens could come next")
        found = _likeliest(first.top)[: request.top]
        return found, usage_of(answer, asked.size, 1, server.notes)
    except (Wrong, ValueError) as wrong:
        raise AnswerInvalid(server.http.place, str(wrong)) from None


def _likeliest(top: Sequence[Likely]) -> tuple[NextToken, ...]:
    ordered = sorted(top, key=lambda likely: -likely.logprob)
    return tuple(NextToken(one.id, b"" if one.ends else one.data, one.logprob, one.ends) for one in ordered)


async def embed(server: Server, request: EmbedRequest, call: Call) -> tuple[tuple[tuple[float, ...], ...], Usage]:
    """One vector per text, as the server makes them; mostly the mean over the tokens."""
    body = {"model": server.dialect.model, "input": list(request.texts), "encoding_format": "float"}
    answer = await server.http.post("/embeddings", body, call)
    try:
        vectors = vectors_of(answer, len(request.texts))
    except Wrong as wrong:
        raise AnswerInvalid(server.http.place, str(wrong)) from None
    size = sum(len(clean(text).encode()) for text in request.texts)
    return vectors, usage_of(answer, size, 0, server.notes)
