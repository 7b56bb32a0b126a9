"""How much a loaded model's context holds, and how it is shared out."""

from node.model.batch.jobs import Room
from node.model.engine import LoadSettings
from node.model.llamacpp.context import Context
from node.model.llamacpp.memory import BATCH_TOKENS
from node.model.llamacpp.model import Model

SEQUENCES_MAX = 256  # llama.cpp's
PROMPTS_KEPT = 32
"""Sequences beside those that running samples and their prompts need."""
CHUNK_TOKENS_MIN = 128
CHUNK_WORK = 20_000_000_000
"""Of prompts in one pass while samples run: tokens times weights, but never less than CHUNK_TOKENS_MIN. A processor
takes a tenth of a second for it. Where a model is so small that whole passes take less, they are not cut up."""
GATHER_TOKENS = 128
"""Short prompts of a small model wait for each other until they are so many. llama.cpp looks at the cache for 64 tokens
at once where a pass has as many, and else for each alone: of answers of 8 to 40 tokens to 16 callers each then took
0.92 of the processor's time, and came sooner. In a large model it is the weights that take the time."""
KEPT_SHARE = 8
"""Every token pays for every cell that is held, also those of prompts kept for later: together an eighth of what the
weights cost it. In a model of 1.3 million parameters, 2,000 kept cells made each pass take a third longer."""


def open_context(model: Model, load: LoadSettings) -> tuple[Context, Room]:
    """Raises ModelFileInvalid: llama.cpp cannot run the model."""
    chunk = CHUNK_WORK // max(1, model.info.parameters)
    room = Room(
        sequences=min(SEQUENCES_MAX, 2 * load.parallel + PROMPTS_KEPT),
        cells=model.cells,
        batch_tokens=BATCH_TOKENS,
        running_max=load.parallel,
        cached_cells_max=_cached_cells_max(model),
        chunk_tokens=max(CHUNK_TOKENS_MIN, min(BATCH_TOKENS, chunk)),
        gather_tokens=GATHER_TOKENS if chunk >= BATCH_TOKENS else 0,
        can_cut=model.can_cut,
    )
    return Context(model, room.sequences, room.cells, room.batch_tokens, load.threads), room


def _cached_cells_max(model: Model) -> int:
    """At least one prompt of half the context length.

    A token takes 2 operations per parameter, and 4 per cell, layer and element of the model's width to look at it.
    """
    width, layers = model.header.number("embedding_length", 1), model.header.number("block_count", 1)
    as_much_as_weights = model.info.parameters // max(1, 2 * width * layers)
    return min(model.cells // 2, max(model.context_length // 2, as_much_as_weights // KEPT_SHARE))
