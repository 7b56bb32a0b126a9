"""Vectors for texts, a few texts at a time, so that those who generate wait no longer than for a long prompt."""

import time
from collections import deque
from dataclasses import dataclass, field
from itertools import accumulate

from node.model.errors import ModelError
from node.model.llamacpp.embedding import Embedder
from node.model.llamacpp.model import Model
from node.model.requests import EmbedRequest
from node.model.results import Account, Embedded
from node.model.serving.adapters import Uses

CHARACTERS_AT_ONCE = 2_048
"""Of one slice, but at least one text."""


@dataclass(slots=True, eq=False)
class Embedding:
    """One request on its way."""

    number: int
    request: EmbedRequest
    uses: Uses
    arrived_ns: int = field(default_factory=time.perf_counter_ns)
    first_ns: int = 0
    vectors: list[tuple[float, ...]] = field(default_factory=list)
    tokens: int = 0
    passes: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """Over all requests, also those that failed or were given up. Tokens as we and as llama.cpp counted them."""

    passes: int = 0
    tokens: int = 0
    native_tokens: int = 0


class Embeddings:
    """Requests wait here for each other, a slice of the first in each turn, then of the next."""

    def __init__(self, model: Model, threads: int) -> None:
        self._model, self._threads = model, threads
        self._embedder: Embedder | None = None  # made when first needed: most nodes never need it
        self._waiting: deque[Embedding] = deque()
        self._earlier = Done()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def done(self) -> Done:
        """So far."""
        earlier, now = self._earlier, self._embedder
        if now is None:
            return earlier
        return Done(earlier.passes + now.passes, earlier.tokens + now.tokens, earlier.native_tokens + now.native_tokens)

    @property
    def begun(self) -> int:
        """How many requests have had a turn; the others wait for their first."""
        return sum(embedding.first_ns > 0 for embedding in self._waiting)

    def submit(self, embedding: Embedding) -> None:
        self._waiting.append(embedding)

    def cancel(self, number: int) -> Embedding | None:
        """The request, if it was still under way."""
        found = next((each for each in self._waiting if each.number == number), None)
        if found is not None:
            self._waiting.remove(found)
        return found

    def turn(self) -> tuple[Embedding, Embedded | ModelError | None]:
        """Do one slice of the request whose turn it is. Its result, if that was the last, or what went wrong."""
        embedding = self._waiting.popleft()
        embedding.first_ns = embedding.first_ns or time.perf_counter_ns()
        rest = embedding.request.texts[len(embedding.vectors) :]
        count = max(1, sum(length <= CHARACTERS_AT_ONCE for length in accumulate(map(len, rest))))
        try:
            if self._embedder is None:
                self._embedder = Embedder(self._model, self._threads)
            found = self._embedder.embed(rest[:count], embedding.uses)
        except ModelError as error:
            return embedding, error
        embedding.vectors += found.vectors
        embedding.tokens += found.tokens
        embedding.passes += found.passes
        if count < len(rest):
            self._waiting.append(embedding)
            return embedding, None
        return embedding, Embedded(tuple(embedding.vectors), _account(embedding))

    def close(self) -> None:
        """Free the context; the next request makes it anew. May be called again."""
        self._earlier = self.done
        if self._embedder is not None:
            self._embedder.close()
        self._embedder = None


def _account(embedding: Embedding) -> Account:
    now_ns = time.perf_counter_ns()
    return Account(
        forward_passes=embedding.passes,
        prompt_tokens=embedding.tokens,
        decoded_tokens=embedding.tokens,
        waited_us=(embedding.first_ns - embedding.arrived_ns) // 1_000,
        model_us=(now_ns - embedding.first_ns) // 1_000,
    )
