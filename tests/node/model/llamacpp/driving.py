"""Drives a context as an engine would, for one prompt at a time."""

from collections.abc import Sequence

from node.model.llamacpp.context import Context
from node.model.llamacpp.sampler import Sampler
from node.model.requests import GREEDY

PROMPT = "17+25="


def read(context: Context, tokens: Sequence[int], *, sequence: int = 0, start: int = 0) -> int:
    """Evaluate tokens; returns the index of the last output."""
    size = len(tokens)
    context.decode(tokens, range(start, start + size), [sequence] * size, [size - 1])
    return size - 1


def ask(context: Context, prompt: str = PROMPT, *, sequence: int = 0) -> int:
    """Evaluate a prompt; returns the index of its last output."""
    return read(context, context.model.vocabulary.prompt(prompt), sequence=sequence)


def write(context: Context, sampler: Sampler, output: int, *, tokens: int, sequence: int = 0) -> list[int]:
    """Draw up to so many tokens; the one that ends the answer is not among them."""
    drawn: list[int] = []
    for _ in range(tokens):
        token = sampler.draw(output)
        if context.model.vocabulary.is_end(token):
            break
        drawn.append(token)
        output = read(context, [token], sequence=sequence, start=context.length(sequence))
    return drawn


def text_of(context: Context, tokens: Sequence[int]) -> str:
    return b"".join(map(context.model.vocabulary.piece, tokens)).decode()


def greedy(context: Context, prompt: str = PROMPT, *, tokens: int = 12) -> str:
    """What the model finds likeliest, in a context that is empty afterwards."""
    context.clear()
    sampler = context.sampler(GREEDY, 0)
    try:
        return text_of(context, write(context, sampler, ask(context, prompt), tokens=tokens))
    finally:
        sampler.close()
        context.clear()
