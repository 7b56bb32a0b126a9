"""The training loop: rounds of batches, a checkpoint after each round to resume from."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as f
from torch import Tensor

from node.lab.training.adapters import adapt
from node.lab.training.batches import IGNORED, Batch, batches
from node.lab.training.growth import grown
from node.lab.training.network import Network, Shape
from node.lab.training.plan import Course, rate_factor
from node.lab.training.tokens import PIECES

VECTOR_RATE = 2e-3
CLIP = 1.0
AVERAGED_STEPS = 200  # about how many of the last steps the exported average of the weights covers

Features = Callable[[Tensor], Tensor]
Optimizers = dict[str, torch.optim.Optimizer]


def optimizers(net: Network, course: Course) -> Optimizers:
    """Muon for the blocks' matrices, AdamW for embeddings and norms where these are trained.

    Source: Jordan et al., Muon (2024); step sizes matched to Adam's as in Liu et al. (arXiv 2502.16982) section 2.2.
    """
    trained = [(name, p) for name, p in net.named_parameters() if p.requires_grad]
    matrices = [p for name, p in trained if p.dim() == 2 and "token" not in name]
    vectors = [p for name, p in trained if p.dim() != 2 or "token" in name]
    decay = 0.0 if course.rank else 0.05  # an adapter is bound by its rank
    muon = torch.optim.Muon(matrices, lr=course.matrix_rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
    if not vectors:
        return {"matrices": muon}
    return {"matrices": muon, "vectors": torch.optim.AdamW(vectors, lr=VECTOR_RATE, betas=(0.9, 0.98), weight_decay=0)}


@dataclass(slots=True)
class Progress:
    """A training under way, as a checkpoint holds it."""

    net: Network
    average: Network  # of the weights of the last steps; this is what is exported
    opts: Optimizers
    rounds: int = 0
    steps: int = 0
    tokens: int = 0  # read, padding included


def checkpoint_of(name: str, folder: Path) -> Path:
    """Where a course keeps its checkpoint."""
    return folder / f"{name}.pt"


def built(course: Course, start: Network | None) -> Network:
    """The network of a course before its first step; without a start its weights are random."""
    torch.manual_seed(course.seed)
    net = Network(Shape(vocabulary=len(PIECES), layers=course.layers))
    if start is not None:
        net = grown(start, course.layers)
    return adapt(net, course.rank) if course.rank else net


def begin(course: Course, start: Network | None = None) -> Progress:
    """A new training."""
    net, average = built(course, start), built(course, start)
    average.load_state_dict(net.state_dict())
    return Progress(net, average, optimizers(net, course))


def resume(course: Course, checkpoint: Path) -> Progress:
    """A training as its checkpoint left it."""
    progress = begin(course)
    saved = torch.load(checkpoint, weights_only=True)
    progress.net.load_state_dict(saved["net"])
    progress.average.load_state_dict(saved["average"])
    for name, opt in progress.opts.items():
        opt.load_state_dict(saved["opts"][name])
    progress.rounds, progress.steps, progress.tokens = saved["rounds"], saved["steps"], saved["tokens"]
    return progress


def save(progress: Progress, checkpoint: Path) -> None:
    """Write a checkpoint; the last one stays until the new one is whole."""
    new = checkpoint.with_suffix(".new")
    state = {
        "net": progress.net.state_dict(),
        "average": progress.average.state_dict(),
        "opts": {name: opt.state_dict() for name, opt in progress.opts.items()},
        "rounds": progress.rounds,
        "steps": progress.steps,
        "tokens": progress.tokens,
    }
    torch.save(state, new)
    new.replace(checkpoint)


def train(course: Course, folder: Path, start: Network | None = None, rounds: int | None = None) -> Progress:
    """Train a course to its end, or up to `rounds` to be continued later, from its own checkpoint if there is one."""
    checkpoint = checkpoint_of(course.name, folder)
    progress = resume(course, checkpoint) if checkpoint.exists() else begin(course, start)
    last = course.rounds if rounds is None else min(rounds, course.rounds)
    if progress.rounds < last:
        features = compiled(progress.net, batches(course, progress.rounds)[0])
    while progress.rounds < last:
        began, tokens = time.monotonic(), progress.tokens
        loss = train_round(course, progress, features)
        save(progress, checkpoint)
        seconds = time.monotonic() - began
        done = f"{course.name}: round {progress.rounds}/{course.rounds}, step {progress.steps}"
        speed = f"{seconds:.0f} s, {(progress.tokens - tokens) / seconds:,.0f} tokens/s"
        print(f"{done}, loss {loss:.3f}, {speed}", file=sys.stderr, flush=True)
    return progress


def train_round(course: Course, progress: Progress, features: Features) -> float:
    """One round; returns its mean loss."""
    todo, total = batches(course, progress.rounds), 0.0
    for i, batch in enumerate(todo):
        factor = rate_factor(course, progress.steps, (progress.rounds + i / len(todo)) / course.rounds)
        for name, rate in (("matrices", course.matrix_rate), ("vectors", VECTOR_RATE)):
            for group in progress.opts[name].param_groups if name in progress.opts else ():
                group["lr"] = rate * factor
        total += train_step(progress, features, batch)
        progress.steps += 1
        progress.tokens += batch.tokens.numel()
    progress.rounds += 1
    return total / len(todo)


def train_step(progress: Progress, features: Features, batch: Batch) -> float:
    """One update; returns the mean loss per learned token. Only positions with a target reach the output matrix."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        learned = batch.targets != IGNORED
        scores = f.linear(features(batch.tokens)[learned], progress.net.token_embd.weight)
    loss = f.cross_entropy(scores.float(), batch.targets[learned])
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for p in progress.net.parameters() if p.requires_grad], CLIP)
    for opt in progress.opts.values():
        opt.step()
        opt.zero_grad()
    keep_average(progress)
    return float(loss.detach())


def keep_average(progress: Progress) -> None:
    """Move the average a little towards the weights (Polyak averaging, with exponential weights)."""
    pairs = zip(progress.average.parameters(), progress.net.parameters(), strict=True)
    averages, weights = zip(*((a, w) for a, w in pairs if w.requires_grad), strict=True)
    with torch.no_grad():
        torch._foreach_lerp_(averages, weights, 1 / AVERAGED_STEPS)


def compiled(net: Network, trial: Batch) -> Features:
    """The network's `features` as machine code of its own, a third faster, where a C++ compiler is at hand."""
    features: Features = torch.compile(net.features, dynamic=True)
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            features(trial.tokens).sum().backward()
    except RuntimeError as error:
        print(f"training without compiling: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
        features = net.features
    net.zero_grad()
    return features
