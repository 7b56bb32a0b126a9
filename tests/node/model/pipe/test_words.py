"""Every request and every answer arrives as it was sent; what has another shape is refused."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.engine import Ability, AdapterInfo, ModelInfo
from node.model.errors import BY_NAME, ModelBusy, ModelError, PromptTooLong
from node.model.pipe import answered, asked
from node.model.pipe.asked import Request
from node.model.pipe.counts import Counts
from node.model.pipe.frames import FrameError, Message, Splitter, pack
from node.model.requests import (
    AdapterUse,
    EmbedRequest,
    GenerateRequest,
    Grammar,
    NextRequest,
    Sampling,
    ScoreRequest,
)
from node.model.results import Account, Embedded, End, Generated, NextToken, NextTokens, Piece, Score, Scored

WORDS = st.text(st.characters() | st.sampled_from("\ud800\x00\n\"'"), max_size=12)
SOME_TEXT = st.text(min_size=1, max_size=12)
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "adapters": st.lists(
        st.builds(AdapterUse, st.binary(min_size=32, max_size=32), st.floats(-100, 100)),
        max_size=2,
        unique_by=lambda use: use.digest,
    ).map(tuple),
    "caller": SOME_TEXT,
    "deadline_ms": st.none() | st.integers(1, 1_000),
}
PROMPTED = {**COMMON, "prompt": WORDS, "raw": st.booleans(), "written": WORDS}
SAMPLING = st.builds(
    Sampling,
    temperature=st.floats(0, 10),
    top_k=st.integers(0, 9),
    top_p=st.floats(0, 1),
    min_p=st.floats(0, 1),
    seed=st.integers(0, 2**64 - 1),
)
GENERATE = st.builds(
    GenerateRequest,
    **PROMPTED,
    samples=st.integers(1, 64),
    tokens_max=st.integers(1, 4_096),
    sampling=SAMPLING,
    stop=st.lists(SOME_TEXT, max_size=8).map(tuple),
    grammar=st.none() | st.builds(Grammar, st.sampled_from(["gbnf", "json_schema"]), SOME_TEXT),
    likelihood=st.booleans(),
    steer=st.lists(st.tuples(st.binary(max_size=4), FINITE), max_size=3).map(tuple),
    steer_weight=st.floats(0, 100),
)
SCORE = st.builds(
    ScoreRequest,
    **PROMPTED,
    continuations=st.lists(SOME_TEXT, min_size=1, max_size=4).map(tuple),
    closed=st.booleans(),
    calibrated=st.booleans(),
    first_only=st.booleans(),
)
NEXT = st.builds(NextRequest, **PROMPTED, top=st.integers(1, 1_024))
EMBED = st.builds(EmbedRequest, **COMMON, texts=st.lists(WORDS, min_size=1, max_size=4).map(tuple))


def sent(message: Message) -> Message:
    [received] = Splitter().feed(pack(message))
    return received


@given(GENERATE | SCORE | NEXT | EMBED, st.integers(1, 2**40))
def test_a_request_arrives(request: Request, number: int) -> None:
    message = sent(asked.request_message(number, request))
    assert asked.read_request(message) == (request, False)
    assert answered.ticket(message) == number


@given(GENERATE)
def test_that_it_streams_arrives(request: GenerateRequest) -> None:
    assert asked.read_request(sent(asked.request_message(1, request, streams=True))) == (request, True)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"ask": "generate"},
        {"ask": "dance", "common": [[], "", None], "prompt": ["", False, ""]},
        {"ask": "next", "common": [[], "", None], "prompt": ["", False, ""], "top": 0},
        {"ask": "next", "common": [[["00", 1.0]], "", None], "prompt": ["", False, ""], "top": 1},
        {"ask": "embed", "common": [[], "", None], "texts": []},
        {"ask": "embed", "common": [[], "", None], "texts": None},
    ],
)
def test_what_is_no_request_is_refused(message: Message) -> None:
    with pytest.raises(FrameError):
        asked.read_request(message)


COUNTS = st.integers(0, 2**62)
ACCOUNTS = st.builds(
    Account,
    forward_passes=COUNTS,
    prompt_tokens=COUNTS,
    cached_tokens=COUNTS,
    generated_tokens=COUNTS,
    decoded_tokens=COUNTS,
    waited_us=COUNTS,
    model_us=COUNTS,
)
LOGPROBS = st.floats(allow_nan=False)
TEXTS = st.text(max_size=9)


@st.composite
def answers(draw: st.DrawFn) -> tuple[Request, answered.Result]:
    account, count = draw(ACCOUNTS), draw(st.integers(1, 4))

    def many(one: st.SearchStrategy[Any]) -> tuple[Any, ...]:
        return tuple(draw(st.lists(one, min_size=count, max_size=count)))

    match draw(st.integers(0, 3)):
        case 0:
            likely = draw(st.booleans())
            return (
                GenerateRequest(prompt="", samples=count, likelihood=likely),
                Generated(
                    many(TEXTS), many(st.sampled_from(End)), account, many(LOGPROBS) if likely else (), many(COUNTS)
                ),
            )
        case 1:
            calibrated = draw(st.booleans())
            score = st.builds(Score, LOGPROBS, st.integers(1, 9), LOGPROBS if calibrated else st.none())
            request = ScoreRequest(prompt="", continuations=("x",) * count, calibrated=calibrated)
            return request, Scored(many(score), account)
        case 2:
            token = st.builds(NextToken, COUNTS, st.binary(max_size=4), LOGPROBS, st.booleans())
            return NextRequest(prompt="", top=count), NextTokens(many(token), account)
        case _:
            vector = st.lists(FINITE, max_size=4).map(tuple)
            return EmbedRequest(texts=("x",) * count), Embedded(many(vector), account)


@given(answers(), st.integers(1, 2**40))
def test_an_answer_arrives(pair: tuple[Request, answered.Result], number: int) -> None:
    request, result = pair
    message = sent(answered.result_message(number, result))
    assert answered.read_result(message, request) == result
    assert answered.ticket(message) == number


def test_what_is_no_answer_to_a_request_arrives_too() -> None:
    info = ModelInfo("a é", "llama", 2**40, 128, bytes(range(32)), 2**50, frozenset(Ability), (), 7)
    assert answered.read_ready(sent(answered.ready_message(info))) == info
    adapter = AdapterInfo(bytes(32), "a", 5)
    assert answered.read_adapter(sent(answered.adapter_message(1, adapter))) == adapter
    answered.read_done(sent(answered.done_message(1)))
    counts = Counts(*range(9))
    assert answered.read_counts(sent(answered.counts_message(counts, 1))) == counts
    assert answered.read_tick(sent(answered.counts_message(counts))) == counts
    pieces = [(0, "a"), (3, "é")]
    request = GenerateRequest(prompt="", samples=4)
    assert answered.read_pieces(sent(answered.pieces_message(1, pieces)), request) == [Piece(0, "a"), Piece(3, "é")]


ERRORS = [
    kind(*fields)
    for kind, fields in (
        (kind, {"PromptTooLong": (9, 8), "ModelTimeout": ("a request", 5), "ModelBusy": (3, "a")}.get(name))
        for name, kind in BY_NAME.items()
    )
    if fields is not None
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_raised_on_the_other_side_as_it_was(error: ModelError) -> None:
    for read in (answered.read_ready, answered.read_adapter, answered.read_done, answered.read_counts):
        with pytest.raises(type(error)) as raised:
            read(sent(answered.error_message(error, 3)))
        assert str(raised.value) == str(error)
    with pytest.raises(type(error)):
        answered.read_result(sent(answered.error_message(error, 3)), NextRequest(prompt=""))


def test_every_error_can_cross() -> None:
    def below(kind: type[ModelError]) -> set[type[ModelError]]:
        return {kind, *(each for child in kind.__subclasses__() for each in below(child))}

    assert set(BY_NAME.values()) <= below(ModelError)
    assert {PromptTooLong, ModelBusy} <= set(BY_NAME.values())


ACCOUNT = [1, 2, 3, 4, 5, 6, 7]
WRONG_RESULTS: list[tuple[Request, Message]] = [
    (GenerateRequest(prompt=""), {}),
    (GenerateRequest(prompt=""), {"account": ACCOUNT}),
    (GenerateRequest(prompt=""), {"account": ACCOUNT[1:], "result": [["a"], ["model"], [1], []]}),
    (GenerateRequest(prompt=""), {"account": [True, *ACCOUNT[1:]], "result": [["a"], ["model"], [1], []]}),
    (GenerateRequest(prompt=""), {"account": [2**63, *ACCOUNT[1:]], "result": [["a"], ["model"], [1], []]}),
    (GenerateRequest(prompt=""), {"account": ACCOUNT, "result": [["a", "b"], ["model"], [1], []]}),
    (GenerateRequest(prompt=""), {"account": ACCOUNT, "result": ["a", ["model"], [1], []]}),
    (GenerateRequest(prompt=""), {"account": ACCOUNT, "result": [[5], ["model"], [1], []]}),
    (GenerateRequest(prompt=""), {"account": ACCOUNT, "result": [["a"], ["model"], [1.5], []]}),
    (GenerateRequest(prompt=""), {"account": ACCOUNT, "result": [["a"], ["model"], [1], [0.5]]}),
    (GenerateRequest(prompt="", likelihood=True), {"account": ACCOUNT, "result": [["a"], ["model"], [1], [math.nan]]}),
    (GenerateRequest(prompt="", likelihood=True), {"account": ACCOUNT, "result": [["a"], ["model"], [1], [10**400]]}),
    (GenerateRequest(prompt="", likelihood=True), {"account": ACCOUNT, "result": [["a"], ["model"], [1], ["1"]]}),
    (ScoreRequest(prompt="", continuations=("a",)), {"account": ACCOUNT, "result": [[-1.0, 0, None]]}),
    (ScoreRequest(prompt="", continuations=("a",)), {"account": ACCOUNT, "result": []}),
    (ScoreRequest(prompt="", continuations=("a",), calibrated=True), {"account": ACCOUNT, "result": [[-1.0, 1, None]]}),
    (NextRequest(prompt="", top=1), {"account": ACCOUNT, "result": [[1, "a", -1.0, False]] * 2}),
    (NextRequest(prompt="", top=1), {"account": ACCOUNT, "result": [[1, "é😀", -1.0, False]]}),
    (NextRequest(prompt="", top=1), {"account": ACCOUNT, "result": 5}),
    (EmbedRequest(texts=("a",)), {"account": ACCOUNT, "result": [[0.5, None]]}),
    (EmbedRequest(texts=("a",)), {"account": ACCOUNT, "result": [[0.5], [0.5]]}),
    (NextRequest(prompt=""), {"error": {"kind": "SystemExit"}}),
    (NextRequest(prompt=""), {"error": ["SystemExit", []]}),
    (NextRequest(prompt=""), {"error": [["PromptTooLong"], [1, 2]]}),
    (NextRequest(prompt=""), {"error": ["PromptTooLong", []]}),
]


@pytest.mark.parametrize(("request_", "message"), WRONG_RESULTS)
def test_an_answer_of_another_shape_is_refused(request_: Request, message: Message) -> None:
    with pytest.raises(FrameError):
        answered.read_result(message, request_)


@pytest.mark.parametrize(
    "message",
    [
        {"pieces": None},
        {"pieces": [[0, "a", 1]]},
        {"pieces": [[4, "a"]]},
        {"pieces": [[-1, "a"]]},
        {"pieces": [[0, "\ud800"]]},
        {"pieces": [[0, b"a"]]},
    ],
)
def test_pieces_of_another_shape_are_refused(message: Message) -> None:
    with pytest.raises(FrameError):
        answered.read_pieces(message, GenerateRequest(prompt="", samples=4))


@pytest.mark.parametrize("message", [{}, {"id": "1"}, {"id": 1.0}, {"id": -1}, {"id": None}])
def test_a_message_without_a_number_is_refused(message: Message) -> None:
    with pytest.raises(FrameError):
        answered.ticket(message)


@pytest.mark.parametrize(
    "ready",
    [
        None,
        [],
        ["a", "b", "00", [1, 2, 3, 4], []],
        ["a", "b", "00" * 32, [1, 2, 3], []],
        ["a", 5, "00" * 32, [1] * 4, []],
        ["a", "b", "00" * 32, [1] * 4, ["fly"]],
        ["a", "b", 7, [1] * 4, []],
        ["a", "b", "00" * 32, None, []],
    ],
)
def test_a_description_of_another_shape_is_refused(ready: Any) -> None:
    for message in ({"ready": ready}, {"adapter": ready}, {"done": ready}, {"counts": ready}):
        for read in (answered.read_ready, answered.read_adapter, answered.read_done, answered.read_counts):
            with pytest.raises(FrameError):
                read(message)
