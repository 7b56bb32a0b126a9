"""Where the files of a model lie."""

from pathlib import Path

from node.lab.training.plan import Course


def model_in(folder: Path, course: Course) -> Path:
    """The model itself; a specialist's has its adapter merged in."""
    return folder / f"{course.name}.gguf"


def adapter_in(folder: Path, course: Course) -> Path:
    """A specialist's adapter, for the model that it started from."""
    return folder / f"{course.name}.lora.gguf"
