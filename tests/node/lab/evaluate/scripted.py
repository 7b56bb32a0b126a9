"""Engines that answer by script and count like a real one, for tests of what is made of answers."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from coordinator.records import AnswerKind
from node.lab.evaluate.case import Case, Draw
from node.lab.evaluate.items import Item, make_item
from node.lab.evaluate.spent import Spent
from node.model.engine import Ability, AdapterInfo, Engine, ModelInfo
from node.model.errors import ModelDied
from node.model.requests import EmbedRequest, GenerateRequest, NextRequest, ScoreRequest
from node.model.results import Account, Embedded, End, Generated, NextTokens, Piece, Score, Scored

Script = Callable[[GenerateRequest], Sequence[str]]
"""A text for each sample. Raising ModelError fails the request."""


class Scripted:
    """Every character is a token; a prompt is evaluated once per request."""

    def __init__(
        self, name: str, script: Script, parameters: int = 1_000, *, scores: bool = True, size_bytes: int = 1
    ) -> None:
        self.name, self.script, self.parameters, self.size_bytes = name, script, parameters, size_bytes
        self.asked: list[GenerateRequest | ScoreRequest] = []
        self.accounts: list[Account] = []
        self.closed = 0
        self._abilities = frozenset(Ability) - (frozenset() if scores else {Ability.SCORE})

    async def generate(self, request: GenerateRequest) -> Generated:
        self.asked.append(request)
        texts = tuple(self.script(request))
        assert len(texts) == request.samples
        lengths = tuple(len(text) + 1 for text in texts)
        account = Account(
            forward_passes=max(lengths), prompt_tokens=len(request.prompt), generated_tokens=sum(lengths), model_us=5
        )
        self.accounts.append(account)
        return Generated(texts, (End.MODEL,) * len(texts), account, (), lengths)

    async def score(self, request: ScoreRequest) -> Scored:
        """It finds what it would write itself likely."""
        self.asked.append(request)
        mine = self.script(GenerateRequest(prompt=request.prompt))[0]
        scores = tuple(Score(-0.1 if text == mine else -9.0, len(text)) for text in request.continuations)
        tokens = sum(map(len, request.continuations))
        self.accounts.append(Account(forward_passes=1, prompt_tokens=len(request.prompt), generated_tokens=tokens))
        return Scored(scores, self.accounts[-1])

    def stream(self, request: GenerateRequest) -> AsyncIterator[Piece | Generated]:
        raise AssertionError("nobody streams here")

    async def next_tokens(self, request: NextRequest) -> NextTokens:
        raise AssertionError("nobody asks for tokens here")

    async def embed(self, request: EmbedRequest) -> Embedded:
        raise AssertionError("nobody embeds here")

    async def add_adapter(self, path: Path) -> AdapterInfo:
        return AdapterInfo(hashlib.sha256(path.name.encode()).digest(), path.name, 1)

    async def drop_adapter(self, digest: bytes) -> None:
        raise AssertionError("nobody drops adapters here")

    async def describe(self) -> ModelInfo:
        digest = hashlib.sha256(self.name.encode()).digest()
        return ModelInfo(self.name, "scripted", self.parameters, 256, digest, self.size_bytes, self._abilities)

    async def close(self) -> None:
        self.closed += 1


class Silent:
    """Hears what begins, and counts the parts of steps."""

    def __init__(self) -> None:
        self.parts = 0
        self.begun: list[tuple[str, int]] = []
        self.complete: list[int] = []

    def begins(self, what: str, steps: int, parts: int = 1) -> Callable[[], None]:
        self.begun.append((what, steps * parts))

        def tick() -> None:
            self.parts += 1

        return tick

    def completed(self, questions: int) -> None:
        self.complete.append(questions)


class Shelf:
    """Scripted models by the names that people call them; notes who is open at the same time."""

    def __init__(self, *engines: Scripted) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self.opened: list[str] = []
        self.open_max = 0

    async def open_model(self, model: str) -> Engine:
        if model not in self._engines:
            raise ModelDied(f"no model {model}")
        self.opened.append(model)
        now_open = len(self.opened) - sum(engine.closed for engine in self._engines.values())
        self.open_max = max(self.open_max, now_open)
        return self._engines[model]


def always(answer: str) -> Script:
    return lambda request: [answer] * request.samples


def item(right: str = "7", group: str = "sums", text: str = "what is 3 + 4?") -> Item:
    return make_item(text, AnswerKind.NUMBER, (), right, group)


def drew(*answers: str | None, tokens: int = 3) -> Draw:
    """Samples that cost as many tokens each, after a prompt of ten."""
    texts = tuple(answer or "no idea" for answer in answers)
    spent = Spent(tokens, 10, 0, tokens * len(answers), 0.5, 0)
    return Draw(texts, answers, (tokens,) * len(answers), spent)


def case(*draws: Draw, right: str = "7", group: str = "sums", sizes: tuple[int, ...] = ()) -> Case:
    return Case(item(right, group), draws, sizes=sizes or (1_000,) * len(draws))
