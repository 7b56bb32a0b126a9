"""What a model's process has done since it started."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over all requests, and the same as llama.cpp counted them.

    Args:
        requests: that were answered.
        failed: that ended with an error, or were given up.
        forward_passes: each counted once, however many requests took part.
        decoded_tokens: that were given to forward passes, by our plans.
        generated_tokens: sampled.
        cached_tokens: of prompts, found evaluated already.
        native_tokens: decoded tokens as llama.cpp counted them.
        waiting, running: requests, at this moment.
    """

    requests: int = 0
    failed: int = 0
    forward_passes: int = 0
    decoded_tokens: int = 0
    generated_tokens: int = 0
    cached_tokens: int = 0
    native_tokens: int = 0
    waiting: int = 0
    running: int = 0

    def values(self) -> tuple[int, ...]:
        return astuple(self)
