"""One specialist from its course to its file and its card."""

import sys
from pathlib import Path

from node.lab.training.card import describe
from node.lab.training.export import Label, load, quantize, write_gguf
from node.lab.training.plan import BASE, Course
from node.lab.training.train import train


def make(course: Course, work: Path, out: Path) -> dict[str, object]:
    """Train one specialist as far as it is not yet, write its GGUF file and measure it; returns its card."""
    checkpoint = train(course, work, start=work / f"{BASE.name}.pt")
    net, trained = load(checkpoint)
    label = Label(f"moot {course.name}", f"Reference model for {course.about}, trained by the Moot project.")
    target = out / f"{course.name}.gguf"
    write_gguf(net, label, work / f"{course.name}.f16.gguf")
    quantize(work / f"{course.name}.f16.gguf", target)
    print(f"{course.name}: measuring on held-out questions", file=sys.stderr, flush=True)
    return describe(course, target, trained)
