"""A GGUF model answering many prompts at once through llama.cpp, for measurement."""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import llama_cpp
import numpy as np

from node.lab.training.quiet import be_quiet
from node.lab.training.tokens import CONTEXT_LENGTH, END, START, decode, encode

LANES = 16  # prompts under way at a time
REPLY_TOKENS_MAX = 112
_LINE_END = encode("\n")[0]


@dataclass(slots=True)
class _Lane:
    """One prompt under way."""

    place: int  # in the answers
    todo: list[int]  # tokens that the model has not read
    position: int = 0
    said: list[int] = field(default_factory=list)


class Model:
    """A model with LANES sequences, of which each reads and writes on its own; closed at the end of `with`."""

    def __init__(self, path: Path, adapters: Sequence[Path] = ()) -> None:
        be_quiet()
        llama_cpp.llama_backend_init()
        self._open = ExitStack()
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        if not self.model:
            raise RuntimeError(f"llama.cpp could not load {path}")
        self._open.callback(llama_cpp.llama_model_free, self.model)
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_seq_max = LANES * CONTEXT_LENGTH, LANES
        params.n_batch, params.n_ubatch = LANES * CONTEXT_LENGTH, 1024
        params.n_threads = params.n_threads_batch = 1
        self.context = llama_cpp.llama_init_from_model(self.model, params)
        self._open.callback(llama_cpp.llama_free, self.context)
        self._batch = llama_cpp.llama_batch_init(LANES * CONTEXT_LENGTH, 0, 1)
        self._open.callback(llama_cpp.llama_batch_free, self._batch)
        loaded = [llama_cpp.llama_adapter_lora_init(self.model, str(adapter).encode()) for adapter in adapters]
        if not all(loaded):
            self._open.close()
            raise RuntimeError(f"llama.cpp could not load one of the adapters {', '.join(map(str, adapters))}")
        if loaded:
            handles = (llama_cpp.llama_adapter_lora_p_ctypes * len(loaded))(*loaded)
            scales = (ctypes.c_float * len(loaded))(*[1.0] * len(loaded))
            llama_cpp.llama_set_adapters_lora(self.context, handles, len(loaded), scales)

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def scores(self, lanes: dict[int, _Lane]) -> Iterator[tuple[int, np.ndarray]]:
        """Each lane's next-token scores, shape (vocabulary,), once the model has read what the lane has to read."""
        batch, ends = self._batch, {}
        batch.n_tokens = 0
        for sequence, lane in sorted(lanes.items()):
            for token in lane.todo:
                i = batch.n_tokens
                batch.token[i], batch.pos[i] = token, lane.position
                batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
                batch.logits[i] = 0
                lane.position += 1
                batch.n_tokens += 1
            lane.todo.clear()
            ends[sequence] = batch.n_tokens - 1
            batch.logits[ends[sequence]] = 1
        if llama_cpp.llama_decode(self.context, batch) != 0:
            raise RuntimeError("llama.cpp could not decode a batch")
        size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        for sequence, end in ends.items():
            yield sequence, np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self.context, end), (size,))

    def scores_after(self, tokens: Sequence[int]) -> np.ndarray:
        """The next-token scores after some tokens alone, shape (vocabulary,)."""
        ((_, scores),) = self.scores({0: _Lane(0, list(tokens))})
        self.forget(0)
        return scores.copy()

    def forget(self, sequence: int) -> None:
        """Empty a sequence for the next prompt."""
        llama_cpp.llama_memory_seq_rm(llama_cpp.llama_get_memory(self.context), sequence, -1, -1)


def answers(
    path: Path,
    prompts: Sequence[str],
    samples: int = 1,
    temperature: float = 0.0,
    adapters: Sequence[Path] = (),
) -> list[list[str]]:
    """What a model writes after each prompt, up to its line end, `samples` times; at temperature 0 the likeliest.

    Raises:
        RuntimeError: llama.cpp refused; it prints why.
    """
    said: list[list[str]] = [[""] * samples for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))  # equal lengths are read together
    waiting = [_Lane(i * samples + k, [START, *encode(prompts[i])]) for i in order for k in range(samples)]
    rng = np.random.default_rng(0)
    with Model(path, adapters) as model:
        lanes: dict[int, _Lane] = {}
        while waiting or lanes:
            for sequence in range(LANES):
                if sequence not in lanes and waiting:
                    lanes[sequence] = waiting.pop()
            for sequence, scores in model.scores(lanes):
                lane, token = lanes[sequence], _drawn(rng, scores, temperature)
                if token in (END, _LINE_END) or len(lane.said) == REPLY_TOKENS_MAX:
                    said[lane.place // samples][lane.place % samples] = decode(lane.said)
                    del lanes[sequence]
                    model.forget(sequence)
                else:
                    lane.said.append(token)
                    lane.todo.append(token)
    return said


def _drawn(rng: np.random.Generator, scores: np.ndarray, temperature: float) -> int:
    """The likeliest token, or one by chance (the Gumbel-max way to draw from a softmax)."""
    noise = rng.gumbel(size=scores.shape) * temperature if temperature else 0.0
    return int(np.argmax(scores + noise))
