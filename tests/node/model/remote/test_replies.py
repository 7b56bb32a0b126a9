"""Whatever JSON a server sends, reading it gives values within bounds or says what is wrong; nothing else happens."""

from contextlib import suppress
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from node.model.remote.replies import Likely, Notes, TokenRead, Usage, Wrong, choices_of, usage_of, vectors_of
from node.model.remote.texts import Text
from node.model.requests import GenerateRequest
from node.model.results import End
from tests.node.model.remote.answers import text, tokens

NAMES = st.sampled_from(
    "choices index message delta content text finish_reason logprobs tokens token_logprobs top_logprobs text_offset"
    " token bytes logprob id"
    " usage prompt_tokens completion_tokens prompt_tokens_details cached_tokens data embedding".split()
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
JSON = st.recursive(
    SCALARS | st.sampled_from(["stop", "length", 0, 1, -1.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
ANSWERS = st.dictionaries(NAMES, JSON, max_size=5)
CHOICES = st.fixed_dictionaries(
    {"text": JSON | st.text(max_size=3)}, optional={"index": JSON, "logprobs": JSON, "finish_reason": JSON}
)


@given(ANSWERS | st.fixed_dictionaries({"choices": st.lists(CHOICES, max_size=3)}))
@example(text(logprobs=tokens(-1.0)))
def test_choices(answer: dict[str, Any]) -> None:
    with suppress(Wrong):
        for choice in choices_of(answer, 2):
            assert choice.index in (0, 1)
            choice.text.encode()
            for token in filter(None, choice.tokens or ()):
                assert all(-1e4 <= likely.logprob <= 0 for likely in (token.likely, *token.top))


@given(ANSWERS, st.integers(0, 1_000), st.integers(0, 1_000))
@example({"usage": {"prompt_tokens": 10**400, "completion_tokens": -(10**400)}}, 5, 5)
def test_accounts(answer: dict[str, Any], size: int, generated: int) -> None:
    usage = usage_of(answer, size, generated, Notes(lambda _: None))
    assert 0 <= usage.cached <= usage.prompt <= size + 8_192
    assert 0 <= usage.generated <= generated


@given(ANSWERS | st.fixed_dictionaries({"data": st.lists(st.fixed_dictionaries({"embedding": JSON}), max_size=2)}))
@example({"data": [{"embedding": [3.0, 4.0]}]})
def test_vectors(answer: dict[str, Any]) -> None:
    with suppress(Wrong):
        (vector,) = vectors_of(answer, 1)
        assert abs(sum(value * value for value in vector) - 1.0) < 1e-6


def test_sums_of_accounts() -> None:
    assert Usage(1, 2, 3) + Usage(10, 20, 30) == Usage(11, 22, 33)


@given(st.lists(st.text("abc", max_size=4), max_size=8), st.lists(st.text("abc", min_size=1, max_size=3), max_size=2))
def test_pieces_add_up_to_the_text_before_the_first_stop(pieces: list[str], stops: list[str]) -> None:
    """However the text is cut into pieces, what was given on is never taken back."""
    grown = Text(GenerateRequest(prompt="p", stop=tuple(stops)))
    told = "".join(grown.add(choices_of({"choices": [{"text": piece}]}, 1)[0]) for piece in pieces)
    told += grown.add(choices_of({"choices": [{"text": "", "finish_reason": "stop"}]}, 1)[0])
    seen, places = "", list[int]()
    for piece in pieces:  # whichever stop is complete first ends the text; those that overlap may differ in that
        seen += piece
        if places := [seen.find(stop) for stop in stops if stop in seen]:
            seen = seen[: min(places)]
            break
    assert told == grown.text == seen
    assert grown.end is (End.STOP if places else End.MODEL)


def test_ends_are_known_by_their_usual_spelling() -> None:
    assert Likely("<|im_end|>", b"<|im_end|>", -1.0).ends
    assert Likely("", b"", -1.0).ends
    assert not TokenRead(Likely(" red", b" red", -1.0)).likely.ends
