"""Options that several commands share, and what they stand for."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_HOME = "~/.moot"

HomeOption = Annotated[
    Path,
    typer.Option("--home", metavar="DIR", envvar="MOOT_HOME", help="The node's home: its key, settings and store."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def home_path(home: Path) -> Path:
    return home.expanduser().absolute()


def print_help(context: typer.Context) -> None:
    """Help without an error: with rich, typer prints it itself and returns nothing."""
    if text := context.get_help():
        typer.echo(text)
