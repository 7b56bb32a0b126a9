"""A model's weights and vocabulary, read from a GGUF file."""

import ctypes
import os
from pathlib import Path
from typing import Any

from node.model import gguf_header
from node.model.engine import LoadSettings, ModelInfo
from node.model.errors import AbilityMissing, ModelFileInvalid
from node.model.llamacpp import memory
from node.model.llamacpp.native import log, native, start
from node.model.llamacpp.vocabulary import Vocabulary


class Model:
    """A loaded model. Contexts, adapters and samplers stand on it: close those first.

    Args:
        path: a GGUF file.
    Raises:
        ModelFileMissing, ModelFileInvalid, ModelTooLarge: the file cannot be used.
        AbilityMissing: the settings ask for what this llama.cpp cannot do.
    """

    def __init__(self, path: Path, settings: LoadSettings) -> None:
        self.header = gguf_header.check(path)
        if self.header.values.get("general.type") == "adapter":
            raise ModelFileInvalid(str(path), "it is an adapter; give it beside the model that it was made for")
        memory.check(path, self.header, settings)
        digest = gguf_header.digest(path)
        start()
        if settings.gpu_layers and not native.llama_supports_gpu_offload():
            raise AbilityMissing(
                "run on a graphics processor", "this llama.cpp was built without; set gpu_layers = 0 or install it anew"
            )
        params = native.llama_model_default_params()
        params.check_tensors = True  # a weight that is not a number would make every answer nonsense
        params.n_gpu_layers = settings.gpu_layers
        self.path = path
        log.clear()
        self.pointer: Any = native.llama_model_load_from_file(os.fsencode(path), params)
        if not self.pointer:
            raise self.invalid("llama.cpp refuses it: " + log.reason())
        if not native.llama_model_has_decoder(self.pointer) or native.llama_model_has_encoder(self.pointer):
            raise self.invalid("it is not a decoder-only language model; give one that generates text")
        self.context_length = min(settings.context_length, int(native.llama_model_n_ctx_train(self.pointer)))
        self.cells = memory.cells(self.header, settings)
        """Tokens that a context should hold for the settings' cache_mib."""
        self.wide_keys = not settings.gpu_layers and memory.wide_keys(self.header)
        """Whether contexts keep keys as 32-bit floats: what processors are quick with, graphics processors refuse."""
        self.can_cut = not (native.llama_model_is_recurrent(self.pointer) or native.llama_model_is_hybrid(self.pointer))
        """Whether a context can forget a sequence's end; a recurrent state has no parts."""
        self.vocabulary = self._read_vocabulary()
        self.info = ModelInfo(
            name=self._entry(b"general.name") or path.stem,
            architecture=self._entry(b"general.architecture"),
            parameters=int(native.llama_model_n_params(self.pointer)),
            context_length=self.context_length,
            digest=digest,
            size_bytes=path.stat().st_size,
            parallel=settings.parallel,
        )

    def _read_vocabulary(self) -> Vocabulary:
        template = native.llama_model_chat_template(self.pointer, None)
        try:
            return Vocabulary(
                native.llama_model_get_vocab(self.pointer),
                template.decode("utf-8", "replace") if template else None,
                self.context_length,
            )
        except ValueError as problem:
            raise self.invalid(f"its chat template cannot be used: {problem}") from None

    def _entry(self, key: bytes) -> str:
        buffer = ctypes.create_string_buffer(256)
        size = native.llama_model_meta_val_str(self.pointer, key, buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if size >= 0 else ""

    def invalid(self, problem: str) -> ModelFileInvalid:
        """Free the model; the error is to be raised."""
        self.close()
        return ModelFileInvalid(str(self.path), problem)

    def close(self) -> None:
        """Free the model. May be called again."""
        if self.pointer:
            native.llama_model_free(self.pointer)
        self.pointer = None
