"""How much a loaded model's context holds, and how it is shared out."""

from node.model.batch.jobs import Room
from node.model.engine import LoadSettings
from node.model.llamacpp.context import Context
from node.model.llamacpp.memory import BATCH_TOKENS
from node.model.llamacpp.model import Model

SEQUENCES_MAX = 256  # llama.cpp's
PROMPTS_KEPT = 32
"""Sequences beside those that running samples and their prompts need."""
CHUNK_TOKENS = 128
"""Of prompts in one pass while samples run."""


def open_context(model: Model, load: LoadSettings) -> tuple[Context, Room]:
    """Raises ModelFileInvalid: llama.cpp cannot run the model."""
    room = Room(
        sequences=min(SEQUENCES_MAX, 2 * load.parallel + PROMPTS_KEPT),
        cells=model.cells,
        batch_tokens=BATCH_TOKENS,
        running_max=load.parallel,
        cached_cells_max=model.cells // 2,
        chunk_tokens=CHUNK_TOKENS,
        can_cut=model.can_cut,
    )
    return Context(model, room.sequences, room.cells, room.batch_tokens, load.threads), room
