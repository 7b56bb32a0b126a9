"""Writes a model of realistic size with random weights: it says nonsense, and takes the time of one that does not."""

import ctypes
import itertools
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.model.llamacpp.native import log, native, start

TOKENS = 32_000
BOS, EOS = "<s>", "</s>"
CHAT_TEMPLATE = "<s>{{ messages[0]['content'] + '\\n' }}"  # Jinja drops a template's own last newline


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a Llama; by default 153 million parameters."""

    layers: int = 12
    width: int = 768
    heads: int = 12
    heads_kv: int = 4
    feed_forward: int = 3_072
    context_length: int = 4_096


SHAPE = Shape()


def random_model(folder: Path, kind: str = "Q8_0", shape: Shape = SHAPE) -> Path:
    """The path of the model, written if it is not there yet (half a minute).

    Args:
        folder: where it is kept.
        kind: "Q8_0", "Q4_K_M" or "F16".
        shape: width and feed_forward multiples of 256.
    """
    name = f"random-{shape.layers}x{shape.width}x{shape.feed_forward}"
    plain, wanted = folder / f"{name}-F16.gguf", folder / f"{name}-{kind}.gguf"
    folder.mkdir(parents=True, exist_ok=True)
    if not plain.exists():
        part = plain.with_suffix(".part")
        _write(part, shape)
        part.rename(plain)
    if not wanted.exists():
        part = wanted.with_suffix(".part")
        _quantize(plain, part, kind)
        part.rename(wanted)
    return wanted


def _vocabulary() -> tuple[list[str], list[str]]:
    """Tokens and merges of GPT-2's kind: all bytes, then words that grow by a letter. Ġ is its space."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    tokens = [BOS, EOS, *(chr(byte) if byte in printable else chr(next(others)) for byte in range(256))]
    merges = []
    words = ["Ġ", *string.ascii_lowercase]
    while len(tokens) < TOKENS:
        grown = []
        for word, letter in itertools.islice(itertools.product(words, string.ascii_lowercase), TOKENS - len(tokens)):
            merges.append(f"{word} {letter}")
            grown.append(word + letter)
        tokens += grown
        words = grown
    return tokens, merges


def _write(path: Path, shape: Shape) -> None:
    import gguf
    import numpy as np

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("random")
    tokens, merges = _vocabulary()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.NORMAL] * (len(tokens) - 2))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_chat_template(CHAT_TEMPLATE)
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads_kv)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    rng = np.random.default_rng(7)
    for name, size in _sizes(shape, len(tokens)).items():
        weights: Any = np.ones(size, np.float32)
        if len(size) > 1:
            weights = (rng.standard_normal(size, np.float32) * size[-1] ** -0.5).astype(np.float16)
        writer.add_tensor(f"{name}.weight", weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _sizes(shape: Shape, tokens: int) -> dict[str, tuple[int, ...]]:
    width, kv_width = shape.width, shape.width // shape.heads * shape.heads_kv
    sizes: dict[str, tuple[int, ...]] = {
        "token_embd": (tokens, width),
        "output": (tokens, width),
        "output_norm": (width,),
    }
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        sizes[f"{block}attn_norm"] = sizes[f"{block}ffn_norm"] = (width,)
        sizes[f"{block}attn_q"] = sizes[f"{block}attn_output"] = (width, width)
        sizes[f"{block}attn_k"] = sizes[f"{block}attn_v"] = (kv_width, width)
        sizes[f"{block}ffn_gate"] = sizes[f"{block}ffn_up"] = (shape.feed_forward, width)
        sizes[f"{block}ffn_down"] = (width, shape.feed_forward)
    return sizes


def _quantize(source: Path, target: Path, kind: str) -> None:
    start()
    log.clear()
    params = native.llama_model_quantize_default_params()
    params.ftype = {
        "F16": native.LLAMA_FTYPE_MOSTLY_F16,
        "Q8_0": native.LLAMA_FTYPE_MOSTLY_Q8_0,
        "Q4_K_M": native.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    }[kind]
    if native.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params)) != 0:
        raise RuntimeError(f"llama.cpp could not quantize {source}: {log.reason()}")
