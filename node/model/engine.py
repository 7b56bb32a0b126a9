"""What a node asks of a model, whatever runs it, and what it is told about the model."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from coordinator.records import SAMPLES_MAX, Cost
from node.model import requests, results

TEMPERATURE_MILLI_MAX = 10_000
TOKENS_MAX = 4_096
"""Of one sample. A longer answer is no vote."""
STOP_LENGTH_MAX = 64
PARALLEL_MAX = 128
"""Of LoadSettings: llama.cpp keeps up to 256 sequences, and earlier prompts need some."""


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """Several independent samples of one prompt.

    Args:
        prompt: the bare user message. A model with a chat template gets it rendered as one user turn; one without gets
            it followed by a newline.
        samples: how many texts to draw.
        temperature_milli: thousandths; 0 is greedy, and then all samples are equal.
        seed: any integer of 64 bits; sample i draws from a generator of its own, seeded by (seed, i). Equal seeds need
            not give equal texts on another machine or with another number of samples.
        tokens_max: of each sample. The model's context length may end it earlier.
        stop: text that ends a sample and is left out of it; empty for none.
    """

    prompt: str
    samples: int
    temperature_milli: int
    seed: int
    tokens_max: int
    stop: str

    def __post_init__(self) -> None:
        for name, value, smallest, largest in (
            ("samples", self.samples, 1, SAMPLES_MAX),
            ("temperature_milli", self.temperature_milli, 0, TEMPERATURE_MILLI_MAX),
            ("seed", self.seed, 0, 2**64 - 1),
            ("tokens_max", self.tokens_max, 1, TOKENS_MAX),
            ("length of stop", len(self.stop), 0, STOP_LENGTH_MAX),
        ):
            if not smallest <= value <= largest:
                raise ValueError(f"{name} is {value}; choose {smallest} to {largest}")


@dataclass(frozen=True, slots=True)
class Generated:
    """The texts, one per sample in the order of the samples, and what they cost together.

    The cost counts: forward passes, one per call of llama.cpp's decode; prompt tokens evaluated, once however many
    samples share them; tokens sampled, among them the one that ended a sample; microseconds from request to result.
    """

    texts: tuple[str, ...]
    cost: Cost


class SerialEngine(Protocol):
    """An engine that serves one request at a time."""

    async def generate(self, request: GenerateRequest) -> Generated: ...

    async def describe(self) -> "ModelInfo": ...

    async def close(self) -> None: ...


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

    async def generate(self, request: requests.GenerateRequest) -> results.Generated: ...

    def stream(self, request: requests.GenerateRequest) -> AsyncIterator[results.Piece | results.Generated]:
        """As generate, with each sample's text as it grows; the last item is the whole result."""
        ...

    async def score(self, request: requests.ScoreRequest) -> results.Scored: ...

    async def next_tokens(self, request: requests.NextRequest) -> results.NextTokens: ...

    async def embed(self, request: requests.EmbedRequest) -> results.Embedded: ...

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
