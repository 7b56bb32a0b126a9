"""What is written for llama.cpp computes what was trained: the same scores, with and without adapters."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("gguf")

from node.lab.training.adapters import adapt, adapters, merged  # noqa: E402
from node.lab.training.answering import Model  # noqa: E402
from node.lab.training.export import Label, quantize, write_adapter, write_gguf  # noqa: E402
from node.lab.training.network import Network, Shape  # noqa: E402
from node.lab.training.tokens import PIECES, START, encode  # noqa: E402

LABEL = Label("moot test", "Nothing but a test.")
TOKENS = [START, *encode("What is the 3rd letter of Zanzibar?\nOthers: n; z; b\nMine: n\n" * 5)]  # far positions, too


@pytest.fixture(scope="module")
def net() -> Network:
    """A network of the shape shipped, with an adapter as large as its weights."""
    torch.manual_seed(1)
    net = Network(Shape(vocabulary=len(PIECES)))
    for weight in net.parameters():
        if weight.dim() == 2:
            torch.nn.init.normal_(weight, std=weight.shape[1] ** -0.5)  # scores of a size at which errors would show
    adapt(net, 8)
    for part in adapters(net).values():
        torch.nn.init.normal_(part.lora_b, std=0.3)
    return net


def scores_of_torch(net: Network) -> np.ndarray:
    with torch.no_grad():
        return np.asarray(net(torch.tensor([TOKENS]))[0, -1])


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """How far apart two sets of scores are, as a share of how far they are from their own mean."""
    return float(np.linalg.norm(a - b) / np.linalg.norm(b - b.mean()))


def test_llama_cpp_computes_the_scores_of_training(net: Network, tmp_path: Path) -> None:
    """A wrong order of rows, a forgotten norm or another base of the positions would show at once."""
    model, half, whole = (tmp_path / f"{name}.gguf" for name in ("model", "half", "whole"))
    adapter = tmp_path / "lora.gguf"
    plain = Network(net.shape)
    plain.load_state_dict({name: w for name, w in net.state_dict().items() if "lora_" not in name})
    write_gguf(plain, LABEL, model)
    write_gguf(merged(net), LABEL, half)
    quantize(half, whole)
    write_adapter(net, LABEL, adapter)

    wanted = scores_of_torch(net)
    with Model(model) as alone, Model(half) as sixteen, Model(whole) as eight, Model(model, [adapter]) as adapted:
        assert apart(alone.scores_after(TOKENS), scores_of_torch(plain)) < 0.01
        assert apart(sixteen.scores_after(TOKENS), wanted) < 0.01
        assert apart(adapted.scores_after(TOKENS), wanted) < 0.01
        assert apart(eight.scores_after(TOKENS), wanted) < 0.08
        assert apart(alone.scores_after(TOKENS), wanted) > 0.5  # so that the adapter is seen to matter


def test_a_merged_network_computes_the_same(net: Network) -> None:
    """Who downloads the merged file must get what was trained."""
    assert apart(scores_of_torch(merged(net)), scores_of_torch(net)) < 1e-4
