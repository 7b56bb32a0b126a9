"""The reference models shipped with the package: small specialists trained by this project, ready to run offline."""

import json
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

TEAM: tuple[str, ...] = ("abacus", "almanac", "sage", "scribe", "sorter")
"""The five of whom the demonstration and the benchmark found a moot."""

NAMES: tuple[str, ...] = TEAM

_FOLDER = Path(__file__).parent


def path(name: str) -> Path:
    """The GGUF file of a reference model.

    Raises:
        KeyError: no reference model has this name; the message lists those that exist.
    """
    return _FOLDER / f"{_known(name)}.gguf"


def card(name: str) -> MappingProxyType[str, Any]:
    """What is known of a reference model: digest, strong skills, parameters, training, accuracy per skill.

    Raises:
        KeyError: no reference model has this name; the message lists those that exist.
    """
    return MappingProxyType(_cards()[_known(name)])


def _known(name: str) -> str:
    if name not in NAMES:
        raise KeyError(f"no reference model is called {name!r}; there are {', '.join(NAMES)}")
    return name


@cache
def _cards() -> dict[str, dict[str, Any]]:
    cards: dict[str, dict[str, Any]] = json.loads((_FOLDER / "cards.json").read_text(encoding="utf-8"))
    return cards
