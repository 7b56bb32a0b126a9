"""The binary layout of what voting signs, hashes and stores: big-endian integers and length-prefixed bytes.

Federated voting is a library of its own, so it carries its own few lines of codec. A reader accepts exactly the bytes
that a writer produces; that is what makes "equal statement" and "equal bytes" the same thing.
"""


class Malformed(ValueError):
    """The bytes are not a canonical encoding. A peer sent them, or a file was changed."""


class Writer:
    """Appends fields in order; `done` gives the bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def uint(self, value: int, size: int) -> "Writer":
        """`value` as an unsigned integer of `size` bytes."""
        assert 0 <= value < 1 << (8 * size), f"{value} does not fit in {size} bytes"
        self._parts.append(value.to_bytes(size, "big"))
        return self

    def raw(self, value: bytes) -> "Writer":
        """Bytes whose length the reader knows."""
        self._parts.append(value)
        return self

    def blob(self, value: bytes, size: int) -> "Writer":
        """Bytes after their length, itself an integer of `size` bytes."""
        return self.uint(len(value), size).raw(value)

    def done(self) -> bytes:
        return b"".join(self._parts)


class Reader:
    """Takes fields off the front of bytes; every method raises Malformed when they are not there or out of bounds."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def uint(self, size: int, *, at_most: int | None = None) -> int:
        value = int.from_bytes(self.raw(size), "big")
        if at_most is not None and value > at_most:
            raise Malformed(f"{value} is more than {at_most}")
        return value

    def raw(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise Malformed(f"{size} bytes expected at offset {self._at}, {len(self._data) - self._at} left")
        value, self._at = self._data[self._at : end], end
        return value

    def blob(self, size: int, *, at_most: int) -> bytes:
        return self.raw(self.uint(size, at_most=at_most))

    def flag(self) -> bool:
        """One byte, 0 or 1."""
        return bool(self.uint(1, at_most=1))

    def end(self) -> None:
        """Raises Malformed when bytes are left over."""
        if self._at != len(self._data):
            raise Malformed(f"{len(self._data) - self._at} bytes left over")
