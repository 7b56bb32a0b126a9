"""The parts of training that need PyTorch: growing, adapting, learning only replies, going on after a stop."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from node.lab.training import train as training  # noqa: E402
from node.lab.training.adapters import adapt, adapters, merged  # noqa: E402
from node.lab.training.batches import IGNORED, batch, batches  # noqa: E402
from node.lab.training.growth import grown  # noqa: E402
from node.lab.training.network import Network, Shape  # noqa: E402
from node.lab.training.plan import ELDER, SPECIALISTS, STEWARD, Course  # noqa: E402
from node.lab.training.rows import row  # noqa: E402
from node.lab.training.tokens import CONTEXT_LENGTH, PIECES  # noqa: E402
from node.lab.training.train import begin, checkpoint_of, compiled, resume, train  # noqa: E402

TINY = replace(STEWARD, rounds=4, rows=120, layers=2, warm_up_steps=5)
SHAPE = Shape(vocabulary=len(PIECES), layers=2)


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling takes longer than these trainings."""
    monkeypatch.setattr(training, "compiled", lambda net, _trial: net.features)


def some_network() -> Network:
    torch.manual_seed(3)
    net = Network(SHAPE)
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    return net


def some_tokens() -> Any:
    return torch.randint(3, 90, (2, CONTEXT_LENGTH), generator=torch.Generator().manual_seed(4))


def test_a_grown_network_computes_the_same() -> None:
    """What the smaller one has learned is where the larger one begins."""
    net = some_network()
    larger = grown(net, 6)
    with torch.no_grad():
        assert torch.equal(larger(some_tokens()), net(some_tokens()))
    assert len(larger.blk) == 3 * len(net.blk)


def test_the_new_blocks_of_a_grown_network_learn() -> None:
    """Were both last matrices' inputs zero as well, no gradient would ever reach them."""
    larger = grown(some_network(), 4)
    larger(some_tokens()).logsumexp(-1).sum().backward()
    for block in larger.blk:
        assert block.attn_output.weight.grad.abs().sum() > 0
        assert block.ffn_down.weight.grad.abs().sum() > 0


def test_an_adapter_begins_at_nothing_and_alone_is_trained() -> None:
    """Its base must stay what it is: others add their adapters to the same file."""
    net, tokens = some_network(), some_tokens()
    before = net(tokens).detach()
    adapt(net, 4)
    assert torch.equal(net(tokens), before)
    assert {name.rsplit(".", 1)[-1] for name, p in net.named_parameters() if p.requires_grad} == {"lora_a", "lora_b"}
    assert len(adapters(net)) == 7 * SHAPE.layers


def test_a_merged_network_computes_the_same() -> None:
    """Who takes the merged file must get what was trained."""
    net = adapt(some_network(), 4)
    for part in adapters(net).values():
        torch.nn.init.normal_(part.lora_b, std=0.1)
    assert not torch.allclose(net(some_tokens()), some_network()(some_tokens()), atol=1e-2)
    assert torch.allclose(merged(net)(some_tokens()), net(some_tokens()), atol=1e-5)
    assert not adapters(merged(net))


def test_only_the_reply_is_learned() -> None:
    """The target of each position is the next id; the first that counts is the reply's first, the last is the end."""
    made = batch([row("abc\n", "x => yes\n"), row("a\n", "z\n")])
    assert made.tokens.shape == made.targets.shape
    assert made.tokens.shape[1] % 8 == 0
    for i, example in enumerate((row("abc\n", "x => yes\n"), row("a\n", "z\n"))):
        learned = made.targets[i] != IGNORED
        assert made.targets[i][learned].tolist() == list(example.ids[example.begin :])
        assert int(learned.nonzero()[0]) == example.begin - 1
        assert made.tokens[i][: len(example.ids) - 1].tolist() == list(example.ids[:-1])


def same(one: Network, other: Network) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(
    "course",
    [
        pytest.param(TINY, id="from chance"),
        pytest.param(replace(ELDER, rounds=4, rows=120, layers=4), id="grown"),
        pytest.param(replace(SPECIALISTS[0], rounds=4, rows=120, layers=2, rank=4), id="adapter"),
    ],
)
def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(course: Course, tmp_path: Path) -> None:
    """The checkpoint holds weights, average, optimizers' memories and how far it came; the data follow from that."""
    start = some_network() if course.start else None
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    at_once = train(course, whole, start)
    first = train(course, parts, start, rounds=2)
    assert first.rounds == 2
    went_on = train(course, parts, start)
    assert went_on.rounds == at_once.rounds == course.rounds
    assert (went_on.steps, went_on.tokens) == (at_once.steps, at_once.tokens)
    assert same(went_on.net, at_once.net)
    assert same(went_on.average, at_once.average)
    assert not same(at_once.net, first.average)
    kept = resume(course, checkpoint_of(course.name, parts))
    assert same(kept.average, at_once.average)


def test_training_learns(tmp_path: Path) -> None:
    """After a few rounds the loss on a round never seen is far below that of guessing."""
    course = replace(TINY, rounds=8)

    def loss(net: Network) -> float:
        one = batches(course, 99)[0]
        with torch.no_grad():
            scores = net(one.tokens).flatten(0, 1)
        return float(torch.nn.functional.cross_entropy(scores, one.targets.flatten(), ignore_index=IGNORED))

    before = loss(begin(course).net)
    assert loss(train(course, tmp_path).net) < before - 1.5


def test_a_machine_without_a_compiler_trains_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A third slower, and it says so in one line."""

    def refuse(*_: object, **__: object) -> object:
        def features(_: object) -> None:
            raise RuntimeError("no C++ compiler\nmany more lines")

        return features

    monkeypatch.setattr(torch, "compile", refuse)
    net = some_network()
    one = batches(TINY, 0)[0]
    assert torch.equal(compiled(net, one)(one.tokens), net.features(one.tokens))
    assert capsys.readouterr().err == "training without compiling: no C++ compiler\n"
