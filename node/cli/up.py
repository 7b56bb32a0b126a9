"""`moot up`: run the node of a home in the foreground, until it is told to stop."""

import logging
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from node.api import StatusReport
from node.cli import show
from node.cli.options import DEFAULT_HOME, HomeOption, JsonOption, home_path
from node.cli.terminal import answer_json, console, say


class Level(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def up(
    home: HomeOption = Path(DEFAULT_HOME),
    log_level: Annotated[
        Level | None, typer.Option("--log-level", help="What to log. Default: as the settings say.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No banner, and only warnings are logged.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the node until Ctrl-C or SIGTERM."""
    from node.home import Home
    from node.settings import load

    place = home_path(home)
    default = "warning" if quiet else load(Home.find(place).settings).node.log_level
    level = log_level.value if log_level else default
    _log_to_stderr(level)

    import asyncio

    from node.runtime import run  # brings gRPC, the store and the model's process: only this command needs them

    def ready(status: StatusReport) -> None:
        if as_json:
            answer_json(status)
        elif not quiet:
            _print_banner(status, place)

    if not quiet:
        say((f"starting {place}; ready when a quorum has met", "dim"))
    asyncio.run(run(place, ready=ready))
    if not quiet:
        say(("stopped", "dim"))


def _print_banner(status: StatusReport, home: Path) -> None:
    out = console(error=True)
    for line in show.status_lines(status):
        out.print(line, soft_wrap=True)
    alive = f"{status['members_alive']} of {show.plural(status['members'], 'member')}"
    if status["members_alive"] < status["threshold"]:
        alive += "; nothing is decided before more are up"
    out.print(show.fact("alive", alive), soft_wrap=True)
    if not status["in_roster"]:
        out.print(show.fact("roster", show.FOLLOWS), soft_wrap=True)
    out.print(show.fact("home", str(home)), soft_wrap=True)
    out.print(show.fact("ask", f"moot ask QUESTION --home {home}"), soft_wrap=True)


def _log_to_stderr(level: str) -> None:
    """One line per event: time in UTC, level, the event's name, key=value."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
