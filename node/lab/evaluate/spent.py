"""What answers cost: forward passes, tokens, seconds, and tokens times the size of the model they went through."""

from collections.abc import Iterable
from dataclasses import dataclass

from node.model.results import Account


@dataclass(frozen=True, slots=True)
class Spent:
    """Of one request, or of many together.

    Args:
        prompt_tokens: evaluated, once however many samples share them.
        cached_tokens: of prompts, found evaluated already; they cost nothing.
        seconds: of the clock, requests that were under way together having equal parts.
        work: tokens that were evaluated or generated, each times the parameters of its model.
    """

    forward_passes: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0
    seconds: float = 0.0
    work: int = 0

    @property
    def tokens(self) -> int:
        """What two ways to answer are made equal in."""
        return self.prompt_tokens + self.generated_tokens

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.forward_passes + other.forward_passes,
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.generated_tokens + other.generated_tokens,
            self.seconds + other.seconds,
            self.work + other.work,
        )


def spent_on(account: Account, seconds: float, parameters: int) -> Spent:
    return Spent(
        account.forward_passes,
        account.prompt_tokens,
        account.cached_tokens,
        account.generated_tokens,
        seconds,
        (account.prompt_tokens + account.generated_tokens) * parameters,
    )


def total(all_spent: Iterable[Spent]) -> Spent:
    return sum(all_spent, Spent())
