"""The texts of one request, put together from whole answers or from the pieces of streams."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from node.model.remote.replies import CHARACTERS_PER_TOKEN_MAX, Choice, TokenRead, Wrong
from node.model.requests import GenerateRequest
from node.model.results import Account, End, Generated, Piece


@dataclass(slots=True)
class Text:
    """One sample as it grows. Stop texts are looked for here too: not every server leaves them out."""

    request: GenerateRequest
    text: str = ""
    end: End | None = None
    tokens: list[TokenRead] = field(default_factory=list)
    says_tokens: bool = True
    """Of all of its text."""
    told: int = 0
    """Characters that were given on."""

    def add(self, choice: Choice) -> str:
        """Take a piece in; what of the text can be given on now. Raises Wrong if it is more than was allowed."""
        if self.end is not None:
            return ""
        self.text += choice.text
        if len(self.text) > self.request.tokens_max * CHARACTERS_PER_TOKEN_MAX:
            raise Wrong(f"sends a text too long to be {self.request.tokens_max} tokens")
        if choice.tokens is not None:
            self.tokens += [token for token in choice.tokens if token is not None]
        elif choice.text:
            self.says_tokens = False
        if len(self.tokens) > self.request.tokens_max + 1:  # some count the one that ends the text
            raise Wrong(f"sends more than {self.request.tokens_max} tokens")
        self.end = choice.end
        places = [self.text.find(stop) for stop in self.request.stop]
        if found := [place for place in places if place >= 0]:
            self.text, self.end = self.text[: min(found)], End.STOP
        held = 0 if self.end else max(map(len, self.request.stop), default=1) - 1
        given = self.text[self.told : max(self.told, len(self.text) - held)]
        self.told += len(given)
        return given

    @property
    def logprob(self) -> float:
        return sum(token.likely.logprob for token in self.tokens)


@dataclass(slots=True)
class Texts:
    """All samples of a request. `tell` gets each piece that a stream brings."""

    request: GenerateRequest
    tell: Callable[[Piece], None] | None = None
    samples: list[Text] = field(init=False)

    def __post_init__(self) -> None:
        self.samples = [Text(self.request) for _ in range(self.request.samples)]

    def add(self, choice: Choice, samples: Sequence[int]) -> None:
        """A piece of the text that is the sample, or the equal samples, of these numbers."""
        for sample in samples:
            if (given := self.samples[sample].add(choice)) and self.tell is not None:
                self.tell(Piece(sample, given))

    def missing(self) -> list[int]:
        return [number for number, text in enumerate(self.samples) if text.end is None]

    def generated(self, account: Account) -> Generated:
        likelihood = self.request.likelihood
        return Generated(
            tuple(text.text for text in self.samples),
            tuple(text.end or End.MODEL for text in self.samples),
            account,
            tuple(text.logprob for text in self.samples) if likelihood else (),
            tuple(len(text.tokens) for text in self.samples) if likelihood else (),
        )
