"""What one forward pass is given, filled by slices: a loop in Python would cost more than sampling."""

import ctypes
from collections.abc import Sequence
from typing import Any

from node.model.llamacpp.native import native


class Batch:
    """Room for the parts of a pass. Args: size: most parts."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._tokens = (native.llama_token * size)()
        self._positions = (native.llama_pos * size)()
        self._sequences = (native.llama_seq_id * size)()
        self._marks = (ctypes.c_int8 * size)()
        self._counts = (ctypes.c_int32 * size)(*[1] * size)  # each part belongs to one sequence
        first, step = ctypes.addressof(self._sequences), ctypes.sizeof(native.llama_seq_id)
        self._pointers = (ctypes.c_void_p * size)(*range(first, first + size * step, step))
        self._native = native.llama_batch()
        kinds = dict(self._native._fields_)
        for name, array in (
            ("token", self._tokens),
            ("pos", self._positions),
            ("n_seq_id", self._counts),
            ("seq_id", self._pointers),
            ("logits", self._marks),
        ):
            setattr(self._native, name, ctypes.cast(array, kinds[name]))

    def fill(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int], outputs: Sequence[int]
    ) -> Any:
        """A llama_batch with these parts; good until the next call.

        Args:
            tokens: of each part.
            positions: of each part in its sequence.
            sequences: of each part.
            outputs: indices of the parts after which something will be drawn or read, each once.
        """
        size = len(tokens)
        assert 0 < size <= self.size and size == len(positions) == len(sequences)
        self._tokens[:size] = tokens
        self._positions[:size] = positions
        self._sequences[:size] = sequences
        if len(outputs) == size:
            ctypes.memset(self._marks, 1, size)
        else:
            ctypes.memset(self._marks, 0, size)
            marks = self._marks
            for output in outputs:
                marks[output] = 1
        self._native.n_tokens = size
        return self._native
