"""A distribution from outside for a sample's first token, in terms of this model's vocabulary."""

import math
from functools import lru_cache

from node.model.llamacpp.vocabulary import Vocabulary
from node.model.requests import GenerateRequest


def added(request: GenerateRequest, vocabulary: Vocabulary) -> dict[int, float]:
    """What is added to the log-probabilities of which tokens.

    The least of what is given counts for all tokens that are not named. To add the same to all changes nothing, so it
    is taken from what is named instead. Where another vocabulary's token is several of this one's, the first counts.
    """
    logprobs: dict[int, float] = {}
    for text, logprob in request.steer:
        for token in _tokens(text, vocabulary):
            known = logprobs.get(token, -math.inf)
            high, low = max(known, logprob), min(known, logprob)
            logprobs[token] = high if low == -math.inf else high + math.log1p(math.exp(low - high))
    least = min((logprob for _, logprob in request.steer), default=0.0)
    return {token: request.steer_weight * (logprob - least) for token, logprob in logprobs.items()}


def _tokens(text: bytes, vocabulary: Vocabulary) -> tuple[int, ...]:
    if not text:
        return vocabulary.ends
    if (token := _names(vocabulary).get(text)) is not None:
        return (token,)
    return tuple(vocabulary.plain(text.decode("utf-8", "ignore"))[:1])


@lru_cache(1)
def _names(vocabulary: Vocabulary) -> dict[bytes, int]:
    """Tokens by their bytes; of two that spell the same, the first."""
    return {vocabulary.piece(token): token for token in reversed(range(vocabulary.size)) if vocabulary.piece(token)}
