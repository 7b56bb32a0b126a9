"""Drawing samples of one prompt."""

import hashlib
from functools import lru_cache

from node.model.batch.jobs import Drawn, Sample
from node.model.errors import PromptTooLong
from node.model.llamacpp.context import Context
from node.model.llamacpp.grammar import gbnf_of
from node.model.llamacpp.sampler import Sampler
from node.model.llamacpp.vocabulary import Vocabulary
from node.model.requests import GenerateRequest, Grammar
from node.model.results import Account, End, Generated
from node.model.serving.steering import added
from node.model.serving.task import Part, Task
from node.model.serving.text import Text

GRAMMARS_KEPT = 64


def sample_seed(seed: int, index: int) -> int:
    """A seed of 32 bits for sample `index`; unrelated for neighbouring seeds and indices."""
    digest = hashlib.sha256(b"moot sample seed" + seed.to_bytes(8, "big") + index.to_bytes(4, "big")).digest()
    return int.from_bytes(digest[:4], "big")


class Drawing:
    """One sample on its way. Its sampler is made when its first token is drawn, so that what waits holds nothing."""

    __slots__ = (
        *("_context", "_gbnf", "_likely", "_piece", "_request", "_sampler", "_seed", "_steer"),
        *("closed", "ended", "length", "logprob", "text"),
    )

    def __init__(
        self,
        context: Context,
        request: GenerateRequest,
        index: int,
        stops: tuple[bytes, ...],
        gbnf: str | None,
        steer: dict[int, float] | None,
    ) -> None:
        self._context = context
        self._request = request
        self._seed = sample_seed(request.sampling.seed, index)
        self._gbnf, self._steer = gbnf, steer
        self._piece = context.model.vocabulary.piece
        self._likely = request.likelihood
        self._sampler: Sampler | None = None
        self.text = Text(stops)
        self.length = 0
        self.logprob = 0.0
        self.ended = End.LENGTH
        self.closed = False
        """Nothing more is drawn."""

    def draw(self, index: int) -> Drawn:
        sampler = self._sampler
        if sampler is None:
            sampler = self._sampler = self._context.sampler(self._request.sampling, self._seed, self._gbnf, self._steer)
        token = sampler.draw(index)
        self.length += 1
        if self._likely:
            self.logprob += self._context.logprob(index, token)
        if self._context.model.vocabulary.is_end(token):
            self.ended = End.MODEL
        elif self.text.add(self._piece(token)):
            self.ended = End.STOP
        else:
            return Drawn(token, False)
        self.close()
        return Drawn(token, True)

    def read(self, index: int, token: int) -> None:
        raise AssertionError("a sample is drawn")

    def end(self, index: int) -> None:
        raise AssertionError("a sample is drawn")

    def look(self, index: int) -> None:
        raise AssertionError("a sample is drawn")

    def close(self) -> None:
        self.closed = True
        if self._sampler is not None:
            self._sampler.close()


class Generating:
    """Makes tasks of requests for texts.

    Args:
        cells: of the cache; a request whose samples need more becomes several jobs, one after another.
    """

    def __init__(self, context: Context, cells: int) -> None:
        self._context = context
        self._cells = cells
        self._gbnf = lru_cache(GRAMMARS_KEPT)(_gbnf)

    def task(self, number: int, request: GenerateRequest, *, streams: bool) -> Task:
        """Raises PromptTooLong and GrammarInvalid."""
        vocabulary, context_length = self._context.model.vocabulary, self._context.model.context_length
        prompt = tuple(vocabulary.prompt(request.prompt, raw=request.raw, written=request.written))
        tokens_max = min(request.tokens_max, context_length - len(prompt))
        if tokens_max < 1:
            raise PromptTooLong(len(prompt), context_length - 1)
        gbnf = None if request.grammar is None else self._gbnf(request.grammar, vocabulary)
        steer = added(request, vocabulary) if request.steer else None
        stops = tuple(stop.encode("utf-8", "replace") for stop in request.stop)
        drawings = [Drawing(self._context, request, index, stops, gbnf, steer) for index in range(request.samples)]
        at_once = max(1, (self._cells - len(prompt)) // tokens_max)
        parts = [
            Part(prompt, (Sample(tokens_max),) * len(some), tuple(some))
            for some in (drawings[start : start + at_once] for start in range(0, len(drawings), at_once))
        ]

        def result(account: Account) -> Generated:
            return Generated(
                texts=tuple([drawing.text.whole() for drawing in drawings]),
                ends=tuple([drawing.ended for drawing in drawings]),
                account=account,
                logprobs=tuple([drawing.logprob for drawing in drawings]) if request.likelihood else (),
                lengths=tuple([drawing.length for drawing in drawings]),
            )

        def news() -> list[tuple[int, str]]:
            found = [
                (index, drawing.text.news(last=drawing.closed or drawing.length == tokens_max))
                for index, drawing in enumerate(drawings)
            ]
            return [(index, text) for index, text in found if text]

        return Task(number, request, parts, result, news if streams else None)


def _gbnf(grammar: Grammar, vocabulary: Vocabulary) -> str:
    return gbnf_of(grammar, vocabulary)
