"""What may be asked of a model: texts, likelihoods, next tokens, embeddings. Whatever runs it, these are the words."""

from dataclasses import dataclass, field

SAMPLES_MAX = 64
TOKENS_MAX = 4_096
"""Of one sample. A longer answer is no vote."""
STOPS_MAX, STOP_LENGTH_MAX = 8, 64
CONTINUATIONS_MAX = 64
TOP_MAX = 1_024
GRAMMAR_LENGTH_MAX = 65_536
CALLER_LENGTH_MAX = 128
TEXTS_MAX = 64
TEMPERATURE_MAX = 10.0


def _check(name: str, value: float, smallest: float, largest: float) -> None:
    if not smallest <= value <= largest:
        raise ValueError(f"{name} is {value}; choose {smallest} to {largest}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are drawn. In this order: top_k, top_p, min_p, temperature.

    Args:
        temperature: 0 is greedy; then nothing else matters.
        top_k: only the k likeliest tokens; 0 for all.
        top_p: only the likeliest tokens that together reach this probability; 1 for all.
        min_p: only tokens at least this likely, as a share of the likeliest; 0 for all.
        seed: any integer of 64 bits; sample i draws from a generator of its own, seeded by (seed, i). Equal seeds need
            not give equal texts on another machine or beside other requests.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        _check("temperature", self.temperature, 0, TEMPERATURE_MAX)
        _check("top_k", self.top_k, 0, 2**31 - 1)
        _check("top_p", self.top_p, 0, 1)
        _check("min_p", self.min_p, 0, 1)
        _check("seed", self.seed, 0, 2**64 - 1)


GREEDY = Sampling()


@dataclass(frozen=True, slots=True)
class Grammar:
    """What an answer must look like.

    Args:
        kind: "gbnf" (llama.cpp's grammars) or "json_schema".
        text: the grammar, or the schema as JSON.
    """

    kind: str
    text: str

    def __post_init__(self) -> None:
        if self.kind not in ("gbnf", "json_schema"):
            raise ValueError(f"a grammar of kind {self.kind!r}; choose gbnf or json_schema")
        _check("length of the grammar", len(self.text), 1, GRAMMAR_LENGTH_MAX)


@dataclass(frozen=True, slots=True)
class AdapterUse:
    """One LoRA adapter for one request. Several add up.

    Args:
        digest: SHA-256 of the adapter's file, 32 bytes; it was added to the engine before.
        scale: 1 is as trained; 0 is without.
    """

    digest: bytes
    scale: float = 1.0

    def __post_init__(self) -> None:
        _check("length of the adapter's digest", len(self.digest), 32, 32)
        _check("scale", self.scale, -100, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What all requests have.

    Args:
        adapters: to be applied, at most one use of each.
        caller: whose request it is; the model's time is shared fairly between callers.
        deadline_ms: after so long the request fails with ModelTimeout and its place is free; None for the engine's own.
    """

    adapters: tuple[AdapterUse, ...] = ()
    caller: str = ""
    deadline_ms: int | None = None

    def __post_init__(self) -> None:
        _check("length of caller", len(self.caller), 0, CALLER_LENGTH_MAX)
        if self.deadline_ms is not None:
            _check("deadline_ms", self.deadline_ms, 1, 86_400_000)
        if len({use.digest for use in self.adapters}) < len(self.adapters):
            raise ValueError("an adapter is named twice; add the scales")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompted(Common):
    """A request about what follows a prompt.

    Args:
        prompt: the bare user message. A model with a chat template gets it rendered as one user turn; one without gets
            it followed by a newline.
        raw: give the prompt to the model as it is, with no template and no newline.
        written: the beginning of the model's answer, which it is to go on from.
    """

    prompt: str
    raw: bool = False
    written: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest(Prompted):
    """Several independent samples of one prompt, which is evaluated once.

    Args:
        samples: how many texts to draw.
        tokens_max: of each sample. The model's context length may end it earlier.
        stop: texts that end a sample and are left out of it.
        grammar: None for free text.
        likelihood: also report how likely the model found each sample.
        steer: a distribution from outside for the first token of each sample, as (text, log-probability) of possible
            next tokens: it is added, `steer_weight` times, to the model's own log-probabilities of those tokens, and
            the model's other tokens get `steer_weight` times the least of them.
    """

    samples: int = 1
    tokens_max: int = 256
    sampling: Sampling = GREEDY
    stop: tuple[str, ...] = ()
    grammar: Grammar | None = None
    likelihood: bool = False
    steer: tuple[tuple[bytes, float], ...] = ()
    steer_weight: float = 1.0

    def __post_init__(self) -> None:
        Common.__post_init__(self)
        _check("samples", self.samples, 1, SAMPLES_MAX)
        _check("tokens_max", self.tokens_max, 1, TOKENS_MAX)
        _check("number of stops", len(self.stop), 0, STOPS_MAX)
        for stop in self.stop:
            _check("length of a stop", len(stop), 1, STOP_LENGTH_MAX)
        _check("number of steered tokens", len(self.steer), 0, TOP_MAX)
        _check("steer_weight", self.steer_weight, 0, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRequest(Prompted):
    """How likely each of several continuations is after the prompt, which is evaluated once.

    Args:
        continuations: texts.
        closed: also count the probability that the answer ends after the continuation.
        calibrated: also report each continuation's likelihood after an empty prompt.
        first_only: read one forward pass only: the probability of each continuation's first token. For options whose
            first tokens differ; refused otherwise.
    """

    continuations: tuple[str, ...]
    closed: bool = False
    calibrated: bool = False
    first_only: bool = False

    def __post_init__(self) -> None:
        Common.__post_init__(self)
        _check("number of continuations", len(self.continuations), 1, CONTINUATIONS_MAX)
        if not all(self.continuations):
            raise ValueError("a continuation is empty; leave it out")


@dataclass(frozen=True, slots=True, kw_only=True)
class NextRequest(Prompted):
    """The likeliest next tokens after the prompt and what is `written` of the answer.

    Args:
        top: how many.
    """

    top: int = 20

    def __post_init__(self) -> None:
        Common.__post_init__(self)
        _check("top", self.top, 1, TOP_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedRequest(Common):
    """A vector for each text: the mean over its tokens, of length 1."""

    texts: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        Common.__post_init__(self)
        _check("number of texts", len(self.texts), 1, TEXTS_MAX)
