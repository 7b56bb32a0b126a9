"""Runs of `moot evaluate`: with progress on the terminal, and with what is measured so far when a person ends them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import typer

from node.cli.evaluate_progress import Watching
from node.cli.terminal import print_table, say
from node.control_client import ControlClient
from node.errors import Exit, NodeError
from node.home import Home
from node.lab.ending import ended_politely
from node.lab.evaluate.exchanges import Terms
from node.lab.evaluate.items import Item
from node.lab.evaluate.live import LiveMoot
from node.lab.evaluate.measure import Measured, measure, prepare
from node.lab.evaluate.standings import replace_file, standing_of
from node.lab.evaluate.team import Team, seats
from node.lab.evaluate.ways import WAYS
from node.model import reference
from node.model.opening import REFERENCE

ALONE, SAMPLED = "alone", "sampled"
SINGLE = MappingProxyType(
    {ALONE: "each member's likeliest answer", SAMPLED: "each member's most frequent answer of its samples"}
)
"""Ways of single members; the second is always measured, as the others are built on it."""
LIVE_WAY = "points"


class UnknownWay(NodeError):
    """No way of answering has this name."""

    exit_code = Exit.USAGE


class NotWritten(NodeError):
    """What was measured cannot be kept."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a person wants measured, and how."""

    members: Sequence[str]
    ways: Sequence[str]
    samples: int
    alone_max: int
    temperature: float
    tokens_max: int
    seed: int
    at_once: bool


def list_ways() -> None:
    rows = [[name, about] for name, about in SINGLE.items()] + [[name, way.about] for name, way in WAYS.items()]
    print_table(["way", "about"], rows)


def measure_models(order: Order, items: Sequence[Item]) -> tuple[Measured, bool]:
    """What was measured, and whether it is all of it."""
    known = [*SINGLE, *WAYS]
    unknown = [way for way in order.ways if way not in known]
    if unknown:
        raise UnknownWay(f"--way {', '.join(unknown)}: there are {', '.join(known)}")
    ways = list(dict.fromkeys(order.ways)) or known
    members = seats(order.members or [f"{REFERENCE}{name}" for name in reference.NAMES])
    terms = Terms(order.samples, order.temperature, order.tokens_max, order.seed)
    found: list[Measured] = []

    async def run(watcher: Watching) -> None:
        async with Team(members, at_once=order.at_once) as team:
            await team.meet()
            found.append(prepare(team, ways))
            found[0].alone_max = order.alone_max
            await measure(team, items, ways, terms, watcher, found[0])

    return _watched(found, lambda watcher: asyncio.run(run(watcher)))


def measure_moot(order: Order, items: Sequence[Item], home: Path) -> tuple[Measured, bool]:
    """The same of a live moot, whose charter says how many samples its members draw."""
    moot = LiveMoot(ControlClient(home))
    found = [moot.prepare(list(dict.fromkeys(order.ways)) or [LIVE_WAY])]
    found[0].alone_max = order.alone_max
    return _watched(found, lambda watcher: moot.measure(items, watcher, found[0]))


def remember(measured: Measured, home: Path, seed: int) -> None:
    """Let the node know in which classes one member alone does better than all; what was known before is replaced."""
    status = ControlClient(home).status()
    standing = standing_of(measured, bytes.fromhex(status["moot"]), time.time_ns() // 1_000_000, seed)
    path = Home(home).standing
    try:
        replace_file(path, standing.write())
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written ({error.strerror})") from error
    better = ", ".join(name for name, one in standing.classes.items() if one.better) or "no class"
    say(f"{path.name}: by default one member alone answers, from now on, questions of: {better}")


def _watched(found: list[Measured], run: Callable[[Watching], None]) -> tuple[Measured, bool]:
    with ended_politely(), Watching() as watcher:
        try:
            run(watcher)
        except KeyboardInterrupt:
            if not found:
                say(("ended before anything was measured", "yellow"))
                raise typer.Exit(Exit.INTERRUPTED) from None
            return found[0], False
    return found[0], True
