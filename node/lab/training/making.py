"""A course from its data to its files."""

from pathlib import Path

import torch

from node.lab.training.adapters import merged
from node.lab.training.card import Trained
from node.lab.training.export import Label, quantize, write_adapter, write_gguf
from node.lab.training.files import adapter_in, model_in
from node.lab.training.network import Network
from node.lab.training.plan import COURSES, Course
from node.lab.training.train import built, checkpoint_of, train


def make(course: Course, work: Path, out: Path) -> Trained:
    """Train a course as far as it is not yet, after the one that it starts from, and write its files."""
    start = averaged(course.start, work) if course.start else None
    progress = train(course, work, start)
    whole = merged(progress.average)
    label = Label(f"moot {course.name}", f"Reference model for {course.about}, trained by the Moot project.")
    if course.rank:
        write_adapter(progress.average, label, adapter_in(out, course))
    write_gguf(whole, label, work / f"{course.name}.f16.gguf")
    quantize(work / f"{course.name}.f16.gguf", model_in(out, course))
    parameters = sum(weight.numel() for weight in whole.parameters())
    return Trained(parameters, progress.rounds, progress.steps, progress.tokens)


def make_all(courses: tuple[Course, ...], work: Path, out: Path) -> dict[str, Trained]:
    """Make models of which each may start from the one before."""
    return {course.name: make(course, work, out) for course in courses}


def averaged(name: str, work: Path) -> Network:
    """The network that a course has come to."""
    (course,) = (course for course in COURSES if course.name == name)
    net = built(course, None)
    net.load_state_dict(torch.load(checkpoint_of(name, work), weights_only=True)["average"])
    return net
