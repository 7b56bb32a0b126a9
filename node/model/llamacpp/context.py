"""Sequences of tokens under way in one model: forward passes, what they leave in the cache, and what they say."""

import ctypes
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from node.model.errors import ModelFailed
from node.model.llamacpp.batch import Batch
from node.model.llamacpp.candidates import Candidates, likeliest, normal, scores
from node.model.llamacpp.model import Model
from node.model.llamacpp.native import log, native
from node.model.llamacpp.sampler import Sampler
from node.model.requests import Sampling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from node.model.llamacpp.adapters import Adapter

NO_ROOM = 1  # llama_decode: no slot for the batch; nothing was changed
COUNTED_MAX = 1 << 30  # llama.cpp counts in 32 bits
PASSES_BETWEEN_COUNTS = 1 << 20  # of at most 512 tokens


class NoRoom(Exception):
    """The cache has no room for the pass. Nothing was changed; forget something and try again."""


class Context:
    """Up to `sequences` sequences in `cells` cells of cache, which they share where one was copied from another.

    Args:
        cells: tokens that fit into the cache, all sequences together.
        batch_tokens: most tokens of one forward pass.
    Raises:
        ModelFileInvalid: llama.cpp cannot run the model; it is closed then.
    """

    def __init__(self, model: Model, sequences: int, cells: int, batch_tokens: int, threads: int) -> None:
        params = native.llama_context_default_params()
        params.n_ctx = cells
        params.n_batch = params.n_ubatch = batch_tokens  # equal: one decode is one forward pass
        params.n_seq_max = sequences
        params.kv_unified = True  # sequences share the cells of their common prefix
        params.swa_full = True  # a sliding window alone could not go back to a common prefix
        if model.wide_keys:
            params.type_k = native.GGML_TYPE_F32
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = False  # it counts what it evaluates
        log.clear()
        self.model = model
        self.sequences, self.cells, self.batch_tokens = sequences, cells, batch_tokens
        self.can_cut = model.can_cut
        self.pointer: Any = native.llama_init_from_model(model.pointer, params)
        if not self.pointer:
            raise model.invalid("llama.cpp cannot make a context for it: " + log.reason("out of memory?"))
        self._memory = native.llama_get_memory(self.pointer)
        self._adapters: tuple[tuple[Adapter, float], ...] = ()
        self._passes = self._tokens = 0
        self._normals: dict[int, float] = {}  # of the latest pass, by output
        self._candidates = Candidates(model.vocabulary.size)
        self._batch = Batch(batch_tokens)
        # A first pass now: a model that cannot run fails here and not at the first question, and its pages are read in.
        try:
            self.decode(model.vocabulary.prompt("")[-1:], [0], [0], [0])
        except ModelFailed as error:
            self.close()
            raise model.invalid(f"llama.cpp cannot run it: {error}") from None
        self.clear()
        native.llama_synchronize(self.pointer)
        native.llama_perf_context_reset(self.pointer)
        self._passes = 0

    def decode(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int], outputs: Sequence[int]
    ) -> None:
        """One forward pass.

        Args:
            tokens: of each part; at most batch_tokens parts.
            positions: of each part in its sequence.
            sequences: of each part.
            outputs: indices of the parts after which something will be drawn or read.
        Raises:
            NoRoom: nothing was changed.
            ModelFailed: what the sequences hold is then unknown.
        """
        batch = self._batch.fill(tokens, positions, sequences, outputs)
        self._normals.clear()
        log.errors.clear()
        status = native.llama_decode(self.pointer, batch)
        if status == NO_ROOM:
            self._tokens -= len(tokens)  # it counted them all the same
            raise NoRoom
        if status != 0:
            raise ModelFailed(f"llama_decode returned {status}: {log.reason()}")
        self._passes += 1
        if self._passes % PASSES_BETWEEN_COUNTS == 0:
            self.counted()

    def copy(self, source: int, target: int, until: int) -> None:
        """Let the empty sequence `target` begin as `source` does, in the same cells.

        Args:
            source: a sequence.
            target: an empty sequence.
            until: how many tokens; all that `source` has where can_cut is False.
        """
        assert self.can_cut or until == self.length(source), "a recurrent state is copied whole"
        native.llama_memory_seq_cp(self._memory, source, target, 0, until)

    def cut(self, sequence: int, start: int) -> bool:
        """Forget a sequence's tokens from position `start` on. False: this memory cannot, and nothing was forgotten."""
        return bool(native.llama_memory_seq_rm(self._memory, sequence, start, -1))

    def forget(self, sequence: int) -> None:
        """Make a sequence empty."""
        native.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def clear(self) -> None:
        """Forget every sequence."""
        native.llama_memory_clear(self._memory, False)

    def length(self, sequence: int) -> int:
        """How many tokens a sequence has."""
        return int(native.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    def sampler(
        self, sampling: Sampling, seed: int, grammar: str | None = None, steer: dict[int, float] | None = None
    ) -> Sampler:
        """What draws one sample's tokens. See Sampler."""
        vocabulary = self.model.vocabulary.pointer
        return Sampler(self.pointer, vocabulary, self._candidates, sampling, seed, grammar=grammar, steer=steer)

    def top(self, index: int, count: int) -> list[tuple[int, float]]:
        """The likeliest next tokens after the part at `index` of the latest pass, with their log-probabilities."""
        found = self._scores(index)
        minus = self._normal(index)
        return [(token, float(found[token]) - minus) for token in likeliest(found, count)]

    def logprob(self, index: int, token: int) -> float:
        """Of one next token: natural logarithm, over the whole vocabulary, at temperature 1."""
        return float(self._scores(index)[token]) - self._normal(index)

    def logprobs_of(self, index: int, tokens: Sequence[int]) -> list[float]:
        """Of several next tokens, each alone."""
        found = self._scores(index)
        minus = self._normal(index)
        return [float(found[token]) - minus for token in tokens]

    def ends_logprob(self, index: int) -> float:
        """Of all tokens together that end an answer; minus infinity if there are none."""
        parts = self.logprobs_of(index, self.model.vocabulary.ends)
        largest = max(parts, default=-math.inf)
        return largest if largest == -math.inf else largest + math.log(sum(math.exp(each - largest) for each in parts))

    def _scores(self, index: int) -> "NDArray[np.float32]":
        return scores(native.llama_get_logits_ith(self.pointer, index), self.model.vocabulary.size)

    def _normal(self, index: int) -> float:
        found = self._normals.get(index)
        if found is None:
            found = self._normals[index] = normal(self._scores(index))
        return found

    def apply(self, adapters: "tuple[tuple[Adapter, float], ...]") -> None:
        """Use these adapters, each with its scale, in all passes from now on. What is cached stays as it was.

        Raises:
            ModelFailed: llama.cpp cannot; none is then in use.
        """
        if adapters == self._adapters:
            return
        self._adapters = ()
        apply_adapters(self.pointer, adapters)
        self._adapters = adapters

    def counted(self) -> tuple[int, int]:
        """Tokens evaluated since the context was made, as llama.cpp counts them, and forward passes."""
        tokens = tokens_counted(self.pointer)
        if tokens > COUNTED_MAX:
            native.llama_perf_context_reset(self.pointer)
            self._tokens += tokens
            tokens = 0
        return self._tokens + tokens, self._passes

    def close(self) -> None:
        """Free the context. May be called again."""
        if self.pointer:
            native.llama_free(self.pointer)
        self.pointer = None


def tokens_counted(context: Any) -> int:
    """Tokens evaluated since the context was made or its counts were reset, as llama.cpp counts them."""
    native.llama_synchronize(context)
    found = native.llama_perf_context(context)
    # It says 1 for 0. Passes of one token are counted apart, so 1 among the others is none; and they take time.
    together = int(found.n_p_eval) if found.n_p_eval > 1 else 0
    return together + (int(found.n_eval) if found.t_eval_ms > 0 else 0)


def apply_adapters(context: Any, adapters: "tuple[tuple[Adapter, float], ...]") -> None:
    """Raises: ModelFailed: llama.cpp cannot; none is then in use."""
    count = len(adapters)
    pointers = (native.llama_adapter_lora_p_ctypes * count)(*(adapter.pointer for adapter, _ in adapters))
    scales = (ctypes.c_float * count)(*(scale for _, scale in adapters))
    status = native.llama_set_adapters_lora(context, pointers, count, scales)
    if status != 0:
        native.llama_set_adapters_lora(context, None, 0, None)
        raise ModelFailed(f"llama_set_adapters_lora returned {status}: {log.reason()}")
