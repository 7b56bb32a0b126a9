"""What may be asked is bounded: a request out of bounds is refused where it is made."""

from typing import Any

import pytest

from node.model.requests import (
    AdapterUse,
    EmbedRequest,
    GenerateRequest,
    Grammar,
    NextRequest,
    Sampling,
    ScoreRequest,
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"samples": 0},
        {"samples": 65},
        {"tokens_max": 0},
        {"tokens_max": 4097},
        {"stop": ("x" * 65,)},
        {"stop": ("",)},
        {"stop": ("x",) * 9},
        {"caller": "x" * 129},
        {"deadline_ms": 0},
        {"steer": ((b"", 0.0),) * 1_025},
        {"steer_weight": -1},
    ],
)
def test_a_request_for_texts_is_bounded(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="choose"):
        GenerateRequest(prompt="", **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1},
        {"temperature": 10.1},
        {"temperature": float("nan")},
        {"seed": -1},
        {"seed": 2**64},
        {"top_k": -1},
        {"top_p": 1.1},
        {"min_p": -0.1},
    ],
)
def test_sampling_is_bounded(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="choose"):
        Sampling(**wrong)


def test_other_requests_are_bounded() -> None:
    for make in (
        lambda: ScoreRequest(prompt="", continuations=()),
        lambda: ScoreRequest(prompt="", continuations=("x",) * 65),
        lambda: NextRequest(prompt="", top=0),
        lambda: NextRequest(prompt="", top=1_025),
        lambda: EmbedRequest(texts=()),
        lambda: EmbedRequest(texts=("",) * 65),
        lambda: Grammar("regex", "x"),
        lambda: Grammar("gbnf", ""),
        lambda: Grammar("gbnf", "x" * 65_537),
        lambda: AdapterUse(b"short"),
        lambda: AdapterUse(bytes(32), 101),
    ):
        with pytest.raises(ValueError, match="choose"):
            make()
    with pytest.raises(ValueError, match="leave it out"):
        ScoreRequest(prompt="", continuations=("x", ""))
    with pytest.raises(ValueError, match="add the scales"):
        GenerateRequest(prompt="", adapters=(AdapterUse(bytes(32)), AdapterUse(bytes(32), 0.5)))
