"""Checkpoints to GGUF files that llama.cpp runs, and their quantization."""

import ctypes
from dataclasses import dataclass
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

from node.lab.training.adapters import adapters
from node.lab.training.network import Network, Shape
from node.lab.training.quiet import be_quiet
from node.lab.training.tokens import BYTE_AT, END, PIECES, START, UNKNOWN

ARCHITECTURE = "llama"
CHAT_TEMPLATE = "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"


@dataclass(frozen=True, slots=True)
class Label:
    """What a GGUF file says of itself."""

    name: str
    description: str


def _paired(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a query or key matrix reordered from halves (0, h/2), (1, h/2+1), ... to llama.cpp's neighbours."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _for_llama_cpp(name: str, weight: np.ndarray, shape: Shape) -> np.ndarray:
    """Rows as llama.cpp expects them: those of queries and keys paired for its rotary positions."""
    return _paired(weight, shape.heads) if "attn_q." in name or "attn_k." in name else weight


def _writer(label: Label, path: Path) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(str(path), ARCHITECTURE)
    writer.add_name(label.name)
    writer.add_description(label.description)
    writer.add_license("apache-2.0")
    return writer


def write_gguf(net: Network, label: Label, path: Path) -> None:
    """Write a 16-bit file of architecture `llama` with the character vocabulary."""
    shape = net.shape
    writer = _writer(label, path)
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(PIECES)
    writer.add_token_scores([0.0] * len(PIECES))
    writer.add_token_types([_token_type(i) for i in range(len(PIECES))])
    writer.add_bos_token_id(START)
    writer.add_eos_token_id(END)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)
    for name, tensor in net.state_dict().items():
        weight = _for_llama_cpp(name, tensor.detach().float().numpy(), shape)
        writer.add_tensor(name, weight.astype(np.float16) if weight.ndim == 2 else weight)
    _finish(writer)


def write_adapter(net: Network, label: Label, path: Path) -> None:
    """Write the adapters of a network as one 16-bit LoRA file, for llama.cpp to add to the network's frozen weights.

    The thin matrices keep the names and shapes of llama.cpp's own converter; alpha is the rank, so that the scale is 1.
    The number of blocks is not in its files: here it tells the model that this is for from one grown out of it.
    """
    parts = adapters(net)
    writer = _writer(label, path)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(next(iter(parts.values())).lora_a.shape[0]))
    writer.add_block_count(net.shape.layers)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    for name, part in parts.items():
        b = _for_llama_cpp(name, part.lora_b.detach().float().numpy(), net.shape)  # its rows are the product's
        writer.add_tensor(f"{name}.lora_a", part.lora_a.detach().numpy().astype(np.float16))
        writer.add_tensor(f"{name}.lora_b", b.astype(np.float16))
    _finish(writer)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _token_type(token: int) -> gguf.TokenType:
    if token == UNKNOWN:
        return gguf.TokenType.UNKNOWN
    if token in (START, END):
        return gguf.TokenType.CONTROL
    return gguf.TokenType.BYTE if token >= BYTE_AT else gguf.TokenType.NORMAL


def quantize(source: Path, target: Path) -> None:
    """Write `source` as Q8_0: blocks of 32 weights, 8 bits each and a common scale.

    Raises:
        RuntimeError: llama.cpp refused; it prints why.
    """
    be_quiet()
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
    params.nthread = 1
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params)) != 0:
        raise RuntimeError(f"llama.cpp could not quantize {source}")
