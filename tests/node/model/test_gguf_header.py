"""Broken model files are told apart before llama.cpp reads them; whatever the bytes, the check itself never fails."""

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.errors import ModelFileInvalid, ModelFileMissing
from node.model.gguf_header import check

U32, U64 = struct.Struct("<I").pack, struct.Struct("<Q").pack


def text(value: bytes) -> bytes:
    return U64(len(value)) + value


def header(*, magic: bytes = b"GGUF", version: int = 3, tensors: int = 1, entries: int = 1, rest: bytes = b"") -> bytes:
    return magic + U32(version) + U64(tensors) + U64(entries) + rest


ARCHITECTURE = text(b"general.architecture") + U32(8) + text(b"llama")
TENSOR = text(b"t") + U32(1) + U64(32) + U32(8) + U64(0)  # 32 weights of Q8_0: 34 bytes


def padded(data: bytes, weights: int) -> bytes:
    return data + bytes(-len(data) % 32) + bytes(weights)


GOOD = padded(header(rest=ARCHITECTURE + TENSOR), 34)


def test_a_whole_file_passes(tmp_path: Path, model_file: Path) -> None:
    path = tmp_path / "good.gguf"
    path.write_bytes(GOOD)
    assert (check(path).architecture, check(path).tensors) == ("llama", 1)
    assert check(model_file).version == 3


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"", "0 bytes", id="empty"),
        pytest.param(b"GGUF", "4 bytes", id="only magic"),
        pytest.param(b"<!DOCTYPE html><html><body>Not found", "starts with b'<!DO'", id="an error page"),
        pytest.param(
            b"version https://git-lfs.github.com/spec/v1", "starts with b'vers'", id="a pointer to a large file"
        ),
        pytest.param(b"PK\x03\x04" + bytes(100), "not GGUF", id="a renamed archive"),
        pytest.param(header(version=1) + bytes(99), "of GGUF version 1", id="version 1"),
        pytest.param(header(version=3 << 24) + bytes(99), "big-endian", id="big-endian"),
        pytest.param(header(tensors=1 << 60), "1152921504606846976 tensors", id="absurd count of tensors"),
        pytest.param(header(entries=1 << 40), "1099511627776 entries", id="absurd count of entries"),
        pytest.param(header(), "header ends too early", id="no entries"),
        pytest.param(header(rest=U64(1 << 63) + b"x"), "header ends too early", id="absurd length of a key"),
        pytest.param(
            header(rest=text(b"a") + U32(9) + U32(8) + U64(1 << 62)),
            "header ends too early",
            id="absurd array of texts",
        ),
        pytest.param(
            header(rest=text(b"a") + U32(9) + U32(10) + U64(1 << 62)),
            "header ends too early",
            id="absurd array of numbers",
        ),
        pytest.param(
            header(rest=text(b"a") + U32(9) + (U32(9) + U64(1)) * 50), "unknown type", id="arrays nested without end"
        ),
        pytest.param(header(rest=text(b"a") + U32(77)), "unknown type", id="unknown type of value"),
        pytest.param(header(entries=0, rest=TENSOR), "names no architecture", id="no architecture"),
        pytest.param(header(tensors=0, rest=ARCHITECTURE), "no weights", id="vocabulary only"),
        pytest.param(
            header(entries=2, rest=ARCHITECTURE + text(b"split.count") + U32(2) + struct.pack("<H", 3) + TENSOR),
            "one of 3 parts",
            id="a part of a split model",
        ),
        pytest.param(
            header(entries=2, rest=ARCHITECTURE + text(b"general.alignment") + U32(4) + U32(0) + TENSOR),
            "no power of two",
            id="alignment 0",
        ),
        pytest.param(
            header(rest=ARCHITECTURE + text(b"t") + U32(1 << 31)), "dimensions of a tensor", id="absurd dimensions"
        ),
        pytest.param(GOOD[:-1], f"has {len(GOOD) - 1} bytes and needs {len(GOOD)}", id="one byte short"),
        pytest.param(
            padded(header(rest=ARCHITECTURE + text(b"t") + U32(2) + U64(1 << 60) * 2 + U32(0) + U64(0)), 100),
            "cut off",
            id="a tensor larger than anything",
        ),
    ],
)
def test_a_broken_file_says_what_to_do(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelFileInvalid, match=problem) as raised:
        check(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("path_in", "reason"),
    [
        pytest.param(lambda folder: folder / "none.gguf", "No such file", id="missing"),
        pytest.param(lambda folder: folder, "Is a directory", id="a folder"),
    ],
)
def test_what_cannot_be_read_is_missing(tmp_path: Path, path_in: Callable[[Path], Path], reason: str) -> None:
    with pytest.raises(ModelFileMissing, match=reason):
        check(path_in(tmp_path))


@pytest.mark.parametrize("part", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_download_that_was_cut_off_is_noticed(tmp_path: Path, model_file: Path, part: float) -> None:
    whole = model_file.read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(ModelFileInvalid, match="fetch it again"):
        check(path)


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=8), st.integers(24, len(GOOD)))
def test_no_bytes_make_the_check_fail_otherwise(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]], size: int
) -> None:
    data = bytearray(GOOD)
    for place, value in flips:
        data[place] = value
    path = tmp_path_factory.getbasetemp() / "fuzzed.gguf"
    path.write_bytes(data[:size])
    with contextlib.suppress(ModelFileInvalid):
        check(path)
