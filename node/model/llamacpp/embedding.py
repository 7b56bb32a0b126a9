"""Vectors for texts: the mean over what the model makes of a text's tokens, of length 1."""

import ctypes
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from node.model.errors import ModelFailed, PromptTooLong
from node.model.llamacpp.adapters import Adapter
from node.model.llamacpp.batch import Batch
from node.model.llamacpp.context import apply_adapters, tokens_counted
from node.model.llamacpp.model import Model
from node.model.llamacpp.native import log, native

TOKENS_MAX = 2_048
"""Of one text: llama.cpp takes the mean over one forward pass."""
SEQUENCES_MAX = 64


@dataclass(frozen=True, slots=True)
class Vectors:
    """One vector of length 1 per text, and what they took."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int
    passes: int


class Embedder:
    """A context of its own beside those that generate: what is kept for a mean is not kept for generating.

    Raises:
        ModelFailed: llama.cpp cannot make it.
    """

    def __init__(self, model: Model, threads: int) -> None:
        self._vocabulary = model.vocabulary
        self.tokens_max = min(TOKENS_MAX, model.context_length)
        params = native.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = self.tokens_max
        params.n_seq_max = SEQUENCES_MAX
        params.kv_unified = True
        params.embeddings = True
        params.pooling_type = native.LLAMA_POOLING_TYPE_MEAN
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = False  # it counts what it evaluates
        log.clear()
        self._pointer: Any = native.llama_init_from_model(model.pointer, params)
        if not self._pointer:
            raise ModelFailed("llama.cpp cannot make a context for vectors: " + log.reason("out of memory?"))
        self._memory = native.llama_get_memory(self._pointer)
        self._batch = Batch(self.tokens_max)
        self._width = int(native.llama_model_n_embd_out(model.pointer))
        self._adapters: tuple[tuple[Adapter, float], ...] = ()
        self.passes = self.tokens = self.native_tokens = 0
        """Done so far, also for texts of which no vector came; tokens as we and as llama.cpp counted them."""

    def embed(self, texts: Sequence[str], adapters: tuple[tuple[Adapter, float], ...] = ()) -> Vectors:
        """Several texts share a pass.

        Raises:
            PromptTooLong: a text has more tokens than a pass takes.
            ModelFailed: llama.cpp reported an error.
        """
        rows = [self._tokens(text) for text in texts]
        if adapters != self._adapters:
            apply_adapters(self._pointer, adapters)
            self._adapters = adapters
        vectors: list[tuple[float, ...]] = []
        passes = 0
        while len(vectors) < len(rows):
            count, room = 0, self.tokens_max
            for row in rows[len(vectors) : len(vectors) + SEQUENCES_MAX]:
                room -= len(row)
                count += room >= 0
            vectors += self._pass(rows[len(vectors) : len(vectors) + count])
            passes += 1
        return Vectors(tuple(vectors), sum(map(len, rows)), passes)

    def _tokens(self, text: str) -> list[int]:
        tokens = self._vocabulary.prompt(text, raw=True)
        if len(tokens) > self.tokens_max:
            raise PromptTooLong(len(tokens), self.tokens_max)
        return tokens

    def _pass(self, rows: list[list[int]]) -> list[tuple[float, ...]]:
        tokens = [token for row in rows for token in row]
        positions = [position for row in rows for position in range(len(row))]
        sequences = [sequence for sequence, row in enumerate(rows) for _ in row]
        native.llama_memory_clear(self._memory, False)
        native.llama_perf_context_reset(self._pointer)
        log.clear()
        status = native.llama_decode(self._pointer, self._batch.fill(tokens, positions, sequences, range(len(tokens))))
        if status != 0:
            raise ModelFailed(f"llama_decode returned {status}: {log.reason()}")
        self.passes += 1
        self.tokens += len(tokens)
        self.native_tokens += tokens_counted(self._pointer)
        return [self._vector(sequence) for sequence in range(len(rows))]

    def _vector(self, sequence: int) -> tuple[float, ...]:
        found = native.llama_get_embeddings_seq(self._pointer, sequence)
        if not found:
            raise ModelFailed("llama.cpp makes no vector of this model's outputs")
        values = (ctypes.c_float * self._width).from_address(ctypes.addressof(found.contents))
        length = math.sqrt(math.fsum(value * value for value in values))
        return tuple(value / length for value in values) if length > 0 else tuple(values)

    def close(self) -> None:
        """Free it. May be called again."""
        if self._pointer:
            native.llama_free(self._pointer)
        self._pointer = None
