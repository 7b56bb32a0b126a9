"""What a person wants of a model, before anything of it is checked or a model is loaded."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the options say, as it was given: nothing is checked yet."""

    samples: int
    tokens: int
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    seed: int
    stops: tuple[str, ...]
    schema: Path | None
    grammar: Path | None
    likelihood: bool
    options: tuple[str, ...]
    closed: bool
    calibrated: bool
    next_tokens: int | None
    written: str
    raw: bool
    adapters: tuple[str, ...]
    as_json: bool
