"""`python -m node.lab.training`: train, export, quantize and measure all reference models; goes on where it stopped."""

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch

from node.lab.training.card import write_cards
from node.lab.training.making import make
from node.lab.training.plan import BASE, SPECIALISTS
from node.lab.training.train import train
from node.model import reference


def main() -> None:
    """Parse the command line and make the models."""
    parser = argparse.ArgumentParser(prog="python -m node.lab.training", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/models"), help="folder of checkpoints")
    parser.add_argument(
        "--out", type=Path, default=reference.path("abacus").parent, help="folder of the finished files"
    )
    parser.add_argument("--processes", type=int, default=2, help="specialists trained at a time, one thread each")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.processes)
    train(BASE, args.work)
    # A spawned process starts clean: forking one whose threads hold locks can hang the child.
    with ProcessPoolExecutor(
        args.processes, mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        making = {course.name: pool.submit(make, course, args.work, args.out) for course in SPECIALISTS}
        write_cards({name: future.result() for name, future in making.items()}, args.out)


if __name__ == "__main__":
    main()
