"""Checks a GGUF file's header before llama.cpp sees it, so that a broken file is an error to read and not an abort.

Source: GGUF specification (ggml, docs/gguf.md), versions 2 and 3.
"""

import hashlib
import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from node.model.errors import ModelFileInvalid, ModelFileMissing

TENSORS_MAX = 65_536
ENTRIES_MAX = 65_536
DIMENSIONS_MAX = 4
NESTING_MAX = 4  # arrays of arrays; llama.cpp reads none, so this is generous
ARRAY_KEPT_MAX = 1_024  # numbers; what a model says of each of its layers is shorter

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9

# (weights per block, bytes per block) of ggml's tensor types; a type not listed is left to llama.cpp to judge.
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 16: (256, 66), 17: (256, 74), 18: (256, 98),
    19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip

Value = int | float | str | tuple[int | float, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """What the check found: enough to say what a file is and what it will take.

    Args:
        values: every entry but texts in arrays and long arrays.
        shapes: of each tensor by its name, the fastest dimension first, as GGUF writes them.
        vocabulary: how many tokens the file lists.
    """

    version: int
    tensors: int
    architecture: str
    values: Mapping[str, Value] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    vocabulary: int = 0

    def entry(self, key: str) -> Value | None:
        """What the file says under its architecture's name, as in "llama.block_count"."""
        return self.values.get(f"{self.architecture}.{key}")

    def number(self, key: str, otherwise: int = 0) -> int:
        """An entry that is a whole number."""
        value = self.entry(key)
        return value if isinstance(value, int) else otherwise


class _HeaderError(Exception):
    """What is wrong, for the message."""


class _Cursor:
    """Reads little-endian values, never past the end."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0
        self.length = 0
        """Of the array that was read last."""

    def skip(self, size: int) -> None:
        if size > len(self.data) - self.at:
            raise _HeaderError("its header ends too early; the download was probably cut off: fetch it again")
        self.at += size

    def scalar(self, letter: str) -> int | float:
        start = self.at
        self.skip(struct.calcsize(letter))
        value: int | float = struct.unpack_from("<" + letter, self.data, start)[0]
        return value

    def count(self, letter: str, largest: int, what: str) -> int:
        value = int(self.scalar(letter))
        if value > largest:
            raise _HeaderError(f"its header claims {value} {what}; the file is corrupt: fetch it again")
        return value

    def text(self) -> str:
        size = int(self.scalar("Q"))
        start = self.at
        self.skip(size)
        return self.data[start : self.at].decode("utf-8", "replace")

    def value(self, kind: int, nesting: int = 0) -> Value | None:
        """Read one value; arrays of texts and long ones are stepped over."""
        if kind in _SCALARS:
            return self.scalar(_SCALARS[kind])
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY or nesting == NESTING_MAX:
            raise _HeaderError(
                "its header holds an unknown type of value; the file is corrupt or newer than this program"
            )
        inner, length = int(self.scalar("I")), int(self.scalar("Q"))
        self.length = length
        if inner in _SCALARS:
            start = self.at
            self.skip(length * struct.calcsize(_SCALARS[inner]))
            if length > ARRAY_KEPT_MAX:
                return None
            return struct.unpack_from(f"<{length}{_SCALARS[inner]}", self.data, start)
        for _ in range(length):  # bounded by the file: each step reads eight bytes or more
            if inner == _STRING:
                self.skip(int(self.scalar("Q")))
            else:
                self.value(inner, nesting + 1)
        return None


def digest(path: Path) -> bytes:
    """SHA-256 of a whole file, model or adapter: what it is known by. 32 bytes; OSError where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def check(path: Path) -> Header:
    """Check magic, version, header and that every tensor lies inside the file. Reads no weights.

    Raises:
        ModelFileMissing: no readable file.
        ModelFileInvalid: anything else; the message says what to do.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size < 24:
                raise ModelFileInvalid(str(path), f"it has {size} bytes; fetch it again")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _check(_Cursor(data))
    except OSError as error:
        raise ModelFileMissing(str(path), error.strerror or str(error)) from None
    except _HeaderError as problem:
        raise ModelFileInvalid(str(path), str(problem)) from None


def _check(cursor: _Cursor) -> Header:
    size = len(cursor.data)
    magic = cursor.data[:4]
    if magic != b"GGUF":
        raise _HeaderError(
            f"it starts with {magic!r}, not GGUF; give a .gguf file (convert others with llama.cpp's scripts)"
        )
    cursor.skip(4)
    version = int(cursor.scalar("I"))
    if version not in (2, 3):
        kind = "big-endian" if version in (2 << 24, 3 << 24) else f"of GGUF version {version}"
        raise _HeaderError(f"it is {kind}; little-endian versions 2 and 3 are supported: convert it again")
    tensors = cursor.count("Q", TENSORS_MAX, "tensors")
    entries = cursor.count("Q", ENTRIES_MAX, "entries")
    values: dict[str, Value] = {}
    vocabulary = 0
    for _ in range(entries):
        key = cursor.text()
        value = cursor.value(int(cursor.scalar("I")))
        if value is not None:
            values[key] = value
        if key == "tokenizer.ggml.tokens":
            vocabulary = cursor.length
    parts = values.get("split.count", 0)
    if isinstance(parts, int) and parts > 1:
        raise _HeaderError(f"it is one of {parts} parts; join them with: llama-gguf-split --merge")
    architecture = values.get("general.architecture")
    if not isinstance(architecture, str):
        raise _HeaderError("it names no architecture; give a language model")
    if tensors == 0:
        raise _HeaderError("it holds no weights; give a whole model, not only a vocabulary")
    shapes: dict[str, tuple[int, ...]] = {}
    ends = [_tensor_end(cursor, shapes) for _ in range(tensors)]
    alignment = values.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
        raise _HeaderError("its alignment is no power of two; the file is corrupt: fetch it again")
    needed = -(-cursor.at // alignment) * alignment + max(ends)
    if needed > size:
        raise _HeaderError(f"it has {size} bytes and needs {needed}; the download was probably cut off: fetch it again")
    return Header(version, tensors, architecture, values, shapes, vocabulary)


def _tensor_end(cursor: _Cursor, shapes: dict[str, tuple[int, ...]]) -> int:
    """Bytes from the start of the weights to the end of this tensor; a type unknown here counts as empty."""
    name = cursor.text()
    dimensions = cursor.count("I", DIMENSIONS_MAX, "dimensions of a tensor")
    shapes[name] = tuple(int(cursor.scalar("Q")) for _ in range(dimensions))
    weights = math.prod(shapes[name])
    kind, offset = int(cursor.scalar("I")), int(cursor.scalar("Q"))
    per_block, block_bytes = _BLOCKS.get(kind, (1, 0))
    return offset + weights // per_block * block_bytes
