"""A message is a length in four bytes, big-endian, then that much JSON: an object.

To the process: {"id", "ask", ...} (asked.py) and {"cancel": id}. From it: {"ready"} or {"error"} once, then per request
any number of {"id", "pieces"} and one answer or error with its id (answered.py), and at any time {"tick"}.
"""

import json
from typing import Any

FRAME_BYTES_MAX = 8 << 20  # a prompt of 128k tokens fits, a length read from garbage does not
HEAD_BYTES = 4

Message = dict[str, Any]


class FrameError(ValueError):
    """What arrived is no frame of ours."""


class FrameTooLong(FrameError):
    """What is to be sent does not fit."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"{size} bytes; at most {FRAME_BYTES_MAX} fit into a frame")


def pack(message: Message) -> bytes:
    """Raises FrameTooLong."""
    body = json.dumps(message).encode("ascii")
    if len(body) > FRAME_BYTES_MAX:
        raise FrameTooLong(len(body))
    return len(body).to_bytes(HEAD_BYTES, "big") + body


def unpack(body: bytes | bytearray) -> Message:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise FrameError(str(error)) from None
    if not isinstance(message, dict):
        raise FrameError("not an object")
    return message


class Splitter:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are whole now. Raises FrameError; then nothing that follows can be trusted."""
        held = self._data
        held += data
        messages: list[Message] = []
        at = 0
        while len(held) - at >= HEAD_BYTES:
            size = int.from_bytes(held[at : at + HEAD_BYTES], "big")
            if size > FRAME_BYTES_MAX:
                raise FrameError(f"a frame claims {size} bytes")
            end = at + HEAD_BYTES + size
            if len(held) < end:
                break
            messages.append(unpack(held[at + HEAD_BYTES : end]))
            at = end
        del held[:at]
        return messages
