"""Messages arrive as they were sent, however the stream is cut, and garbage is recognized."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.pipe.frames import FRAME_BYTES_MAX, FrameError, FrameTooLong, Message, Splitter, pack

MESSAGES = st.lists(
    st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=9) | st.floats(allow_nan=False), max_size=3),
    max_size=5,
)


@given(MESSAGES, st.lists(st.integers(1, 40), min_size=1))
def test_messages_arrive_however_the_stream_is_cut(messages: list[Message], cuts: list[int]) -> None:
    data = b"".join(map(pack, messages))
    splitter, arrived, at, turn = Splitter(), [], 0, 0
    while at < len(data):
        size = cuts[turn % len(cuts)]
        arrived += splitter.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert arrived == messages


def test_a_message_that_is_not_whole_waits() -> None:
    splitter, data = Splitter(), pack({"id": 1})
    for byte in data[:-1]:
        assert splitter.feed(bytes([byte])) == []
    assert splitter.feed(data[-1:]) == [{"id": 1}]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xff\xff\xff", id="absurd length"),
        pytest.param((FRAME_BYTES_MAX + 1).to_bytes(4, "big"), id="a byte too long"),
        pytest.param(b"\0\0\0\0", id="empty"),
        pytest.param(b"\0\0\0\2no", id="not JSON"),
        pytest.param(b"\0\0\0\2\xff\xfe", id="not UTF-8"),
        pytest.param(b"\0\0\0\2[]", id="not an object"),
        pytest.param(b"\0\1\0\0" + b"[" * 65536, id="nested without end"),
        pytest.param(b"\0\0\x27\x10" + b"9" * 10_000, id="a number without end"),
    ],
)
def test_garbage_is_no_frame(data: bytes) -> None:
    with pytest.raises(FrameError):
        Splitter().feed(pack({"id": 1}) + data)


def test_what_is_too_long_is_not_sent() -> None:
    with pytest.raises(FrameTooLong) as raised:
        pack({"prompt": "x" * FRAME_BYTES_MAX})
    assert raised.value.size > FRAME_BYTES_MAX
    assert len(pack({"prompt": "x" * (FRAME_BYTES_MAX - 100)})) < FRAME_BYTES_MAX
