"""What a model gives back: texts, likelihoods, next tokens, embeddings, each with its exact account."""

from dataclasses import dataclass
from enum import Enum

from coordinator.records import Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one request took, as the model's runtime counted it. Where a server does not say, a count is 0.

    Args:
        forward_passes: in which the request took part; other requests may have been in the same ones.
        prompt_tokens: of the prompt, evaluated for this request, once however many samples share them.
        cached_tokens: of the prompt, found evaluated already.
        generated_tokens: sampled, among them the one that ended a sample; for scores, the continuations' tokens.
        decoded_tokens: all that were given to a forward pass for this request. Over all requests they add up to what
            llama.cpp counted.
        waited_us: microseconds from the request to its first forward pass.
        model_us: microseconds from there to the result.
    """

    forward_passes: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0
    decoded_tokens: int = 0
    waited_us: int = 0
    model_us: int = 0

    def cost(self) -> Cost:
        """As the ledger counts it."""
        return Cost(self.forward_passes, self.prompt_tokens, self.generated_tokens, self.model_us)


class End(Enum):
    """Why a sample ended."""

    MODEL = "model"
    """The model ended its answer."""
    STOP = "stop"
    """A stop text."""
    LENGTH = "length"
    """tokens_max or the context."""


@dataclass(frozen=True, slots=True)
class Generated:
    """One text per sample, in the order of the samples.

    Args:
        logprobs: of each sample's tokens together, natural logarithm, at temperature 1 and without a grammar; empty
            unless asked for.
        lengths: tokens of each sample.
    """

    texts: tuple[str, ...]
    ends: tuple[End, ...]
    account: Account
    logprobs: tuple[float, ...] = ()
    lengths: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one sample, while it is being generated."""

    sample: int
    text: str


@dataclass(frozen=True, slots=True)
class Score:
    """How likely a continuation is.

    Args:
        logprob: of all its tokens together, natural logarithm.
        tokens: how many were counted.
        unconditional: the same after an empty prompt; None unless asked for.
    """

    logprob: float
    tokens: int
    unconditional: float | None = None

    @property
    def mean(self) -> float:
        """Per token, so that long continuations are not punished for being long."""
        return self.logprob / self.tokens

    @property
    def calibrated(self) -> float:
        """How much the prompt makes it likelier, so that common words gain nothing by being common.

        Source: Holtzman et al., Surface Form Competition (EMNLP 2021), domain-conditional PMI.
        """
        assert self.unconditional is not None, "was not asked for"
        return self.logprob - self.unconditional


@dataclass(frozen=True, slots=True)
class Scored:
    """One score per continuation, in their order."""

    scores: tuple[Score, ...]
    account: Account


@dataclass(frozen=True, slots=True)
class NextToken:
    """A possible next token.

    Args:
        text: its bytes, perhaps a part of a character; empty for the end of the answer.
        logprob: natural logarithm, over the whole vocabulary, at temperature 1.
    """

    token: int
    text: bytes
    logprob: float
    ends: bool


@dataclass(frozen=True, slots=True)
class NextTokens:
    """The likeliest next tokens, likeliest first."""

    tokens: tuple[NextToken, ...]
    account: Account


@dataclass(frozen=True, slots=True)
class Embedded:
    """One vector per text, each of length 1."""

    vectors: tuple[tuple[float, ...], ...]
    account: Account
