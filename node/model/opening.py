"""From what a person calls a model to an engine that runs it.

A model is called by the path of its file, as reference:NAME (of the package), as hf:OWNER/REPOSITORY/FILE.gguf (of a
hub, downloaded first) or as http://HOST:PORT/v1#NAME (of a server).
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
from node.model.remote.address import ServerAddress, is_remote
from node.model.remote.engine import RemoteEngine, RemoteSettings

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


Place = ModelFile | ServerAddress


def _download(name: str) -> Path:
    return download(HubFile.read(name))


def find(model: str, fetch: Callable[[str], Path] = _download) -> Place:
    """Where the model is that a person calls so. Whether it can be used shows when it is opened.

    Args:
        model: what a person calls it.
        fetch: how a model of a hub is had. It may take hours.
    Raises:
        ModelUnknown: no model of the package has this name, or no server this address.
        HubError: it could not be downloaded.
    """
    if model.startswith(REFERENCE):
        name = model.removeprefix(REFERENCE)
        if name not in reference.FILES:
            known = ", ".join(reference.NAMES)
            raise ModelUnknown(f"{model}: no reference model is called {name!r}; there are {known}")
        return ModelFile(reference.path(name), name)
    if is_remote(model):
        try:
            return ServerAddress.read(model)
        except ValueError as error:
            raise ModelUnknown(str(error)) from None
    if is_hub_name(model):
        return ModelFile(fetch(model))
    return ModelFile(Path(model).expanduser().absolute())


def _ignore(_: ModelState) -> None:
    pass


async def open_engine(
    model: str | Place,
    load: LoadSettings | None = None,
    settings: ProcessSettings | None = None,
    on_state: Callable[[ModelState], None] = _ignore,
) -> Engine:
    """Make a model ready to be asked. Whoever opens it closes it.

    Args:
        model: what a person calls it, or what `find` found.
        load: how it is loaded, if it runs here.
        settings: how its process is run; of a server only the limits of requests matter.
        on_state: called on the event loop whenever the model came up or went down.
    Raises:
        NodeError: as `find` raises.
        ModelError: it cannot be used; nothing runs then.
    """
    settings = settings or ProcessSettings()
    match await asyncio.to_thread(find, model) if isinstance(model, str) else model:
        case ModelFile(path=path):
            process = ModelProcess(path, load, settings, on_state)
            await process.start()
            return process
        case ServerAddress() as address:
            limits = RemoteSettings(
                parallel=(load or LoadSettings()).parallel,
                queue_max=settings.queue_max,
                request_timeout_ms=settings.request_timeout_ms,
                start_timeout_ms=settings.start_timeout_ms,
            )
            server = RemoteEngine(address, limits, on_state=lambda up, reason: on_state(ModelState(up, reason, 1)))
            await server.start()
            return server
