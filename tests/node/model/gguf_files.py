"""Writes small GGUF models with random weights, so that tests run real forward passes without a trained model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

CHAT_TEMPLATE = "{{ messages[0]['content'] + '\\n' }}"  # Jinja drops a template's own last newline
BOS, EOS = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A Llama of two small layers; `LARGE` has about as many parameters as the reference models."""

    width: int = 64
    layers: int = 2
    heads: int = 4
    heads_kv: int = 2
    feed_forward: int = 160
    context_length: int = 256


LARGE = Shape(width=160, layers=4, heads=5, heads_kv=5, feed_forward=448)


def characters() -> list[str]:
    return ["\n", *(chr(code) for code in range(32, 127))]


def write_model(
    path: Path,
    *,
    shape: Shape = Shape(),
    chat_template: str | None = CHAT_TEMPLATE,
    byte_tokens: bool = True,
    add_bos: bool = True,
    control: tuple[str, ...] = (),
    eos: int = EOS,
    seed: int = 7,
) -> Path:
    """Write a character-level Llama with random weights.

    Args:
        byte_tokens: whether the vocabulary can spell any byte, as real ones can.
        control: extra control tokens, such as "<|user|>".
        eos: the token that ends an answer.
        seed: of the weights.
    """
    tokens = ["<unk>", "<s>", "</s>"]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    for text in control:
        tokens.append(text)
        kinds.append(gguf.TokenType.CONTROL)
    if byte_tokens:
        tokens += [f"<0x{byte:02X}>" for byte in range(256)]
        kinds += [gguf.TokenType.BYTE] * 256
    tokens += [text.replace(" ", "▁") for text in characters()]
    kinds += [gguf.TokenType.NORMAL] * len(characters())

    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("random")
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads_kv)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(eos)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(add_bos)
    writer.add_add_space_prefix(False)
    if chat_template is not None:
        writer.add_chat_template(chat_template)

    def tensor(name: str, *size: int) -> None:
        writer.add_tensor(name, rng.normal(0.0, size[-1] ** -0.5, size).astype(np.float32))

    tensor("token_embd.weight", len(tokens), shape.width)
    tensor("output.weight", len(tokens), shape.width)
    writer.add_tensor("output_norm.weight", np.ones(shape.width, np.float32))
    kv_width = shape.width // shape.heads * shape.heads_kv
    for layer in range(shape.layers):
        prefix = f"blk.{layer}."
        writer.add_tensor(f"{prefix}attn_norm.weight", np.ones(shape.width, np.float32))
        writer.add_tensor(f"{prefix}ffn_norm.weight", np.ones(shape.width, np.float32))
        tensor(f"{prefix}attn_q.weight", shape.width, shape.width)
        tensor(f"{prefix}attn_k.weight", kv_width, shape.width)
        tensor(f"{prefix}attn_v.weight", kv_width, shape.width)
        tensor(f"{prefix}attn_output.weight", shape.width, shape.width)
        tensor(f"{prefix}ffn_gate.weight", shape.feed_forward, shape.width)
        tensor(f"{prefix}ffn_up.weight", shape.feed_forward, shape.width)
        tensor(f"{prefix}ffn_down.weight", shape.width, shape.feed_forward)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
