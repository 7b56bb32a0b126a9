"""A model's scores as numbers to work with: likelihoods, the likeliest tokens, and candidates for llama.cpp's samplers.

numpy is imported when first needed: it takes a tenth of a second and memory that plain sampling does without.
"""

import ctypes
import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from node.model.llamacpp.chance import Weights
from node.model.llamacpp.native import native

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def scores(pointer: Any, size: int) -> "NDArray[np.float32]":
    """llama.cpp's own memory, shape (size,): good until the next pass."""
    import numpy as np

    assert pointer, "the pass was not asked for this output"
    memory = (ctypes.c_float * size).from_address(ctypes.addressof(pointer.contents))
    return np.frombuffer(memoryview(memory).cast("B"), np.float32)


def normal(found: "NDArray[np.float32]") -> float:
    """What is to be taken from a score to make it a log-probability: the logarithm of the sum of exponentials."""
    import numpy as np

    largest = float(found.max())
    return largest + math.log(float(np.exp(found - largest).sum(dtype=np.float64)))


def likeliest(found: "NDArray[np.float32]", count: int) -> list[int]:
    """Indices of the largest scores, largest first; equal ones by index."""
    import numpy as np

    count = min(count, len(found))
    least = np.partition(found, -count)[-count]
    indices = np.flatnonzero(found >= least)  # more than `count`, if some equal the least
    return [int(each) for each in indices[np.argsort(-found[indices], kind="stable")][:count]]


class Candidates:
    """All tokens with their scores, in the form that llama.cpp's samplers take.

    Args:
        size: of the vocabulary.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.weights = Weights(size)
        self._array = native.llama_token_data_array()
        self.reference = ctypes.byref(self._array)

    @cached_property
    def _data(self) -> "NDArray[np.void]":
        import numpy as np

        return np.zeros(self.size, np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)]))

    def load(self, pointer: Any, added: dict[int, float]) -> None:
        """Take the scores of an output, with something added to some tokens'."""
        import numpy as np

        data = self._data
        data["id"] = np.arange(self.size)
        data["logit"] = scores(pointer, self.size)
        for token, value in added.items():
            data["logit"][token] += value
        address = ctypes.c_void_p(data.ctypes.data)
        self._array.data = ctypes.cast(address, native.llama_token_data_p)
        self._array.size, self._array.selected, self._array.sorted = self.size, -1, False

    def any(self) -> bool:
        """Whether any token is possible."""
        return bool(self._data["logit"].max() > -math.inf)

    def selected(self) -> int:
        """The token that a chain of samplers chose."""
        assert 0 <= self._array.selected < self._array.size, "the chain ends with a choice"
        return int(self._array.data[self._array.selected].id)
