"""What a usable model file does: it can be loaded, reads texts without loss, and computes what can be right."""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from node.model import gguf_facts
from node.model.checking.steps import Begun, Event, ModelUnsound, Passed
from node.model.engine import LoadSettings
from node.model.llamacpp.adapters import Adapter
from node.model.llamacpp.context import Context
from node.model.llamacpp.model import Model
from node.model.llamacpp.vocabulary import Vocabulary
from node.model.requests import GREEDY

PROMPT = "How many legs do 17 horses have? Think, then answer with a number."
TEXTS = (
    "".join(map(chr, range(32, 127))),
    "3.14159, 1e-9, 007, 1234567890",
    "def f(x):\n    return x  # two  spaces\n\n\tand a tab",
    " a space before and after ",
)
"""Every model can spell these; what a vocabulary has no letters for is left out of them, and said."""
FOREIGN = ("Zażółć gęślą jaźń", "Ελληνικά", "日本語の文章", "العربية", "🙂👩‍🚀")
PROMPT_TOKENS_MAX, ANSWER_TOKENS_MAX = 64, 16
DIFFERENCE_MAX = 0.1
"""Between the distributions of one pass and of many: rounding makes less than a hundredth even with few bits."""

Distribution = list[float]


def checks(path: Path, load: LoadSettings, adapters: Sequence[Path]) -> Iterator[Event]:
    """Check a model, and adapters for it.

    Raises:
        ModelError: it cannot be used; the message says why.
    """
    with ExitStack() as stack:
        yield Begun("load")
        model = Model(path, load)
        stack.callback(model.close)
        template = gguf_facts.template_kind(model.header.values.get("tokenizer.chat_template"))
        yield Passed("load", f"{model.header.tensors} tensors, every weight a number; chat template: {template}")
        yield Begun("tokenizer")
        yield Passed("tokenizer", _round_trip(path, model.vocabulary))
        yield Begun("forward pass")
        tokens = model.vocabulary.prompt(PROMPT)[-min(PROMPT_TOKENS_MAX, model.context_length // 2) :]
        cells = max(2 * model.context_length, 4 * PROMPT_TOKENS_MAX)
        context = Context(model, 2, cells, PROMPT_TOKENS_MAX, load.threads)
        stack.callback(context.close)
        whole = _at_once(path, context, tokens)
        stepwise = _one_by_one(path, context, tokens)
        difference = distance(whole, stepwise)
        if difference > DIFFERENCE_MAX:
            raise ModelUnsound(str(path), f"one pass and {len(tokens)} give other answers, by {difference:.0%}")
        yield Passed("forward pass", f"finite; {len(tokens)} tokens at once and one by one agree to {difference:.1e}")
        yield Begun("answer")
        yield Passed("answer", _answer(path, context, tokens))
        for place in adapters:
            yield Begun(f"adapter {place.name}")
            yield Passed(f"adapter {place.name}", _adapter(model, context, place, tokens, whole))


def _round_trip(path: Path, vocabulary: Vocabulary) -> str:
    """Texts to tokens and back. What a vocabulary has no tokens for is left out when texts are read."""
    tokens = 0
    for text in TEXTS:
        found = vocabulary.plain(text)
        tokens += len(found)
        back = spelled(vocabulary, found)
        if back != text and not is_part(back, text):
            raise ModelUnsound(str(path), f"its tokenizer makes {back!r} of {text!r}")
    letters = sum(map(len, TEXTS))
    missing = "".join(
        letter for letter in dict.fromkeys("".join(TEXTS)) if not spelled(vocabulary, vocabulary.plain(letter))
    )
    unread = [text for text in FOREIGN if spelled(vocabulary, vocabulary.plain(text)) != text]
    said = f"{vocabulary.size:,} tokens; {letters / max(1, tokens):.1f} letters a token"
    if missing:
        said += f"; has none for {missing!r}"
    return said + (f"; does not keep {', '.join(unread)}" if unread else "; keeps other scripts")


def spelled(vocabulary: Vocabulary, tokens: Sequence[int]) -> str:
    return b"".join(map(vocabulary.piece, tokens)).decode("utf-8", "replace")


def is_part(shorter: str, longer: str) -> bool:
    """Whether it is the other text with some letters left out."""
    letters = iter(longer)
    return all(letter in letters for letter in shorter)


def _at_once(path: Path, context: Context, tokens: Sequence[int]) -> Distribution:
    positions = range(len(tokens))
    context.clear()
    context.decode(tokens, positions, [0] * len(tokens), positions)
    for index in positions:
        _finite(path, [context.top(index, 1)[0][1]])
    return _distribution(path, context, len(tokens) - 1)


def _one_by_one(path: Path, context: Context, tokens: Sequence[int]) -> Distribution:
    for position, token in enumerate(tokens):
        context.decode([token], [position], [1], [0])
    return _distribution(path, context, 0)


def _distribution(path: Path, context: Context, index: int) -> Distribution:
    """The probability of each next token."""
    logprobs = context.logprobs_of(index, range(context.model.vocabulary.size))
    _finite(path, logprobs)
    return [math.exp(logprob) for logprob in logprobs]


def _finite(path: Path, logprobs: Sequence[float]) -> None:
    """Minus infinity is the logarithm of a probability: of a token that never comes."""
    if any(math.isnan(logprob) or logprob == math.inf for logprob in logprobs) or max(logprobs) == -math.inf:
        raise ModelUnsound(str(path), "a forward pass gives what is no number; the file is corrupt: fetch it again")


def distance(one: Distribution, other: Distribution) -> float:
    """The largest difference that two distributions make to anything: total variation, 0 to 1."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / 2


def _answer(path: Path, context: Context, tokens: Sequence[int]) -> str:
    """A short greedy answer to a question."""
    vocabulary = context.model.vocabulary
    said: list[int] = []
    sampler = context.sampler(GREEDY, 0)
    try:
        for position in range(len(tokens), len(tokens) + ANSWER_TOKENS_MAX):
            token = sampler.draw(0)  # of the latest pass, which had one part
            if vocabulary.is_end(token):
                break
            said.append(token)
            context.decode([token], [position], [1], [0])
            _finite(path, [context.logprob(0, token)])
    finally:
        sampler.close()
    return f"{len(said)} tokens: {spelled(vocabulary, said)!r}"


def _adapter(model: Model, context: Context, place: Path, tokens: Sequence[int], without: Distribution) -> str:
    adapter = Adapter(model, place)
    try:
        context.apply(((adapter, 1.0),))
        changed = distance(without, _at_once(place, context, tokens))
        context.apply(())
        digest = adapter.digest.hex()
        return f"{adapter.name}, rank {adapter.rank}, digest {digest}; changes the next token by {changed:.1%}"
    finally:
        adapter.close()
