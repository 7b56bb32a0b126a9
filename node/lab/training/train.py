"""The training loop: rounds of batches, two optimizers, a checkpoint after each round to resume from."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as f

from node.lab.training.batches import IGNORED, Batch, batches
from node.lab.training.network import Network, Shape
from node.lab.training.plan import Course, asks_of
from node.lab.training.tokens import PIECES

MATRIX_RATE = 4e-3
VECTOR_RATE = 2e-3
WARM_UP_STEPS = 150
CLIP = 1.0
AVERAGED_STEPS = 200  # about how many of the last steps the exported average of the weights covers


def optimizers(net: Network) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Muon for the blocks' matrices, AdamW for embeddings and norms.

    Source: Jordan et al., Muon (2024); step sizes matched to Adam's as in Liu et al. (arXiv 2502.16982) section 2.2.
    """
    matrices = [p for name, p in net.named_parameters() if p.dim() == 2 and "token" not in name]
    vectors = [p for name, p in net.named_parameters() if p.dim() != 2 or "token" in name]
    return (
        torch.optim.Muon(matrices, lr=MATRIX_RATE, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(vectors, lr=VECTOR_RATE, betas=(0.9, 0.98), weight_decay=0.0),
    )


def rate_factor(step: int, progress: float, decays: bool) -> float:
    """Warm up, stay, and fall linearly over the second half where the course `decays`."""
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return warm * (min(1.0, 2.0 * (1.0 - progress)) if decays else 1.0)


@dataclass(slots=True)
class Progress:
    """A training under way, as a checkpoint holds it."""

    net: Network
    average: Network  # of the weights of the last steps; this is what is exported
    opts: tuple[torch.optim.Optimizer, torch.optim.Optimizer]
    rounds: int = 0
    steps: int = 0


def begin(course: Course, start: Path | None) -> Progress:
    """A new training, from the last weights of checkpoint `start` if given."""
    torch.manual_seed(course.seed)
    net, average = Network(Shape(vocabulary=len(PIECES))), Network(Shape(vocabulary=len(PIECES)))
    if start is not None:
        net.load_state_dict(torch.load(start, weights_only=True)["net"])
    average.load_state_dict(net.state_dict())
    return Progress(net, average, optimizers(net))


def resume(course: Course, checkpoint: Path) -> Progress:
    """A training as its checkpoint left it."""
    progress = begin(course, None)
    saved = torch.load(checkpoint, weights_only=True)
    progress.net.load_state_dict(saved["net"])
    progress.average.load_state_dict(saved["average"])
    for opt, state in zip(progress.opts, saved["opts"], strict=True):
        opt.load_state_dict(state)
    progress.rounds, progress.steps = saved["rounds"], saved["steps"]
    return progress


def save(progress: Progress, checkpoint: Path) -> None:
    """Write a checkpoint; the last one stays until the new one is whole."""
    new = checkpoint.with_suffix(".new")
    state = {
        "net": progress.net.state_dict(),
        "average": progress.average.state_dict(),
        "opts": [opt.state_dict() for opt in progress.opts],
        "rounds": progress.rounds,
        "steps": progress.steps,
    }
    torch.save(state, new)
    new.replace(checkpoint)


def train(course: Course, folder: Path, start: Path | None = None, rounds: int | None = None) -> Path:
    """Train a course to its end, or up to `rounds` to be continued later; picks up its own checkpoint if there is one.

    Returns: the checkpoint, `folder/<name>.pt`.
    """
    checkpoint = folder / f"{course.name}.pt"
    progress = resume(course, checkpoint) if checkpoint.exists() else begin(course, start)
    asks = asks_of(course)
    while progress.rounds < (course.rounds if rounds is None else min(rounds, course.rounds)):
        began, loss = time.monotonic(), 0.0
        todo = batches(f"{course.name}:{course.seed}:{progress.rounds}", asks, course.weights)
        for i, batch in enumerate(todo):
            factor = rate_factor(progress.steps, (progress.rounds + i / len(todo)) / course.rounds, course.decays)
            for opt, rate in zip(progress.opts, (MATRIX_RATE, VECTOR_RATE), strict=True):
                for group in opt.param_groups:
                    group["lr"] = rate * factor
            loss += train_step(progress.net, progress.opts, batch) / len(todo)
            progress.steps += 1
            keep_average(progress)
        progress.rounds += 1
        save(progress, checkpoint)
        seconds = time.monotonic() - began
        done = f"{course.name}: round {progress.rounds}/{course.rounds}, step {progress.steps}"
        print(f"{done}, loss {loss:.3f}, {seconds:.0f} s", file=sys.stderr, flush=True)
    return checkpoint


def keep_average(progress: Progress) -> None:
    """Move the average a little towards the weights (Polyak averaging, with exponential weights)."""
    with torch.no_grad():
        averages, weights = list(progress.average.parameters()), list(progress.net.parameters())
        torch._foreach_lerp_(averages, weights, 1 / AVERAGED_STEPS)


def train_step(net: Network, opts: tuple[torch.optim.Optimizer, ...], batch: Batch) -> float:
    """One update; returns the mean loss per learned token. Only positions with a target reach the output matrix."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = net.features(batch.tokens)
        learned = batch.targets != IGNORED
        scores = f.linear(features[learned], net.token_embd.weight)
    loss = f.cross_entropy(scores.float(), batch.targets[learned])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
    for opt in opts:
        opt.step()
        opt.zero_grad()
    return float(loss.detach())
