"""Checkpoints to GGUF files that llama.cpp runs, and their quantization."""

import ctypes
from dataclasses import dataclass
from pathlib import Path

import gguf
import llama_cpp
import numpy as np
import torch

from node.lab.training.card import Trained
from node.lab.training.network import Network, Shape
from node.lab.training.tokens import BYTE_AT, END, PIECES, START, UNKNOWN

CHAT_TEMPLATE = "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"


@dataclass(frozen=True, slots=True)
class Label:
    """What a GGUF file says of itself."""

    name: str
    description: str


def load(checkpoint: Path) -> tuple[Network, Trained]:
    """The averaged network of a checkpoint, and how far its training has come."""
    saved = torch.load(checkpoint, weights_only=True)
    net = Network(Shape(vocabulary=len(PIECES)))
    net.load_state_dict(saved["average"])
    parameters = sum(weight.numel() for weight in net.parameters())
    return net, Trained(parameters, saved["rounds"], saved["steps"])


def _paired(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a query or key matrix reordered from halves (0, h/2), (1, h/2+1), ... to llama.cpp's neighbours."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def write_gguf(net: Network, label: Label, path: Path) -> None:
    """Write a 16-bit file of architecture `llama` with the character vocabulary."""
    shape = net.shape
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name(label.name)
    writer.add_description(label.description)
    writer.add_license("apache-2.0")
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
        weight = tensor.detach().float().numpy()
        if name.endswith(("attn_q.weight", "attn_k.weight")):
            weight = _paired(weight, shape.heads)
        writer.add_tensor(name, weight.astype(np.float16) if weight.ndim == 2 else weight)
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
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
    params.nthread = 1
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params)) != 0:
        raise RuntimeError(f"llama.cpp could not quantize {source}")
