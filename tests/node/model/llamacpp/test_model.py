"""What is loaded, what is refused, and what a model says about itself."""

import hashlib
from pathlib import Path

import pytest

from node.model.engine import LoadSettings
from node.model.errors import AbilityMissing, ModelFileInvalid, ModelFileMissing, ModelTooLarge
from node.model.llamacpp import memory
from node.model.llamacpp.context import Context
from node.model.llamacpp.model import Model
from node.model.llamacpp.native import native
from tests.node.model.gguf_others import write_adapter


def test_info_describes_the_file(model_file: Path) -> None:
    model = Model(model_file, LoadSettings(parallel=5))
    info = model.info
    assert (info.name, info.architecture, info.parallel) == ("random", "llama", 5)
    assert info.digest == hashlib.sha256(model_file.read_bytes()).digest()
    assert info.size_bytes == model_file.stat().st_size
    vocabulary, width, kv_width, feed_forward = 3 + 256 + 96, 64, 32, 160
    layer = 2 * width + 2 * width * width + 2 * width * kv_width + 3 * width * feed_forward
    assert info.parameters == 2 * vocabulary * width + width + 2 * layer
    assert model.vocabulary.size == vocabulary
    model.close()
    model.close()


def test_a_context_longer_than_the_training_is_not_used(model_file: Path, letters: Model) -> None:
    assert letters.info.context_length == 256
    short = Model(model_file, LoadSettings(context_length=100))
    assert short.info.context_length == short.context_length == 100
    short.close()


def test_a_graphics_processor_that_is_not_there_is_not_silently_ignored(model_file: Path) -> None:
    if native.llama_supports_gpu_offload():
        Model(model_file, LoadSettings(gpu_layers=1)).close()
    else:
        with pytest.raises(AbilityMissing, match="set gpu_layers = 0"):
            Model(model_file, LoadSettings(gpu_layers=1))


def test_a_model_larger_than_what_is_free_is_refused(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system would end the process in the middle of loading, with no word to anybody."""
    settings = LoadSettings(cache_mib=1)
    needed = memory.needed(model_file, Model(model_file, settings).header, settings)
    monkeypatch.setattr(memory, "available", lambda: needed)
    Model(model_file, settings).close()
    monkeypatch.setattr(memory, "available", lambda: needed - 1)
    with pytest.raises(ModelTooLarge, match=r"needs about 0\.\d GiB, 0\.\d GiB are free; choose a smaller"):
        Model(model_file, settings)
    monkeypatch.setattr(memory, "available", lambda: None)
    Model(model_file, settings).close()


def test_the_error_of_a_model_too_large_is_in_words() -> None:
    assert str(ModelTooLarge("m.gguf", int(9.1 * 2**30), int(3.2 * 2**30))) == (
        "m.gguf: needs about 9.1 GiB, 3.2 GiB are free; choose a smaller quantization or lower cache_mib"
    )


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing):
        Model(tmp_path / "none.gguf", LoadSettings())
    with pytest.raises(ModelFileInvalid, match=r"change\.gguf: not a usable model: it is an adapter; give it beside"):
        Model(write_adapter(tmp_path / "change.gguf"), LoadSettings())


def test_a_model_whose_weights_are_no_numbers_is_refused(tmp_path: Path, letters_file: Path) -> None:
    data = bytearray(letters_file.read_bytes())
    data[-4:] = b"\xff\xff\xff\x7f"
    path = tmp_path / "nan.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelFileInvalid, match=r"nan\.gguf"):
        Model(path, LoadSettings())


def test_a_context_that_cannot_be_made_says_which_file(letters_file: Path) -> None:
    model = Model(letters_file, LoadSettings())
    with pytest.raises(ModelFileInvalid, match=r"letters\.gguf.*cannot make a context"):
        Context(model, sequences=10_000, cells=1_024, batch_tokens=64, threads=1)
    assert model.pointer is None
