"""Requests as messages: what the node asks its model's process."""

from pathlib import Path
from typing import Any, TypeAlias, assert_never

from node.model.pipe.frames import FrameError, Message
from node.model.requests import (
    AdapterUse,
    Common,
    EmbedRequest,
    GenerateRequest,
    Grammar,
    NextRequest,
    Prompted,
    Sampling,
    ScoreRequest,
)

Request: TypeAlias = GenerateRequest | ScoreRequest | NextRequest | EmbedRequest
"""What takes the model's time, and waits for its turn."""

_SAMPLING = ("temperature", "top_k", "top_p", "min_p", "seed")


def request_message(number: int, request: Request, *, streams: bool = False) -> Message:
    """Args: streams: send the texts piece by piece too."""
    message: Message = {"id": number, "common": _common(request)}
    match request:
        case GenerateRequest():
            message |= {
                "ask": "generate",
                "prompt": _prompt(request),
                "samples": (request.samples, request.tokens_max, request.likelihood, streams),
                "sampling": [getattr(request.sampling, name) for name in _SAMPLING],
                "stop": request.stop,
            }
            if request.grammar is not None:
                message["grammar"] = (request.grammar.kind, request.grammar.text)
            if request.steer or request.steer_weight != 1:
                steer = [(text.decode("latin-1"), logprob) for text, logprob in request.steer]
                message["steer"] = (steer, request.steer_weight)
        case ScoreRequest():
            flags = (request.closed, request.calibrated, request.first_only)
            message |= {
                "ask": "score",
                "prompt": _prompt(request),
                "continuations": request.continuations,
                "flags": flags,
            }
        case NextRequest():
            message |= {"ask": "next", "prompt": _prompt(request), "top": request.top}
        case EmbedRequest():
            message |= {"ask": "embed", "texts": request.texts}
        case _:
            assert_never(request)
    return message


def _common(request: Common) -> tuple[Any, ...]:
    adapters = [(use.digest.hex(), use.scale) for use in request.adapters]
    return (adapters, request.caller, request.deadline_ms)


def _prompt(request: Prompted) -> tuple[Any, ...]:
    return (request.prompt, request.raw, request.written)


def add_message(number: int, path: Path) -> Message:
    return {"id": number, "ask": "add", "path": str(path)}


def drop_message(number: int, digest: bytes) -> Message:
    return {"id": number, "ask": "drop", "digest": digest.hex()}


def counts_message(number: int) -> Message:
    return {"id": number, "ask": "counts"}


def cancel_message(number: int) -> Message:
    return {"cancel": number}


def read_request(message: Message) -> tuple[Request, bool]:
    """The request, and whether its texts are to be streamed. Raises FrameError."""
    try:
        adapters, caller, deadline_ms = message["common"]
        common = {
            "adapters": tuple(AdapterUse(bytes.fromhex(digest), scale) for digest, scale in adapters),
            "caller": caller,
            "deadline_ms": deadline_ms,
        }
        if message["ask"] == "embed":
            return EmbedRequest(texts=tuple(message["texts"]), **common), False
        common["prompt"], common["raw"], common["written"] = message["prompt"]
        match message["ask"]:
            case "generate":
                return _read_generate(message, common)
            case "score":
                closed, calibrated, first_only = message["flags"]
                return ScoreRequest(
                    continuations=tuple(message["continuations"]),
                    closed=closed,
                    calibrated=calibrated,
                    first_only=first_only,
                    **common,
                ), False
            case "next":
                return NextRequest(top=message["top"], **common), False
    except (KeyError, TypeError, ValueError) as error:
        raise FrameError(f"no request: {error!r}") from None
    raise FrameError(f"no request: {message['ask']!r}")


def _read_generate(message: Message, common: dict[str, Any]) -> tuple[GenerateRequest, bool]:
    samples, tokens_max, likelihood, streams = message["samples"]
    steer, weight = message.get("steer", ((), 1.0))
    request = GenerateRequest(
        samples=samples,
        tokens_max=tokens_max,
        sampling=Sampling(**dict(zip(_SAMPLING, message["sampling"], strict=True))),
        stop=tuple(message["stop"]),
        grammar=Grammar(*message["grammar"]) if "grammar" in message else None,
        likelihood=likelihood,
        steer=tuple((text.encode("latin-1"), logprob) for text, logprob in steer),
        steer_weight=weight,
        **common,
    )
    return request, streams
