"""Reading how likely given continuations are, or which tokens are the likeliest next."""

from collections.abc import Callable, Sequence

from node.model.batch.jobs import Drawn, Follow
from node.model.errors import ModelFailed, PromptTooLong
from node.model.llamacpp.context import Context
from node.model.requests import NextRequest, ScoreRequest
from node.model.results import Account, NextToken, NextTokens, Score, Scored
from node.model.serving.task import Part, Task


class Reading:
    """One continuation while its tokens are read."""

    __slots__ = ("_context", "logprob", "tokens")

    def __init__(self, context: Context) -> None:
        self._context = context
        self.logprob = 0.0
        self.tokens = 0

    def draw(self, index: int) -> Drawn:
        raise AssertionError("a continuation is read")

    def read(self, index: int, token: int) -> None:
        self.logprob += self._context.logprob(index, token)
        self.tokens += 1

    def end(self, index: int) -> None:
        self.logprob += self._context.ends_logprob(index)
        self.tokens += 1

    def look(self, index: int) -> None:
        raise AssertionError("a continuation is read")

    def close(self) -> None:
        pass


class Look:
    """Something done with the output after a prompt."""

    __slots__ = ("look",)

    def __init__(self, look: Callable[[int], None]) -> None:
        self.look = look

    def draw(self, index: int) -> Drawn:
        raise AssertionError("nothing is drawn")

    def read(self, index: int, token: int) -> None:
        raise AssertionError("no continuation is read")

    def end(self, index: int) -> None:
        raise AssertionError("no continuation is read")

    def close(self) -> None:
        pass


class Scoring:
    """Makes tasks of requests for likelihoods.

    Args:
        cells: of the cache; a request whose continuations need more becomes several jobs.
    """

    def __init__(self, context: Context, cells: int) -> None:
        self._context = context
        self._cells = cells

    def score(self, number: int, request: ScoreRequest) -> Task:
        """Raises PromptTooLong, and ModelFailed for what cannot be told apart or spelled."""
        plain = self._context.model.vocabulary.plain
        continuations = [tuple(plain(text)) for text in request.continuations]
        if not all(continuations):
            raise ModelFailed("the model's vocabulary can spell nothing of a continuation")
        if request.first_only:
            self._check_first(request, continuations)
        messages = [request.prompt, ""] if request.calibrated else [request.prompt]
        prompts = [self._prompt(request, message, continuations) for message in messages]
        readings = [[Reading(self._context) for _ in continuations] for _ in prompts]
        parts: list[Part] = []
        for prompt, row in zip(prompts, readings, strict=True):
            if request.first_only:
                parts.append(self._first_tokens(prompt, row, continuations))
            else:
                parts += self._whole(prompt, row, continuations, closed=request.closed)

        def result(account: Account) -> Scored:
            plain, *empty = readings
            return Scored(
                tuple(
                    Score(one.logprob, one.tokens, empty[0][index].logprob if empty else None)
                    for index, one in enumerate(plain)
                ),
                account,
            )

        return Task(number, request, parts, result)

    def _prompt(self, request: ScoreRequest, message: str, continuations: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
        model = self._context.model
        prompt = tuple(model.vocabulary.prompt(message, raw=request.raw, written=request.written))
        longest = max(map(len, continuations))
        if len(prompt) + longest > model.context_length:
            raise PromptTooLong(len(prompt) + longest, model.context_length)
        return prompt

    def _check_first(self, request: ScoreRequest, continuations: Sequence[tuple[int, ...]]) -> None:
        if len({tokens[0] for tokens in continuations}) < len(continuations):
            raise ModelFailed("two continuations begin with the same token; ask without first_only")
        if request.closed:
            raise ModelFailed("where a continuation ends is not in its first token; ask without first_only or closed")

    def _first_tokens(
        self, prompt: tuple[int, ...], row: list[Reading], continuations: Sequence[tuple[int, ...]]
    ) -> Part:
        def look(index: int) -> None:
            for reading, tokens in zip(row, continuations, strict=True):
                reading.read(index, tokens[0])

        return Part(prompt, (), (Look(look),))

    def _whole(
        self, prompt: tuple[int, ...], row: list[Reading], continuations: Sequence[tuple[int, ...]], *, closed: bool
    ) -> list[Part]:
        """As many continuations in one part as fit into the cache together."""
        parts: list[Part] = []
        follows: list[Follow] = []
        start = room = 0
        for index, tokens in enumerate(continuations):
            follow = Follow(tokens, closed)
            if not follows or follow.cells > room:
                if follows:
                    parts.append(Part(prompt, tuple(follows), tuple(row[start:index])))
                follows, start, room = [], index, self._cells - len(prompt)
            follows.append(follow)
            room -= follow.cells
        parts.append(Part(prompt, tuple(follows), tuple(row[start:])))
        return parts

    def next_tokens(self, number: int, request: NextRequest) -> Task:
        """Raises PromptTooLong."""
        context, vocabulary = self._context, self._context.model.vocabulary
        prompt = tuple(vocabulary.prompt(request.prompt, raw=request.raw, written=request.written))
        found: list[NextToken] = []

        def look(index: int) -> None:
            for token, logprob in context.top(index, min(request.top, vocabulary.size)):
                ends = vocabulary.is_end(token)
                found.append(NextToken(token, b"" if ends else vocabulary.piece(token), logprob, ends))

        part = Part(prompt, (), (Look(look),))
        return Task(number, request, [part], lambda account: NextTokens(tuple(found), account))
