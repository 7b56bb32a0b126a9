"""What a node asks of a model, whatever runs it, and what it is told about the model."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from node.model.requests import EmbedRequest, GenerateRequest, NextRequest, ScoreRequest
from node.model.results import Embedded, Generated, NextTokens, Piece, Scored

PARALLEL_MAX = 128
"""Of LoadSettings: llama.cpp keeps up to 256 sequences, and earlier prompts need some."""


class Ability(Enum):
    """What an engine may be able to do. Without it a request raises AbilityMissing."""

    SAMPLE = "sample"
    STREAM = "stream"
    """Texts piece by piece, while they are generated."""
    LIKELIHOOD = "likelihood"
    """How likely the model found what it generated."""
    SCORE = "score"
    """How likely the model finds given texts."""
    NEXT = "next"
    """The likeliest next tokens."""
    GRAMMAR = "grammar"
    ADAPTERS = "adapters"
    EMBED = "embed"
    STEER = "steer"
    """A distribution from outside for the first token."""


@dataclass(frozen=True, slots=True)
class AdapterInfo:
    """A LoRA adapter that requests may use.

    Args:
        digest: SHA-256 of its file, 32 bytes.
    """

    digest: bytes
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The model behind an engine."""

    name: str
    architecture: str
    parameters: int
    context_length: int
    """Tokens that prompt and answer may have together, as set here; the model itself may allow more."""
    digest: bytes
    """SHA-256 of the file, 32 bytes."""
    size_bytes: int
    abilities: frozenset[Ability] = frozenset()
    adapters: tuple[AdapterInfo, ...] = ()
    """Those that were added, in that order."""
    parallel: int = 1
    """Samples that are generated at once; those of further requests wait."""

    @property
    def weights(self) -> bytes:
        """What answers when all adapters are used: the file's digest, or one of the file's and the adapters'."""
        if not self.adapters:
            return self.digest
        digests = [self.digest, *sorted(adapter.digest for adapter in self.adapters)]
        return sha256(b"moot model with adapters" + b"".join(digests)).digest()


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How a model is loaded."""

    context_length: int = 2_048
    """Tokens of prompt and answer together, for each request; lowered to what the model was trained for."""
    threads: int = 1
    """Per forward pass. More help large models on idle processors only: the threads wait for each other in every layer,
    and two of them on two busy processors took several times as long as one."""
    parallel: int = 32
    """Samples that are generated at once."""
    cache_mib: int = 256
    """Memory for what was evaluated: the texts under way, and earlier prompts that may come again. Never less than two
    requests of full length take."""
    gpu_layers: int = 0
    """Layers that run on a graphics processor, where llama.cpp was built for one."""

    def __post_init__(self) -> None:
        for name, value, smallest, largest in (
            ("context_length", self.context_length, 16, 1_048_576),
            ("threads", self.threads, 1, 512),
            ("parallel", self.parallel, 1, PARALLEL_MAX),
            ("cache_mib", self.cache_mib, 1, 1_048_576),
            ("gpu_layers", self.gpu_layers, 0, 10_000),
        ):
            if not smallest <= value <= largest:
                raise ValueError(f"{name} is {value}; choose {smallest} to {largest}")


class Engine(Protocol):
    """Anything that can answer prompts: llama.cpp here, another server elsewhere, a script in tests.

    Many requests may be under way at once. A caller may give up at any time by cancelling; what its request held is
    then free for others. All raise ModelError; then this node has no answer, and says so.
    """

    async def generate(self, request: GenerateRequest) -> Generated: ...

    def stream(self, request: GenerateRequest) -> AsyncIterator[Piece | Generated]:
        """As generate, with each sample's text as it grows; the last item is the whole result."""
        ...

    async def score(self, request: ScoreRequest) -> Scored: ...

    async def next_tokens(self, request: NextRequest) -> NextTokens: ...

    async def embed(self, request: EmbedRequest) -> Embedded: ...

    async def add_adapter(self, path: Path) -> AdapterInfo:
        """Load a LoRA adapter for requests to use. Adding the same file again changes nothing."""
        ...

    async def drop_adapter(self, digest: bytes) -> None:
        """Free an adapter once no request uses it any more. Later requests with it fail."""
        ...

    async def describe(self) -> ModelInfo: ...

    async def close(self) -> None:
        """Free everything. What was under way fails with ModelError. May be called again."""
        ...
