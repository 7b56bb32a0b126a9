"""A deeper network that starts by computing exactly what a shallower one does.

Source: Wu et al., LLaMA Pro (arXiv 2401.02415) section 3.1: new blocks among the old ones whose last matrices are zero
add nothing until they have learned something.
"""

from dataclasses import replace

import torch
from torch import nn

from node.lab.training.network import Network


def grown(net: Network, layers: int) -> Network:
    """A network of `layers` blocks, a multiple of those `net` has, with the new ones after each of the old."""
    times, rest = divmod(layers, net.shape.layers)
    assert rest == 0, f"{layers} blocks are no multiple of {net.shape.layers}"
    larger = Network(replace(net.shape, layers=layers))
    larger.token_embd.load_state_dict(net.token_embd.state_dict())
    larger.output_norm.load_state_dict(net.output_norm.state_dict())
    for i, block in enumerate(larger.blk):
        if i % times == 0:
            block.load_state_dict(net.blk[i // times].state_dict())
        else:
            with torch.no_grad():
                nn.init.zeros_(block.attn_output.weight)
                nn.init.zeros_(block.ffn_down.weight)
    return larger
