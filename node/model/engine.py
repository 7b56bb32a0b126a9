"""What a node asks of a local model, whatever runs it: requests, results and the errors that people read."""

from dataclasses import dataclass
from typing import Protocol

from coordinator.records import SAMPLES_MAX, Cost

TEMPERATURE_MILLI_MAX = 10_000
TOKENS_MAX = 4_096
"""Of one sample. A longer answer is no vote."""
STOP_LENGTH_MAX = 64


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


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How a model is loaded."""

    context_length: int = 2_048
    """Tokens of prompt and answer together; lowered to what the model was trained for."""
    threads: int = 1
    """Per forward pass. More help large models on idle processors only: the threads wait for each other in every layer,
    and two of them on two busy processors took several times as long as one."""

    def __post_init__(self) -> None:
        if not 16 <= self.context_length <= 1_048_576:
            raise ValueError(f"context_length is {self.context_length}; choose 16 to 1048576")
        if not 1 <= self.threads <= 512:
            raise ValueError(f"threads is {self.threads}; choose 1 to 512")


class Engine(Protocol):
    """Anything that can answer prompts: llama.cpp here, another server elsewhere, a script in tests."""

    async def generate(self, request: GenerateRequest) -> Generated:
        """Draw the samples. Raises ModelError; then this node has no answer, and says so."""
        ...

    async def describe(self) -> ModelInfo: ...

    async def close(self) -> None:
        """Free everything. What was waiting fails with ModelError. May be called again."""
        ...
