"""What the node and its model's process say to each other arrives as it was sent, and garbage is recognized."""

import io

import pytest

from coordinator.records import Cost
from node.model import frames
from node.model.engine import Generated, GenerateRequest, ModelInfo
from node.model.errors import (
    BY_NAME,
    ModelBusy,
    ModelDied,
    ModelError,
    ModelFailed,
    ModelFileInvalid,
    ModelFileMissing,
    ModelLibraryMissing,
    ModelTimeout,
    PromptTooLong,
)


def sent(message: frames.Message) -> frames.Message:
    received = frames.read(io.BytesIO(frames.pack(message)))
    assert received is not None
    return received


@pytest.mark.parametrize("prompt", ["", "1+1=", "\x00\ud800😀\n", '"}]'])
def test_a_request_arrives(prompt: str) -> None:
    request = GenerateRequest(prompt, 5, 700, 2**64 - 1, 12, "\n")
    assert frames.read_request(sent(frames.request_message(7, request))) == request
    assert frames.ticket(sent(frames.request_message(7, request))) == 7


def test_results_and_descriptions_arrive() -> None:
    generated = Generated(("", "é\ufffd"), Cost(1, 2, 3, 4))
    assert frames.read_generated(sent(frames.generated_message(1, generated))) == generated
    info = ModelInfo("a", "llama", 2**40, 128, bytes(range(32)), 2**50)
    assert frames.read_ready(sent(frames.ready_message(info))) == info


ERRORS = [
    ModelFileMissing("/a", "no"),
    ModelFileInvalid("/a", "b"),
    ModelLibraryMissing("c"),
    PromptTooLong(9, 8),
    ModelBusy(3),
    ModelTimeout("a request", 5),
    ModelDied("ended"),
    ModelFailed("-1"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_raised_on_the_other_side_as_it_was(error: ModelError) -> None:
    with pytest.raises(type(error)) as raised:
        frames.read_generated(sent(frames.error_message(error, 3)))
    assert str(raised.value) == str(error)


def test_every_error_can_cross() -> None:
    assert {type(error) for error in ERRORS} == set(BY_NAME.values()) == set(ModelError.__subclasses__())


def test_a_stream_that_ends_is_an_end() -> None:
    whole = frames.pack({"id": 1})
    for size in range(len(whole)):
        assert frames.read(io.BytesIO(whole[:size])) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xff\xff\xff", id="absurd length"),
        pytest.param(b"\0\0\0\2no", id="not JSON"),
        pytest.param(b"\0\0\0\2[]", id="not an object"),
        pytest.param(b"\0\1\0\0" + b"[" * 65536, id="nested without end"),
    ],
)
def test_garbage_is_no_frame(data: bytes) -> None:
    with pytest.raises(frames.FrameError):
        frames.read(io.BytesIO(data))


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"generated": {"texts": ["a"]}},
        {"generated": {"texts": ["a"], "cost": [1, 2]}},
        {"generated": {"texts": 1, "cost": [1, 2, 3, 4]}},
        {"error": {"kind": "SystemExit", "fields": []}},
        {"error": {"kind": "PromptTooLong", "fields": []}},
        {"error": "no"},
    ],
)
def test_a_message_of_another_shape_is_refused(message: frames.Message) -> None:
    with pytest.raises(frames.FrameError):
        frames.read_generated(message)


def test_what_is_too_long_is_not_sent() -> None:
    with pytest.raises(frames.FrameError):
        frames.pack({"prompt": "x" * frames.FRAME_BYTES_MAX})
