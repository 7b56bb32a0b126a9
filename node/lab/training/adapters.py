"""Low-rank adapters: a network's matrices frozen, and beside each a product of two thin ones that is learned.

Source: Hu et al., LoRA (arXiv 2106.09685) section 4.1.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as f

from node.lab.training.network import Network

MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


class Adapted(nn.Linear):
    """A frozen matrix and its adapter, which is zero at first."""

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__(base.in_features, base.out_features, bias=False)
        self.weight = base.weight
        self.lora_a = nn.Parameter(torch.randn(rank, base.in_features) * base.in_features**-0.5)
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, rank))

    def sum(self) -> Tensor:
        """The matrix and its adapter as one."""
        return self.weight + self.lora_b @ self.lora_a

    def forward(self, x: Tensor) -> Tensor:
        """As nn.Linear. The sum is cheaper than two thin products: a batch has far more tokens than a matrix rows."""
        return f.linear(x, self.sum())


def adapt(net: Network, rank: int) -> Network:
    """Freeze a network in place and give every matrix of its blocks an adapter; embeddings and norms have none."""
    net.requires_grad_(False)
    for block in net.blk:
        for name in MATRICES:
            setattr(block, name, Adapted(getattr(block, name), rank))
    return net


def adapters(net: Network) -> dict[str, Adapted]:
    """The adapted matrices of a network by their names, such as `blk.0.attn_q.weight`."""
    return {f"{name}.weight": part for name, part in net.named_modules() if isinstance(part, Adapted)}


def merged(net: Network) -> Network:
    """A network without adapters that computes the same; one that has none is returned as a copy."""
    plain = Network(net.shape)
    sums = {name: part.sum().detach() for name, part in adapters(net).items()}
    plain.load_state_dict(
        {name: sums.get(name, weight) for name, weight in net.state_dict().items() if "lora_" not in name}
    )
    return plain
