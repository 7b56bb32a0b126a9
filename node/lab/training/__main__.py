"""`python -m node.lab.training`: train, export, quantize and measure all reference models; goes on where it stopped."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import torch

from node.lab.training.card import measured, write_cards
from node.lab.training.files import model_in
from node.lab.training.making import make_all
from node.lab.training.plan import BASE, COURSES, ELDER, SPECIALISTS, STEWARD, Course
from node.lab.training.speed import speeds
from node.model import reference

AFTER_BASE = ((STEWARD, ELDER), *((course,) for course in SPECIALISTS))
"""Each after the other within its group, the groups beside each other, the longest first so that none ends late."""


def main() -> None:
    """Parse the command line and make the models."""
    parser = argparse.ArgumentParser(prog="python -m node.lab.training", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/models"), help="folder of checkpoints")
    parser.add_argument("--out", type=Path, default=reference.path("abacus").parent, help="folder of the files")
    parser.add_argument("--processes", type=int, default=2, help="models trained at a time, one thread each")
    parser.add_argument("--trial", action="store_true", help="two tiny rounds of each, to see that everything works")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    args.out.mkdir(parents=True, exist_ok=True)
    sized = tiny if args.trial else full
    torch.set_num_threads(1)
    trained = make_all((sized(BASE),), args.work, args.out)
    # A spawned process starts clean: forking one whose threads hold locks can hang the child.
    with ProcessPoolExecutor(
        args.processes, mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        making = [pool.submit(make_all, tuple(map(sized, group)), args.work, args.out) for group in AFTER_BASE]
        for future in making:
            trained |= future.result()
        print("measuring on held-out questions", file=sys.stderr, flush=True)
        measuring = {course.name: pool.submit(measured, course, args.work, args.out) for course in COURSES}
        found = {name: future.result() for name, future in measuring.items()}
    fast = speeds({course.name: model_in(args.out, course) for course in COURSES})  # with nothing running beside
    write_cards(trained, {name: one | {"speed": fast[name]} for name, one in found.items()}, args.out)


def full(course: Course) -> Course:
    """The course as planned."""
    return course


def tiny(course: Course) -> Course:
    """The course cut down to a minute."""
    return replace(course, rounds=2, rows=400)


if __name__ == "__main__":
    main()
