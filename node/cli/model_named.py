"""Which model a command is about, and how it is loaded: as its options say, else as the home's settings do."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from node.cli.fetch import fetch
from node.cli.model_errors import sane
from node.cli.options import home_path
from node.model.engine import LoadSettings
from node.model.opening import Place, find


@dataclass(frozen=True, slots=True)
class Named:
    """A model that was found, though it may not be usable.

    Args:
        text: what the person called it, or the settings do.
    """

    text: str
    place: Place
    load: LoadSettings


def named(model: str | None, home: Path, **load: int | None) -> Named:
    """Find the model.

    Args:
        model: what the person called it; None for the home's.
        home: as given.
        load: the fields of LoadSettings that were given.
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
    with sane():
        settings = replace(settings, **_given(load))
    return Named(model, find(model, lambda name: Path(fetch(name))), settings)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
