"""The one binary layout of what is signed or hashed: big-endian integers, length-prefixed bytes, counted lists.

Protobuf does not promise equal bytes for equal values, so nothing that is signed or hashed is protobuf. A reader
accepts exactly the bytes that a writer produces: every field is bounded, and bytes left over are an error.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

U32_MAX = 2**32 - 1
U64_MAX = 2**64 - 1

T = TypeVar("T")


class EncodingError(ValueError):
    """The bytes are not what this layout says. A peer sent them, or a file was changed."""


class Writer:
    """Appends fields in order; `done` gives the bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def u8(self, value: int) -> "Writer":
        return self._int(value, 1)

    def u32(self, value: int) -> "Writer":
        return self._int(value, 4)

    def u64(self, value: int) -> "Writer":
        return self._int(value, 8)

    def fixed(self, value: bytes, size: int) -> "Writer":
        assert len(value) == size, f"{size} bytes expected, {len(value)} given"
        self._parts.append(value)
        return self

    def blob(self, value: bytes) -> "Writer":
        self.u32(len(value))
        self._parts.append(value)
        return self

    def text(self, value: str) -> "Writer":
        return self.blob(value.encode())

    def items(self, values: Sequence[T], write: "Callable[[Writer, T], object]") -> "Writer":
        self.u32(len(values))
        for value in values:
            write(self, value)
        return self

    def done(self) -> bytes:
        return b"".join(self._parts)

    def _int(self, value: int, size: int) -> "Writer":
        assert 0 <= value < 1 << (8 * size), f"{value} does not fit in {size} bytes"
        self._parts.append(value.to_bytes(size, "big"))
        return self


class Reader:
    """Takes fields in order; every take is bounded, and `end` refuses what is left over."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def u8(self) -> int:
        return int.from_bytes(self._take(1), "big")

    def u32(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def u64(self) -> int:
        return int.from_bytes(self._take(8), "big")

    def fixed(self, size: int) -> bytes:
        return self._take(size)

    def blob(self, size_max: int) -> bytes:
        size = self.u32()
        if size > size_max:
            raise EncodingError(f"a field of {size} bytes, at most {size_max} allowed")
        return self._take(size)

    def text(self, size_max: int) -> str:
        try:
            return self.blob(size_max).decode()
        except UnicodeDecodeError as error:
            raise EncodingError("text that is not UTF-8") from error

    def items(self, count_max: int, read: "Callable[[Reader], T]") -> tuple[T, ...]:
        count = self.u32()
        if count > count_max:
            raise EncodingError(f"a list of {count}, at most {count_max} allowed")
        return tuple(read(self) for _ in range(count))

    def end(self) -> None:
        if self._at != len(self._data):
            raise EncodingError(f"{len(self._data) - self._at} bytes left over")

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise EncodingError("cut short")
        taken = self._data[self._at : end]
        self._at = end
        return taken


def decode(data: bytes, read: Callable[[Reader], T]) -> T:
    """Read one value that fills `data` exactly.

    Raises:
        EncodingError: the bytes are cut short, left over, out of bounds, or hold a value that its record refuses.
    """
    reader = Reader(data)
    try:
        value = read(reader)
    except EncodingError:
        raise
    except ValueError as error:
        raise EncodingError(str(error)) from error
    reader.end()
    return value
