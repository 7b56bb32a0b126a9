"""How likely a given text is: the server repeats it with the likelihood of each of its tokens."""

from dataclasses import dataclass

from node.model.remote.dialect import TEXT, Asked, Dialect, likelihood_fields
from node.model.remote.errors import AnswerInvalid
from node.model.remote.http import Call, Http
from node.model.remote.replies import Notes, TokenRead, Usage, Wrong, choices_of, usage_of
from node.model.results import Score


@dataclass(frozen=True, slots=True)
class Echo:
    """A score, the text of the first token in it, and what it took."""

    score: Score
    first: str
    usage: Usage


async def echoed(
    http: Http, dialect: Dialect, asked: Asked, before: str, call: Call, notes: Notes, *, first: bool = False
) -> Echo:
    """The score of what follows `before` in the text that is asked about; of its first token only, if `first`.

    A token that holds the end of `before` and the beginning of what follows counts to what follows. One token is drawn
    as well, since not every server takes 0; it is not counted.

    Raises:
        ServerError: see there.
    Source: OpenAI's completions with echo and logprobs, which vLLM and llama-cpp-python kept.
    """
    body = {**asked.fields, "model": dialect.model, "max_tokens": 1, "temperature": 0.0, "echo": True}
    answer = await http.post(asked.path, body | likelihood_fields(TEXT, 1), call)
    try:
        (choice,) = choices_of(answer, 1)
        whole = str(asked.fields["prompt"])
        if not choice.text.startswith(whole):
            raise Wrong("does not repeat the text that it is to score")
        counted = _counted(choice.tokens or (), len(before), len(whole))[: 1 if first else None]
    except (Wrong, ValueError) as wrong:
        raise AnswerInvalid(http.place, str(wrong)) from None
    score = Score(sum(token.likely.logprob for token in counted), len(counted))
    return Echo(score, counted[0].likely.text, usage_of(answer, asked.size, 1, notes))


def _counted(tokens: tuple[TokenRead | None, ...], start: int, end: int) -> list[TokenRead]:
    """The tokens between these places in the text. Offsets count characters."""
    known = [token for token in tokens if token is not None]
    if any(token.offset < 0 for token in known):
        raise Wrong("does not say where in the text its tokens are")
    ends = [token.offset for token in known[1:]] + [end + 1]
    found = [token for token, until in zip(known, ends, strict=True) if until > start and token.offset < end]
    if not found or (tokens and tokens[0] is None and start == 0):
        raise Wrong("does not score the whole text")
    return found
