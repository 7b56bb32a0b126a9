"""Writes what is no plain transformer: LoRA adapters for the random models, and a model with a recurrent state."""

from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np

from tests.node.model.gguf_files import BOS, EOS, SMALL, Shape, add_vocabulary

Sizes = Mapping[str, tuple[int, ...]]


def adapter_sizes(shape: Shape = SMALL, rank: int = 4) -> dict[str, tuple[int, ...]]:
    """Of an adapter for all attention queries and outputs, by tensor; the fastest dimension last, as numpy has it."""
    sizes: dict[str, tuple[int, ...]] = {}
    for layer in range(shape.layers):
        for part in ("attn_q", "attn_output"):
            sizes[f"blk.{layer}.{part}.weight.lora_a"] = (rank, shape.width)
            sizes[f"blk.{layer}.{part}.weight.lora_b"] = (shape.width, rank)
    return sizes


def write_adapter(
    path: Path,
    *,
    sizes: Sizes | None = None,
    architecture: str = "llama",
    kind: str = "adapter",
    adapter_type: str = "lora",
    alpha: float = 16.0,
    blocks: int | None = None,
    seed: int = 11,
    deviation: float = 0.3,
) -> Path:
    """Write a LoRA adapter with random weights."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type(kind)
    writer.add_name("random change")
    writer.add_string("adapter.type", adapter_type)
    writer.add_float32("adapter.lora.alpha", alpha)
    if blocks is not None:
        writer.add_block_count(blocks)
    rng = np.random.default_rng(seed)
    for name, size in (adapter_sizes() if sizes is None else sizes).items():
        writer.add_tensor(name, rng.normal(0.0, deviation, size).astype(np.float32))
    _write(writer)
    return path


def write_recurrent_model(path: Path, *, width: int = 64, layers: int = 2, seed: int = 7) -> Path:
    """Write a Mamba with random weights: its memory of a sequence is one state, of which no part can be forgotten."""
    writer = gguf.GGUFWriter(path, "mamba")
    writer.add_name("random state")
    tokens = add_vocabulary(writer, "letters")
    writer.add_vocab_size(tokens)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    inner, state, steps, convolution = 2 * width, 16, 4, 4
    writer.add_context_length(256)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(layers)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_ssm_conv_kernel(convolution)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(state)
    writer.add_ssm_time_step_rank(steps)
    rng = np.random.default_rng(seed)

    def add(name: str, *size: int) -> None:
        writer.add_tensor(name, rng.normal(0.0, size[-1] ** -0.5, size).astype(np.float32))

    add("token_embd.weight", tokens, width)
    add("output.weight", tokens, width)
    writer.add_tensor("output_norm.weight", np.ones(width, np.float32))
    for layer in range(layers):
        block = f"blk.{layer}."
        writer.add_tensor(f"{block}attn_norm.weight", np.ones(width, np.float32))
        add(f"{block}ssm_in.weight", 2 * inner, width)
        add(f"{block}ssm_conv1d.weight", inner, convolution)
        add(f"{block}ssm_conv1d.bias", inner)
        add(f"{block}ssm_x.weight", steps + 2 * state, inner)
        add(f"{block}ssm_dt.weight", inner, steps)
        add(f"{block}ssm_dt.bias", inner)
        writer.add_tensor(f"{block}ssm_a", -np.tile(np.arange(1, state + 1, dtype=np.float32), (inner, 1)))
        writer.add_tensor(f"{block}ssm_d", np.ones(inner, np.float32))
        add(f"{block}ssm_out.weight", width, inner)
    _write(writer)
    return path


def _write(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
