"""Writes small GGUF models with random weights, so that tests run real forward passes without a trained model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gguf
import numpy as np

CHAT_TEMPLATE = "{{ messages[0]['content'] + '\\n' }}"  # Jinja drops a template's own last newline
BOS, EOS = 1, 2
LETTERS = ["\n", *(chr(code) for code in range(32, 127))]

Vocabulary = Literal["bytes", "other bytes", "letters", "bpe"]
"""SentencePiece with letters and all bytes, as most models have, with the bytes that are no letters, and with letters
alone; GPT-2's way of writing bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Of a Llama; small enough to be written and run in milliseconds."""

    width: int = 64
    layers: int = 2
    heads: int = 4
    heads_kv: int = 2
    feed_forward: int = 160
    context_length: int = 256


SMALL = Shape()


def write_model(
    path: Path,
    *,
    shape: Shape = SMALL,
    chat_template: str | None = CHAT_TEMPLATE,
    vocabulary: Vocabulary = "bytes",
    add_bos: bool = True,
    control: tuple[str, ...] = (),
    eos: int = EOS,
    space_prefix: bool = False,
    seed: int = 7,
) -> Path:
    """Write a Llama with random weights.

    Args:
        control: extra control tokens, such as "<|user|>"; they follow the token for EOS.
        eos: the token that ends an answer.
        space_prefix: the tokenizer puts a space before any text; GPT-2's never does.
        seed: of the weights.
    """
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("random")
    tokens = add_vocabulary(writer, vocabulary, control, space_prefix)
    writer.add_vocab_size(tokens)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(eos)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(add_bos)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    _add_weights(writer, shape, tokens, np.random.default_rng(seed))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add_vocabulary(
    writer: gguf.GGUFWriter, vocabulary: Vocabulary, control: tuple[str, ...] = (), space_prefix: bool = False
) -> int:
    """Returns: how many tokens it has."""
    tokens = ["<unk>", "<s>", "</s>", *control]
    kinds = [gguf.TokenType.UNKNOWN] + [gguf.TokenType.CONTROL] * (len(tokens) - 1)
    if vocabulary in ("bytes", "other bytes"):
        spelled = set() if vocabulary == "bytes" else set(map(ord, LETTERS))
        tokens += [f"<0x{byte:02X}>" for byte in range(256) if byte not in spelled]
        kinds += [gguf.TokenType.BYTE] * (256 - len(spelled))
    if vocabulary == "bpe":
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("deepseek-llm")  # split by std::regex, whose recursion is as deep as a text is long
        tokens += [*_gpt2_bytes(), "ab"]
        writer.add_token_merges(["a b"])
    else:
        writer.add_tokenizer_model("llama")
        writer.add_add_space_prefix(space_prefix)
        tokens += [letter.replace(" ", "▁") for letter in LETTERS]
    kinds += [gguf.TokenType.NORMAL] * (len(tokens) - len(kinds))
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    return len(tokens)


def _gpt2_bytes() -> list[str]:
    """How GPT-2's vocabulary writes each byte: printable ones as themselves, the others from U+0100 on."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def _add_weights(writer: gguf.GGUFWriter, shape: Shape, tokens: int, rng: np.random.Generator) -> None:
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads_kv)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    kv_width = shape.width // shape.heads * shape.heads_kv
    sizes = {"token_embd": (tokens, shape.width), "output": (tokens, shape.width), "output_norm": (shape.width,)}
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        sizes[f"{block}attn_norm"] = sizes[f"{block}ffn_norm"] = (shape.width,)
        sizes[f"{block}attn_q"] = sizes[f"{block}attn_output"] = (shape.width, shape.width)
        sizes[f"{block}attn_k"] = sizes[f"{block}attn_v"] = (kv_width, shape.width)
        sizes[f"{block}ffn_gate"] = sizes[f"{block}ffn_up"] = (shape.feed_forward, shape.width)
        sizes[f"{block}ffn_down"] = (shape.width, shape.feed_forward)
    for name, size in sizes.items():
        is_norm = len(size) == 1
        weights = np.ones(size) if is_norm else rng.normal(0.0, size[-1] ** -0.5, size)
        writer.add_tensor(f"{name}.weight", weights.astype(np.float32))
