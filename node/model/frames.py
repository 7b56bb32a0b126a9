"""How the node and its model's process speak: a length in four bytes, big-endian, then that much JSON.

To the process: {"id", "request"}. From it: {"ready": info} or {"error": ...} once, then per request {"id", "generated"}
or {"id", "error"}. Replies carry the id, so that one day several requests may be under way at once.
"""

import json
from typing import Any, BinaryIO

from coordinator.records import Cost
from node.model.engine import Generated, GenerateRequest, ModelInfo
from node.model.errors import BY_NAME, ModelError

FRAME_BYTES_MAX = 8 << 20  # a prompt of 128k tokens fits, a length read from garbage does not
HEAD_BYTES = 4

Message = dict[str, Any]


class FrameError(ValueError):
    """What arrived is no frame of ours."""


def pack(message: Message) -> bytes:
    """Raises FrameError when the message is too long to send."""
    body = json.dumps(message).encode("ascii")
    if len(body) > FRAME_BYTES_MAX:
        raise FrameError(f"{len(body)} bytes; at most {FRAME_BYTES_MAX} fit into a frame")
    return len(body).to_bytes(HEAD_BYTES, "big") + body


def body_size(head: bytes) -> int:
    size = int.from_bytes(head, "big")
    if size > FRAME_BYTES_MAX:
        raise FrameError(f"a frame claims {size} bytes")
    return size


def unpack(body: bytes) -> Message:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FrameError(str(error)) from None
    if not isinstance(message, dict):
        raise FrameError("not an object")
    return message


def read(stream: BinaryIO) -> Message | None:
    """The next message of a blocking stream; None at its end."""
    head = stream.read(HEAD_BYTES)
    if len(head) < HEAD_BYTES:
        return None
    size = body_size(head)
    body = stream.read(size)
    return unpack(body) if len(body) == size else None


def ticket(message: Message) -> int:
    """Which request a message belongs to."""
    value = message.get("id")
    if not isinstance(value, int):
        raise FrameError("no id")
    return value


def request_message(number: int, request: GenerateRequest) -> Message:
    fields = (
        request.prompt,
        request.samples,
        request.temperature_milli,
        request.seed,
        request.tokens_max,
        request.stop,
    )
    return {"id": number, "request": fields}


def generated_message(number: int, generated: Generated) -> Message:
    cost = generated.cost
    spent = (cost.forward_passes, cost.prompt_tokens, cost.generated_tokens, cost.model_us)
    return {"id": number, "generated": {"texts": generated.texts, "cost": spent}}


def ready_message(info: ModelInfo) -> Message:
    names = (info.name, info.architecture)
    numbers = (info.parameters, info.context_length, info.size_bytes)
    return {"ready": {"names": names, "numbers": numbers, "digest": info.digest.hex()}}


def error_message(error: ModelError, number: int | None = None) -> Message:
    message: Message = {"error": {"kind": type(error).__name__, "fields": error.fields}}
    return message if number is None else message | {"id": number}


def read_request(message: Message) -> GenerateRequest:
    return GenerateRequest(*message["request"])


def read_generated(message: Message) -> Generated:
    """Raises FrameError when the message is neither a result nor an error, and the ModelError that it reports."""
    raise_error(message)
    try:
        generated = message["generated"]
        passes, prompt_tokens, generated_tokens, model_us = map(int, generated["cost"])
        return Generated(tuple(map(str, generated["texts"])), Cost(passes, prompt_tokens, generated_tokens, model_us))
    except (KeyError, TypeError, ValueError) as error:
        raise FrameError(f"no result: {error!r}") from None


def read_ready(message: Message) -> ModelInfo:
    """As read_generated, for the first message."""
    raise_error(message)
    try:
        ready = message["ready"]
        name, architecture = map(str, ready["names"])
        parameters, context_length, size_bytes = map(int, ready["numbers"])
        return ModelInfo(name, architecture, parameters, context_length, bytes.fromhex(ready["digest"]), size_bytes)
    except (KeyError, TypeError, ValueError) as error:
        raise FrameError(f"no description: {error!r}") from None


def raise_error(message: Message) -> None:
    if "error" not in message:
        return
    try:
        error = BY_NAME[message["error"]["kind"]](*message["error"]["fields"])
    except (KeyError, TypeError) as wrong:
        raise FrameError(f"no error of ours: {wrong!r}") from None
    raise error
