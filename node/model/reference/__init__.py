"""The reference models shipped with the package: small ones trained by this project, ready to run offline."""

import json
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

SPECIALISTS: tuple[str, ...] = ("abacus", "almanac", "logician", "sage", "scribe", "sorter")
"""The base with an adapter each, which is there merged in and alone."""

GENERALISTS: tuple[str, ...] = ("steward", "elder")
"""A small one, and one of three times its size."""

BASE = "base"
"""What all others started from and what the adapters are for; no member of a moot, since each other one knows more."""

NAMES: tuple[str, ...] = tuple(sorted((*SPECIALISTS, *GENERALISTS)))

TEAM: tuple[str, ...] = ("abacus", "almanac", "sage", "scribe", "sorter")
"""The five of whom the demonstration and the benchmark found a moot."""

FILES: tuple[str, ...] = (BASE, *NAMES)
"""All that `path` finds."""

_FOLDER = Path(__file__).parent


def path(name: str) -> Path:
    """The GGUF file of a reference model.

    Raises:
        KeyError: no reference model has this name; the message lists those that exist.
    """
    return _FOLDER / f"{_known(name)}.gguf"


def adapter(name: str) -> Path:
    """The GGUF file of a specialist's adapter, which makes of the base what the specialist is.

    Raises:
        KeyError: no reference model has this name, or it has no adapter; the message lists those that have.
    """
    if _known(name) not in SPECIALISTS:
        raise KeyError(f"{name} has no adapter; {', '.join(SPECIALISTS)} have one each, for {BASE}")
    return _FOLDER / f"{name}.lora.gguf"


def card(name: str) -> MappingProxyType[str, Any]:
    """What is known of a reference model: digest, strong skills, parameters, training, and all that was measured.

    Raises:
        KeyError: no reference model has this name; the message lists those that exist.
    """
    return MappingProxyType(_cards()[_known(name)])


def _known(name: str) -> str:
    if name not in FILES:
        raise KeyError(f"no reference model is called {name!r}; there are {', '.join(NAMES)}")
    return name


@cache
def _cards() -> dict[str, dict[str, Any]]:
    cards: dict[str, dict[str, Any]] = json.loads((_FOLDER / "cards.json").read_text(encoding="utf-8"))
    return cards
