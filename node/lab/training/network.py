"""A small Llama-architecture network in PyTorch, weight for weight what llama.cpp computes for architecture `llama`."""

from dataclasses import dataclass

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from node.lab.training.tokens import CONTEXT_LENGTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of a network; rows must be multiples of 32 for Q8_0."""

    vocabulary: int
    width: int = 128
    layers: int = 6
    heads: int = 4
    hidden: int = 384
    context_length: int = CONTEXT_LENGTH
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5


class Norm(nn.Module):
    """Root-mean-square normalization."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Any shape whose last axis is the width; same shape out."""
        return f.rms_norm(x, self.weight.shape, self.weight, self.epsilon)


class Block(nn.Module):
    """Self-attention and a gated feed-forward network, each added to what it reads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attn_norm = Norm(shape.width, shape.norm_epsilon)
        self.attn_q = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_k = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_v = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = Norm(shape.width, shape.norm_epsilon)
        self.ffn_gate = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Shape (batch, length, width) in and out."""
        batch, length, width = x.shape
        normed = self.attn_norm(x)
        q, k, v = (
            part(normed).view(batch, length, self.heads, -1).transpose(1, 2)
            for part in (self.attn_q, self.attn_k, self.attn_v)
        )
        mixed = attended(rotated(q, cos, sin), rotated(k, cos, sin), v)
        x = x + self.attn_output(mixed.transpose(1, 2).reshape(batch, length, width))
        normed = self.ffn_norm(x)
        return x + self.ffn_down(f.silu(self.ffn_gate(normed)) * self.ffn_up(normed))


def attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention, shape (batch, heads, length, head width) in and out.

    Written out because PyTorch's fused one spends half of a training step in its backward pass at lengths this short.
    """
    length = q.shape[-2]
    later = torch.full((length, length), float("-inf"), dtype=q.dtype).triu(1)
    scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + later
    return scores.softmax(dim=-1).to(v.dtype) @ v


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions with a head's first half paired with its second (`export` reorders rows to llama.cpp's pairs).

    Args:
        x: shape (batch, heads, length, head width).
        cos: shape (length, half a head width).
        sin: as `cos`.
    Source: Su et al., RoFormer (arXiv 2104.09864) section 3.4.
    """
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Network(nn.Module):
    """Tokens to next-token scores; input and output embeddings are one matrix."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = Norm(shape.width, shape.norm_epsilon)
        half = shape.width // shape.heads // 2
        angles = torch.outer(
            torch.arange(shape.context_length, dtype=torch.float32),
            shape.rope_base ** (-torch.arange(half, dtype=torch.float32) / half),
        )
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = 0.02 if "token" in name else weight.shape[1] ** -0.5
                if name.endswith(("attn_output.weight", "ffn_down.weight")):
                    scale *= (2 * shape.layers) ** -0.5  # so that depth does not blow up the sum
                nn.init.normal_(weight, std=scale)

    def features(self, tokens: Tensor) -> Tensor:
        """Shape (batch, length) of ids to (batch, length, width), before the output matrix."""
        length = tokens.shape[1]
        cos, sin = self.cos[:length], self.sin[:length]
        x = self.token_embd(tokens)
        for block in self.blk:
            x = block(x, cos, sin)
        return self.output_norm(x)

    def forward(self, tokens: Tensor) -> Tensor:
        """Shape (batch, length) of ids to (batch, length, vocabulary) of scores."""
        return f.linear(self.features(tokens), self.token_embd.weight)
