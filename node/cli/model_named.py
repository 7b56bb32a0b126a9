"""Which model a command is about, how it is loaded and changed: as its options say, and the home's settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from node.cli.fetch import fetch
from node.cli.model_errors import sane
from node.cli.options import home_path
from node.model import reference
from node.model.engine import Engine, LoadSettings
from node.model.local.settings import ProcessSettings
from node.model.opening import REFERENCE, ModelUnknown, Place, find, open_engine
from node.model.requests import AdapterUse


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """Args: scale: 1 is as trained."""

    path: Path
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Named:
    """A model that was found, though it may not be usable.

    Args:
        text: what the person called it, or the settings do.
        adapters: that change it.
    """

    text: str
    place: Place
    load: LoadSettings
    adapters: tuple[AdapterFile, ...] = ()


def named(
    model: str | None, home: Path, load: Mapping[str, int | None], adapters: tuple[AdapterFile, ...] = ()
) -> Named:
    """Find the model.

    Args:
        model: what the person called it; None for the home's.
        home: as given.
        load: the fields of LoadSettings, None for what was not given.
        adapters: that were given; those of a home's model come before.
    Raises:
        NodeError: there is none; the message says what to do.
    """
    settings = LoadSettings()
    if model is None:
        from node.home import Home
        from node.settings import load as load_settings

        section = load_settings(Home.find(home_path(home)).settings).model
        model = section.file
        kept = {name: getattr(section, name, None) for name in LoadSettings.__dataclass_fields__}
        settings = replace(settings, **_given(kept))
        adapters = (*(AdapterFile(Path(adapter)) for adapter in section.adapters), *adapters)
    with sane():
        settings = replace(settings, **_given(load))
    return Named(model, find(model, lambda name: Path(fetch(name))), settings, adapters)


async def open_named(chosen: Named, settings: ProcessSettings | None = None) -> tuple[Engine, tuple[AdapterUse, ...]]:
    """Open it, with its adapters added; and what a request says to use them. Whoever opens it closes it.

    Raises:
        ModelError: it cannot be used, or an adapter with it; nothing runs then.
        WrongModelOption: a scale cannot be.
    """
    engine = await open_engine(chosen.place, chosen.load, settings)
    try:
        scales: dict[bytes, float] = {}
        for file in chosen.adapters:  # one that is named twice changes the model twice as much
            digest = (await engine.add_adapter(file.path)).digest
            scales[digest] = scales.get(digest, 0.0) + file.scale
        with sane():
            return engine, tuple(AdapterUse(digest, scale) for digest, scale in scales.items())
    except BaseException:
        await engine.close()
        raise


def adapter_path(text: str) -> Path:
    """Where the adapter is that a person calls so: a file, or reference:NAME.

    Raises:
        ModelUnknown: no reference model of this name has one.
    """
    if not text.startswith(REFERENCE):
        return Path(text).expanduser().absolute()
    try:
        return reference.adapter(text.removeprefix(REFERENCE))
    except KeyError as error:
        raise ModelUnknown(f"{text}: {error.args[0]}") from None


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
