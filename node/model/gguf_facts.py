"""What a model file says of itself, in people's words: its size, how it is quantized, which chat template it has.

Source of the numbers: llama.cpp, enum llama_ftype in include/llama.h.
"""

import math
from dataclasses import dataclass

from node.model.gguf_header import Header

QUANTIZATIONS = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE",
}  # fmt: skip
_GUESSED = 1024  # set in the number where the file was converted without knowing

_TEMPLATES = (
    ("<|im_start|>", "ChatML"),
    ("<|start_header_id|>", "Llama 3"),
    ("<|header_start|>", "Llama 4"),
    ("<start_of_turn>", "Gemma"),
    ("<|start_of_role|>", "Granite"),
    ("<|START_OF_TURN_TOKEN|>", "Command R"),
    ("<｜User｜>", "DeepSeek"),
    ("<|start|>", "Harmony"),
    ("[INST]", "Mistral or Llama 2"),
    ("<|user|>", "Phi or Zephyr"),
)
"""What only the templates of one family of models write."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Args: context_length: that the model was trained for; 0 where the file does not say."""

    name: str
    architecture: str
    parameters: int
    quantization: str
    vocabulary: int
    context_length: int
    template: str


def facts(header: Header, otherwise: str) -> FileFacts:
    """What the header says.

    Args:
        header: of a file that passed its check.
        otherwise: the name of a model that has none.
    """
    name = header.values.get("general.name")
    return FileFacts(
        name=name if isinstance(name, str) and name else otherwise,
        architecture=header.architecture,
        parameters=sum(math.prod(shape) for shape in header.shapes.values()),
        quantization=_quantization(header),
        vocabulary=header.vocabulary,
        context_length=header.number("context_length"),
        template=template_kind(header.values.get("tokenizer.chat_template")),
    )


def _quantization(header: Header) -> str:
    kind = header.values.get("general.file_type")
    if not isinstance(kind, int):
        return "unknown"
    return QUANTIZATIONS.get(kind & ~_GUESSED, f"type {kind}")


def template_kind(template: object) -> str:
    """The family of models whose chat template this looks like."""
    if not isinstance(template, str):
        return "none: the message and a line end"
    return next((kind for mark, kind in _TEMPLATES if mark in template), "one of its own")
