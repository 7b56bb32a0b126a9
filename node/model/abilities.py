"""What a request needs an engine to be able to do."""

from collections.abc import Iterator

from node.model.engine import Ability, ModelInfo
from node.model.errors import AbilityMissing
from node.model.requests import EmbedRequest, GenerateRequest, NextRequest, ScoreRequest


def needs(
    request: GenerateRequest | ScoreRequest | NextRequest | EmbedRequest, *, streams: bool = False
) -> Iterator[Ability]:
    """Args: streams: the texts are wanted piece by piece."""
    match request:
        case GenerateRequest():
            yield Ability.SAMPLE
            if streams:
                yield Ability.STREAM
            if request.likelihood:
                yield Ability.LIKELIHOOD
            if request.grammar is not None:
                yield Ability.GRAMMAR
            if request.steer:
                yield Ability.STEER
        case ScoreRequest():
            yield Ability.SCORE
        case NextRequest():
            yield Ability.NEXT
        case EmbedRequest():
            yield Ability.EMBED
    if request.adapters:
        yield Ability.ADAPTERS


def check(
    info: ModelInfo, request: GenerateRequest | ScoreRequest | NextRequest | EmbedRequest, *, streams: bool = False
) -> None:
    """Raises AbilityMissing for the first thing that the engine cannot do."""
    for ability in needs(request, streams=streams):
        if ability not in info.abilities:
            raise AbilityMissing(ability.value, f"{info.name} runs where that cannot be done")
