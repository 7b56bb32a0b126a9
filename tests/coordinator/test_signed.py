"""Signed records: one content has one name, and no signature passes for another purpose, moot or author."""

import dataclasses
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.encoding import EncodingError, Writer, decode
from coordinator.signed import (
    BODY_SIZE_MAX,
    NODE_ID_SIZE,
    SIGNATURE_SIZE,
    Kind,
    Signed,
    read_signed,
    signing_bytes,
    write_signed,
)

_RECORDS = st.builds(
    Signed,
    st.sampled_from(Kind),
    st.binary(max_size=NODE_ID_SIZE),
    st.binary(max_size=64),
    st.binary(max_size=SIGNATURE_SIZE),
)


def written(record: Signed) -> bytes:
    writer = Writer()
    write_signed(writer, record)
    return writer.done()


@given(_RECORDS)
def test_round_trip(record: Signed) -> None:
    assert decode(written(record), lambda reader: read_signed(reader, record.kind)) == record


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        record = decode(data, lambda reader: read_signed(reader, Kind.PROPOSAL))
    except EncodingError:
        return
    assert written(record) == data


@pytest.mark.parametrize(
    "record",
    [
        Signed(Kind.QUESTION, bytes(NODE_ID_SIZE + 1), b"", b""),
        Signed(Kind.QUESTION, b"", bytes(BODY_SIZE_MAX + 1), b""),
        Signed(Kind.QUESTION, b"", b"", bytes(SIGNATURE_SIZE + 1)),
    ],
    ids=["author", "body", "signature"],
)
def test_too_large(record: Signed) -> None:
    with pytest.raises(EncodingError, match="at most"):
        decode(written(record), lambda reader: read_signed(reader, record.kind))


def test_what_is_signed_differs_in_every_part() -> None:
    """Were two of these equal, a signature for one could be shown for the other."""
    texts = [signing_bytes(*parts) for parts in product(Kind, (b"m", b"mm"), (b"", b"m"), (b"", b"m"))]
    assert all(one != other for one, other in combinations(texts, 2))
    assert all(text[4:].startswith(b"moot/v1/") for text in texts)


@given(_RECORDS, _RECORDS)
def test_a_name_is_of_kind_author_and_body(one: Signed, other: Signed) -> None:
    """The signature is left out: whoever can make two signatures for one content must not make two records of it."""
    same = (one.kind, one.author, one.body) == (other.kind, other.author, other.body)
    assert (one.digest() == other.digest()) is same
    assert dataclasses.replace(one, signature=b"another").digest() == one.digest()


def test_the_parts_of_a_name_do_not_run_together() -> None:
    assert Signed(Kind.QUESTION, b"ab", b"c", b"").digest() != Signed(Kind.QUESTION, b"a", b"bc", b"").digest()
