"""The check of a model file: what crosses from its process, and how one that the check ends is told."""

import math
import os
from pathlib import Path
from typing import Any

import pytest

from node.model.checking import checks, run
from node.model.checking.checks import distance, is_part
from node.model.checking.steps import Begun, Event, Failed, ModelUnsound, Passed, line, read
from node.model.engine import LoadSettings
from node.model.errors import ModelDied, ModelFileInvalid, ModelTooLarge
from tests.node.model.gguf_files import write_model

ABORTS = """
import os
print('{"begun": "load"}', flush=True)
os.write(2, b"assertion failed")
os.abort()
"""


@pytest.mark.parametrize("event", [Begun("load"), Passed("tokenizer", "259 tokens, “ü”")])
def test_a_step_crosses_whole(event: Event) -> None:
    assert read(line(event)) == event


@pytest.mark.parametrize(
    "error", [ModelFileInvalid("a.gguf", "broken"), ModelTooLarge("a.gguf", 1 << 40, 1 << 30), ModelUnsound("a", "b")]
)
def test_an_error_crosses_whole(error: Any) -> None:
    crossed = read(line(Failed(error)))
    assert isinstance(crossed, Failed)
    assert (type(crossed.error), str(crossed.error)) == (type(error), str(error))


@pytest.mark.parametrize(
    "text", ["", "hello", "[]", '{"failed": "OSError", "fields": []}', '{"passed": 3, "said": ""}']
)
def test_any_other_line_is_a_failure(text: str) -> None:
    event = read(text)
    assert isinstance(event, Failed)
    assert isinstance(event.error, ModelDied)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [([1.0, 0.0], [1.0, 0.0], 0), ([1.0, 0.0], [0.0, 1.0], 1), ([0.5, 0.5], [0.75, 0.25], 0.25)],
)
def test_distance(one: list[float], other: list[float], apart: float) -> None:
    assert distance(one, other) == pytest.approx(apart)


def test_is_part() -> None:
    assert is_part("ace", "abcde")
    assert not is_part("aec", "abcde")
    assert is_part("", "")


@pytest.mark.parametrize("logprobs", [[math.nan], [0.0, math.inf], [-math.inf]])
def test_what_is_no_probability_is_refused(logprobs: list[float]) -> None:
    with pytest.raises(ModelUnsound, match="no number"):
        checks._finite(Path("m"), logprobs)


async def test_a_process_that_is_ended_is_told_with_its_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when llama.cpp aborts over a file that is broken in a new way."""
    package = tmp_path / "node" / "model" / "checking"
    package.mkdir(parents=True)
    for folder in (package, *package.parents[:2]):
        (folder / "__init__.py").touch()
    (package / "__main__.py").write_text(ABORTS)
    monkeypatch.setattr(run, "_PACKAGES", tmp_path)
    with pytest.raises(ModelDied, match=r"SIGABRT.*assertion failed.*'load'"):
        [step async for step in run.check_file(Path("any"), LoadSettings())]


async def test_a_check_that_nobody_waits_for_ends(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.gguf")
    before = children()
    steps = run.check_file(model, LoadSettings())
    assert await anext(steps) == Begun("load")
    await steps.aclose()
    assert children() == before


def children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())
