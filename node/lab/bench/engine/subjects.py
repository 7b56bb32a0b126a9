"""The models of the bench: a small reference model and a random one of realistic size, both without an end.

An answer that ends early would be less work for whoever drew it, so here no answer ends before its longest.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from node.lab.bench.engine.random_model import random_model
from node.model import reference

REFERENCE = "sage"
KIND = "Q4_K_M"
"""What most models come in. llama.cpp has kernels for several tokens at once for it; for Q8_0 it has none on many
processors, and whoever puts sequences together then gains little."""
THREADS_LARGE = 2
_KEY = b"tokenizer.ggml.eos_token_id"
_END, _NO_END = b"</s>", b"<_s>"
_KIND_U32 = 4  # in GGUF
_NEVER_DRAWN = 0  # the reference models' token for the unknown: in no text that they were trained on


@dataclass(frozen=True, slots=True)
class Subject:
    """A model whose chat template puts a line end after a message. llama-cpp-python adds what begins a text itself.

    Args:
        rounds: how often everything is measured with it.
        threads: of each forward pass, whoever makes it.
    """

    name: str
    path: Path
    context_length: int
    rounds: int
    threads: int

    def rendered(self, message: str) -> str:
        """For whoever renders no template."""
        return f"{message}\n"


def folder() -> Path:
    """Where models for measurement are kept: under XDG_CACHE_HOME, or ~/.cache without it."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".cache") / "moot" / "bench"


def small(place: Path) -> Subject:
    """A reference model that passes over its own end. A second thread slows a model of its size down."""
    path = place / f"{REFERENCE}-endless.gguf"
    place.mkdir(parents=True, exist_ok=True)
    path.write_bytes(endless(reference.path(REFERENCE).read_bytes()))
    millions = reference.card(REFERENCE)["parameters"] / 1e6
    return Subject(f"{REFERENCE}, {millions:.1f} million parameters", path, 256, rounds=3, threads=1)


def large(place: Path) -> Subject:
    """One token of 32,000 ends an answer: hardly any ends."""
    name = f"random, 153 million parameters, {KIND}"
    return Subject(name, random_model(place, KIND), 2_048, rounds=2, threads=THREADS_LARGE)


def endless(model: bytes) -> bytes:
    """The same model, in which another token than its own ends an answer: one that it never draws.

    llama.cpp also goes by what tokens are called, so its own gets another name.
    """
    assert model.count(_END) == 1, "in the list of tokens"
    data = bytearray(model.replace(_END, _NO_END))
    place = data.index(_KEY) + len(_KEY)
    kind, _ = struct.unpack_from("<II", data, place)
    assert kind == _KIND_U32, "as llama.cpp writes it"
    struct.pack_into("<II", data, place, kind, _NEVER_DRAWN)
    return bytes(data)
