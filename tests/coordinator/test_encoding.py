"""The binary layout: what is written is read, and nothing else is."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.encoding import U32_MAX, U64_MAX, EncodingError, Reader, Writer, decode

_FIELDS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Writer, Any], object], Callable[[Reader], Any]]] = {
    "u8": (st.integers(0, 255), Writer.u8, Reader.u8),
    "u32": (st.integers(0, U32_MAX), Writer.u32, Reader.u32),
    "u64": (st.integers(0, U64_MAX), Writer.u64, Reader.u64),
    "fixed": (st.binary(min_size=5, max_size=5), lambda w, v: w.fixed(v, 5), lambda r: r.fixed(5)),
    "blob": (st.binary(max_size=20), Writer.blob, lambda r: r.blob(20)),
    "text": (st.text(max_size=5), Writer.text, lambda r: r.text(20)),
    "items": (
        st.lists(st.integers(0, U64_MAX), max_size=4).map(tuple),
        lambda w, v: w.items(v, Writer.u64),
        lambda r: r.items(4, Reader.u64),
    ),
}


def read_all(names: list[str]) -> Callable[[Reader], list[Any]]:
    return lambda reader: [_FIELDS[name][2](reader) for name in names]


@given(st.lists(st.sampled_from(sorted(_FIELDS)), max_size=6), st.data())
def test_what_is_written_is_read(names: list[str], data: st.DataObject) -> None:
    values = [data.draw(_FIELDS[name][0]) for name in names]
    writer = Writer()
    for name, value in zip(names, values, strict=True):
        _FIELDS[name][1](writer, value)
    written = writer.done()
    assert decode(written, read_all(names)) == values
    with pytest.raises(EncodingError):
        decode(written + b"\x00", read_all(names))
    if written:
        with pytest.raises(EncodingError):
            decode(written[:-1], read_all(names))


@given(st.lists(st.sampled_from(sorted(_FIELDS)), min_size=1, max_size=6), st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(names: list[str], data: bytes) -> None:
    """A peer's bytes must never end in another error; and what is read is written as the same bytes again."""
    try:
        values = decode(data, read_all(names))
    except EncodingError:
        return
    writer = Writer()
    for name, value in zip(names, values, strict=True):
        _FIELDS[name][1](writer, value)
    assert writer.done() == data


def test_layout() -> None:
    """Signatures are over these bytes: a change of the layout would void all of them."""
    writer = Writer().u8(1).u32(2).u64(3).fixed(b"ab", 2).blob(b"c").text("é").items([4, 5], Writer.u8)
    assert writer.done().hex(" ") == (
        "01 00 00 00 02 00 00 00 00 00 00 00 03 61 62 00 00 00 01 63 00 00 00 02 c3 a9 00 00 00 02 04 05"
    )


@pytest.mark.parametrize(
    ("data", "read", "problem"),
    [
        pytest.param(b"\0\0\0", Reader.u32, "cut short", id="an integer without its end"),
        pytest.param(b"\0\0\0\x06abcdef", lambda r: r.blob(5), "6 bytes, at most 5", id="a long field"),
        pytest.param(b"\xff\xff\xff\xff", lambda r: r.blob(5), "4294967295 bytes, at most 5", id="a field of 4 GiB"),
        pytest.param(b"\0\0\0\x05a", lambda r: r.blob(5), "cut short", id="a field without its end"),
        pytest.param(b"\xff\xff\xff\xff", lambda r: r.items(3, Reader.u8), "a list of 42949", id="an endless list"),
        pytest.param(b"\0\0\0\x02\xc3\x28", lambda r: r.text(9), "not UTF-8", id="no text"),
        pytest.param(b"\0\0\0\x03\xed\xa0\x80", lambda r: r.text(9), "not UTF-8", id="half a surrogate pair"),
        pytest.param(b"\0\0\0\x02\xc0\x80", lambda r: r.text(9), "not UTF-8", id="an overlong character"),
        pytest.param(b"\x01\x02", Reader.u8, "1 bytes left over", id="more than one value"),
    ],
)
def test_refused(data: bytes, read: Callable[[Reader], object], problem: str) -> None:
    with pytest.raises(EncodingError, match=problem):
        decode(data, read)


def test_a_record_that_refuses_its_values_is_an_encoding_error() -> None:
    def read(reader: Reader) -> int:
        raise ValueError("no such kind")

    with pytest.raises(EncodingError, match="no such kind"):
        decode(b"", read)


@pytest.mark.parametrize(
    "write",
    [
        lambda w: w.u8(256),
        lambda w: w.u32(-1),
        lambda w: w.u64(U64_MAX + 1),
        lambda w: w.fixed(b"abc", 2),
    ],
)
def test_writing_what_does_not_fit_is_our_bug(write: Callable[[Writer], object]) -> None:
    with pytest.raises(AssertionError):
        write(Writer())
