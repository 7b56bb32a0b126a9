"""LoRA adapters: small changes to a model's weights, which requests may choose."""

import os
from pathlib import Path
from typing import Any

from node.model import gguf_header
from node.model.engine import AdapterInfo
from node.model.errors import AdapterInvalid, ModelFileInvalid
from node.model.gguf_header import Header
from node.model.llamacpp.model import Model
from node.model.llamacpp.native import log, native

RANK_MAX = 4_096
_A, _B = ".lora_a", ".lora_b"


class Adapter:
    """One loaded adapter.

    Args:
        model: it changes this one.
        path: a GGUF file.
    Raises:
        ModelFileMissing: no readable file.
        AdapterInvalid: no adapter for this model.
    """

    def __init__(self, model: Model, path: Path) -> None:
        try:
            header = gguf_header.check(path)
        except ModelFileInvalid as error:
            raise AdapterInvalid(str(path), str(error.fields[1])) from None
        problem = mismatch(header, model.header)
        if problem is not None:
            raise AdapterInvalid(str(path), problem)
        self.digest = gguf_header.digest(path)
        name = header.values.get("general.name")
        self.name = name if isinstance(name, str) and name else path.stem
        self.size_bytes = path.stat().st_size
        self.rank = rank(header)
        self._model = model
        log.clear()
        self.pointer: Any = native.llama_adapter_lora_init(model.pointer, os.fsencode(path))
        if not self.pointer:
            raise AdapterInvalid(str(path), "llama.cpp refuses it: " + log.reason())

    @property
    def info(self) -> AdapterInfo:
        return AdapterInfo(self.digest, self.name, self.size_bytes)

    def close(self) -> None:
        """Free the adapter. No context may use it any more. May be called again."""
        if self.pointer and self._model.pointer:  # a model that is closed has freed its adapters
            native.llama_adapter_lora_free(self.pointer)
        self.pointer = None


def mismatch(adapter: Header, model: Header) -> str | None:
    """Why the file is no adapter for this model, or None. llama.cpp ends the process over some of this."""
    if adapter.values.get("general.type") != "adapter" or adapter.values.get("adapter.type") != "lora":
        return "it says nowhere that it is a LoRA adapter; convert one with llama.cpp's convert_lora_to_gguf.py"
    if adapter.architecture != model.architecture:
        return f"it is for the architecture {adapter.architecture}, and the model is a {model.architecture}"
    blocks, has = adapter.entry("block_count"), model.entry("block_count")
    if blocks is not None and blocks != has:  # converters leave it out; where it is said, it must be so
        return f"it is for a model of {blocks} blocks, and this one has {has}"
    alpha = adapter.values.get("adapter.lora.alpha", 0.0)
    if not isinstance(alpha, float) or not abs(alpha) < float("inf"):
        return "its alpha is not a number"
    if "adapter.alora.invocation_tokens" in adapter.values:
        return "it is to be switched on by tokens of the text, which is not supported"
    pairs = 0
    for name, shape in adapter.shapes.items():
        if name.endswith(_A):
            pairs += 1
            problem = _pair_mismatch(name.removesuffix(_A), adapter, model)
            if problem is not None:
                return problem
        elif name.endswith(_B):
            if name.removesuffix(_B) + _A not in adapter.shapes:
                return f"half of its change to {name.removesuffix(_B)!r} is missing"
        elif not name.endswith("_norm.weight"):
            return f"it holds {name!r}, which is no part of a LoRA adapter"
        if 0 in shape:
            return f"{name!r} is empty"
    return None if pairs else "it changes nothing"


def _pair_mismatch(name: str, adapter: Header, model: Header) -> str | None:
    """Shapes as GGUF writes them: weights are (in, out), a is (in, rank), b is (rank, out); embeddings reverse this."""
    a, b = adapter.shapes[name + _A], adapter.shapes.get(name + _B)
    if b is None:
        return f"half of its change to {name!r} is missing"
    target = model.shapes.get(name)
    if target is None:
        return f"the model has no {name!r}; it is for another one"
    if len(a) != len(target) or len(b) != len(target) or len(target) < 2 or a[2:] != target[2:] or b[2:] != target[2:]:
        return f"its change to {name!r} has other dimensions than the weights"
    if name.endswith("token_embd.weight"):
        fits = target[0] == b[1] and target[1] == a[1] and a[0] == b[0]
    else:
        fits = target[0] == a[0] and target[1] == b[1] and a[1] == b[0]
    return None if fits else f"its change to {name!r} has another shape than the weights; it is for another model"


def rank(header: Header) -> int:
    """The largest inner width of an adapter's changes."""
    found = [
        shape[0] if name.endswith("token_embd.weight" + _A) else shape[1]
        for name, shape in header.shapes.items()
        if name.endswith(_A) and len(shape) > 1
    ]
    return max(found, default=0)
