"""From what a person calls a model to an engine that runs it.

A model is called by the path of its file, as reference:NAME (of the package) or as hf:OWNER/REPOSITORY/FILE.gguf (of a
hub, downloaded first).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from node.errors import Exit, NodeError
from node.model import reference
from node.model.engine import Engine, LoadSettings
from node.model.hub.download import download
from node.model.hub.names import HubFile, is_hub_name
from node.model.local.process import ModelProcess
from node.model.local.settings import ModelState, ProcessSettings

REFERENCE = "reference:"


class ModelUnknown(NodeError):
    """What a model was called by names none."""

    exit_code = Exit.MODEL_MISSING


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model that runs here.

    Args:
        reference: its name, if it is a model of the package.
    """

    path: Path
    reference: str | None = None


def _download(name: str) -> Path:
    return download(HubFile.read(name))


def find(model: str, fetch: Callable[[str], Path] = _download) -> ModelFile:
    """Where the model is that a person calls so. Whether it can be used shows when it is opened.

    Args:
        model: what a person calls it.
        fetch: how a model of a hub is had. It may take hours.
    Raises:
        ModelUnknown: no model of the package has this name.
        HubError: it could not be downloaded.
    """
    if model.startswith(REFERENCE):
        name = model.removeprefix(REFERENCE)
        if name not in reference.NAMES:
            known = ", ".join(reference.NAMES)
            raise ModelUnknown(f"{model}: no reference model is called {name!r}; there are {known}")
        return ModelFile(reference.path(name), name)
    if is_hub_name(model):
        return ModelFile(fetch(model))
    return ModelFile(Path(model).expanduser().absolute())


def _ignore(_: ModelState) -> None:
    pass


async def open_engine(
    model: str | ModelFile,
    load: LoadSettings | None = None,
    settings: ProcessSettings | None = None,
    on_state: Callable[[ModelState], None] = _ignore,
) -> Engine:
    """Make a model ready to be asked. Whoever opens it closes it.

    Args:
        model: what a person calls it, or what `find` found.
        load: how it is loaded.
        settings: how its process is run.
        on_state: called on the event loop whenever a model that runs here came up or went down.
    Raises:
        NodeError: as `find` raises.
        ModelError: it cannot be used; nothing runs then.
    """
    place = model if isinstance(model, ModelFile) else await asyncio.to_thread(find, model)
    process = ModelProcess(place.path, load, settings, on_state)
    await process.start()
    return process
