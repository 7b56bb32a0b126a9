"""LoRA adapters: they change what the model says, do not leak into another's passes, and wrong files are refused."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from node.model.errors import AdapterInvalid, ModelFileMissing
from node.model.llamacpp.adapters import Adapter
from node.model.llamacpp.context import Context
from node.model.llamacpp.model import Model
from tests.node.model.gguf_files import SMALL, Shape
from tests.node.model.gguf_others import Sizes, adapter_sizes, write_adapter
from tests.node.model.llamacpp.driving import ask, greedy


def logprobs(context: Context) -> list[float]:
    context.clear()
    return context.logprobs_of(ask(context), range(context.model.vocabulary.size))


def test_an_adapter_says_what_it_is(tmp_path: Path, letters: Model) -> None:
    path = write_adapter(tmp_path / "change.gguf")
    adapter = Adapter(letters, path)
    assert adapter.info.name == "random change"
    assert adapter.info.digest == hashlib.sha256(path.read_bytes()).digest()
    assert adapter.info.size_bytes == path.stat().st_size
    assert adapter.rank == 4
    adapter.close()
    adapter.close()


def test_adapters_change_answers_by_their_scales_and_add_up(tmp_path: Path, context: Context) -> None:
    first = Adapter(context.model, write_adapter(tmp_path / "1.gguf", seed=1))
    second = Adapter(context.model, write_adapter(tmp_path / "2.gguf", seed=2))
    without = logprobs(context)
    text = greedy(context)
    seen = []
    for uses in (
        ((first, 1.0),),
        ((first, 0.5),),
        ((second, 1.0),),
        ((first, 1.0), (second, 1.0)),
    ):
        context.apply(uses)
        seen.append(logprobs(context))
    assert len({tuple(each) for each in (without, *seen)}) == 5
    context.apply(((first, 0.0),))
    assert logprobs(context) == pytest.approx(without, abs=1e-4)
    context.apply(((second, 1.0), (first, 1.0)))
    assert logprobs(context) == pytest.approx(seen[3], abs=1e-4)
    context.apply(((first, 1.0),))
    assert greedy(context) != text
    context.apply(())
    assert logprobs(context) == without
    assert greedy(context) == text
    first.close()
    second.close()


def test_sequences_evaluated_under_different_adapters_do_not_mix(tmp_path: Path, context: Context) -> None:
    """Each keeps what was evaluated under its own adapter."""
    adapter = Adapter(context.model, write_adapter(tmp_path / "1.gguf", seed=1))
    alone = []
    both: list[tuple[tuple[Adapter, float], ...]] = [(), ((adapter, 1.0),)]
    for uses in both:
        context.apply(uses)
        context.clear()
        ask(context)
        position = context.length(0)
        context.decode([7], [position], [0], [0])
        alone.append(context.top(0, 3))
    context.clear()
    for sequence, uses in enumerate(both):
        context.apply(uses)
        ask(context, sequence=sequence)
    for sequence, uses in enumerate(both):
        context.apply(uses)
        context.decode([7], [context.length(sequence)], [sequence], [0])
        assert [token for token, _ in context.top(0, 3)] == [token for token, _ in alone[sequence]]
    context.apply(())
    adapter.close()


def test_applying_the_same_again_asks_llama_cpp_nothing(
    tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two passes of the same adapters there is nothing to do; llama.cpp would plan its work anew."""
    adapter = Adapter(context.model, write_adapter(tmp_path / "1.gguf"))
    calls = []
    monkeypatch.setattr("node.model.llamacpp.context.apply_adapters", lambda _, uses: calls.append(uses))
    for uses in ((), ((adapter, 1.0),), ((adapter, 1.0),), ((adapter, 2.0),), (), ()):
        context.apply(uses)
    assert calls == [((adapter, 1.0),), ((adapter, 2.0),), ()]
    adapter.close()


def without(name: str) -> Sizes:
    return {key: size for key, size in adapter_sizes().items() if key != name}


def with_changed(name: str, *size: int) -> Sizes:
    return {**adapter_sizes(), name: size}


Q = "blk.0.attn_q.weight"
WRONG: dict[str, tuple[dict[str, object], str]] = {
    "a model's file type": ({"kind": "model"}, "says nowhere that it is a LoRA adapter"),
    "another kind of adapter": ({"adapter_type": "control_vector"}, "says nowhere"),
    "another architecture": ({"architecture": "qwen2"}, "for the architecture qwen2, and the model is a llama"),
    "no change": ({"sizes": {"blk.0.attn_norm.weight": (64,)}}, "changes nothing"),
    "a half": ({"sizes": without(f"{Q}.lora_b")}, "half of its change"),
    "the other half": ({"sizes": without(f"{Q}.lora_a")}, "half of its change"),
    "a wider model": ({"sizes": adapter_sizes(Shape(width=128))}, "has another shape than the weights"),
    "a model of other depth": ({"blocks": 3}, "for a model of 3 blocks, and this one has 2"),
    "more layers": ({"sizes": adapter_sizes(Shape(layers=3))}, "the model has no"),
    "ranks that differ": ({"sizes": with_changed(f"{Q}.lora_a", 5, 64)}, "has another shape"),
    "another dimension": ({"sizes": with_changed(f"{Q}.lora_a", 2, 4, 64)}, "other dimensions"),
    "a single row": ({"sizes": with_changed(f"{Q}.lora_b", 64)}, "other dimensions"),
    "something else": ({"sizes": {**adapter_sizes(), "extra.weight": (3,)}}, "no part of a LoRA adapter"),
    "not a number": ({"alpha": float("nan")}, "its alpha is not a number"),
}


@pytest.mark.parametrize(("wrong", "problem"), WRONG.values(), ids=WRONG)
def test_an_adapter_of_something_else_is_refused(
    tmp_path: Path, letters: Model, wrong: dict[str, object], problem: str
) -> None:
    path = write_adapter(tmp_path / "wrong.gguf", **wrong)  # type: ignore[arg-type]
    with pytest.raises(AdapterInvalid, match=problem) as raised:
        Adapter(letters, path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        pytest.param(lambda data: data[: len(data) // 2], "fetch it again", id="cut off"),
        pytest.param(lambda data: data[:-1], "fetch it again", id="one byte short"),
        pytest.param(lambda data: b"", "0 bytes", id="empty"),
        pytest.param(lambda data: b"x" * 100, "not GGUF", id="something else"),
    ],
)
def test_a_broken_file_is_refused(
    tmp_path: Path, letters: Model, broken: Callable[[bytes], bytes], problem: str
) -> None:
    path = write_adapter(tmp_path / "broken.gguf")
    path.write_bytes(broken(path.read_bytes()))
    with pytest.raises(AdapterInvalid, match=problem):
        Adapter(letters, path)


def test_a_missing_file_and_a_model_are_refused(tmp_path: Path, letters: Model, letters_file: Path) -> None:
    with pytest.raises(ModelFileMissing):
        Adapter(letters, tmp_path / "none.gguf")
    with pytest.raises(AdapterInvalid, match="says nowhere"):
        Adapter(letters, letters_file)


def test_an_adapter_of_the_embeddings_works(tmp_path: Path, context: Context) -> None:
    """Its two halves are the other way round."""
    tokens = context.model.vocabulary.size
    sizes = {"token_embd.weight.lora_a": (tokens, 4), "token_embd.weight.lora_b": (SMALL.width, 4)}
    adapter = Adapter(context.model, write_adapter(tmp_path / "embeddings.gguf", sizes=sizes))
    assert adapter.rank == 4
    before = logprobs(context)
    context.apply(((adapter, 1.0),))
    assert logprobs(context) != before
    context.apply(())
    adapter.close()


def test_an_adapter_that_outlives_its_model_is_freed_once(tmp_path: Path, letters_file: Path) -> None:
    from node.model.engine import LoadSettings

    model = Model(letters_file, LoadSettings())
    adapter = Adapter(model, write_adapter(tmp_path / "1.gguf"))
    model.close()
    adapter.close()
