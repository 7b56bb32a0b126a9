"""`moot demo`: five nodes on this machine, shown scene by scene."""

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from node.cli.options import JsonOption, home_path
from node.cli.terminal import answer_json, say
from node.errors import Exit, NodeError

SEED = 25  # the first questions are none that a model may not know: one member is killed then, and three must answer
QUESTIONS = 10
QUESTIONS_MAX = 200


class DirectoryInUse(NodeError):
    """The demo does not mix its files with others."""

    exit_code = Exit.USAGE


def demo(
    directory: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where the homes go; empty or new. Default: a new one.")
    ] = None,
    clean: Annotated[bool, typer.Option("--clean/--keep", help="Remove the homes at the end, or leave them.")] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Chooses the questions.")] = SEED,
    questions: Annotated[int, typer.Option(metavar="N", min=4, max=QUESTIONS_MAX, help="How many.")] = QUESTIONS,
    no_color: Annotated[bool, typer.Option("--no-color", help="Plain text, as without a terminal.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Watch five nodes decide, lose one of them, and prove it."""
    if no_color:
        os.environ["NO_COLOR"] = "1"
    from node.cli.demo_view import View
    from node.lab.demo import Demo
    from node.lab.demo_federation import Federation
    from node.lab.demo_tasks import draw_tasks
    from node.model import reference

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    place = _directory(directory)
    try:
        with Federation(place, reference.TEAM) as federation, View() as view:
            for scene in Demo(federation, draw_tasks(seed, questions)).play():
                if as_json:
                    answer_json({"scene": type(scene).__name__, **asdict(scene)})
                else:
                    view.show(scene)
    except NodeError:
        say(("the homes and logs are in ", "dim"), str(place))
        raise
    if clean:
        shutil.rmtree(place)
    elif not as_json:
        view.show_way_on(place)


def _directory(given: Path | None) -> Path:
    """An empty directory for the homes.

    Raises:
        DirectoryInUse: there is something in it, or it cannot be made.
    """
    if given is None:
        return Path(tempfile.mkdtemp(prefix="moot-demo-"))
    place = home_path(given)
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(place.iterdir()):
            raise DirectoryInUse(f"{place}: not empty; name a new directory, or remove this one")
    except OSError as error:
        raise DirectoryInUse(f"{place}: cannot be used: {error.strerror}") from error
    return place


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """Leave as after an error, so that every process that was started is ended."""
    with suppress(ValueError):
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)
