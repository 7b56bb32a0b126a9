"""`moot quorums`: whether a network can ever decide two things at once, and how many of its nodes may fail."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from node.cli import show
from node.cli.network_file import SIZE_MAX, Network, NetworkFileError, read_network
from node.cli.options import JsonOption
from node.cli.terminal import answer, answer_json, console
from node.errors import Exit, NodeError

SHOWN_MAX = 12
"""Names in a line; the rest is counted. JSON holds them all."""

SECONDS, MEMORY_MIB, MEMORY_MIB_MIN = 60, 1_024, 64

Parts = Mapping[str, Mapping[str, Any]]
"""What the check found until it ended, by part."""

VERDICTS = {
    Exit.OK: ("intersects", "every two quorums share a node"),
    Exit.QUORUMS_SPLIT: ("split", "two quorums share no node, so they could decide differently"),
    Exit.QUORUMS_UNKNOWN: (
        "unknown",
        "the check was ended before it had an answer; give it more --seconds or --memory",
    ),
    Exit.QUORUMS_NONE: ("no quorum", "nothing can be decided: everybody needs somebody who cannot be satisfied"),
}


class NotANetwork(NodeError):
    """The file cannot be read as a network."""

    exit_code = Exit.NOT_A_NETWORK


class UnreadableNetwork(NodeError):
    """The file that the person named is not there, or not theirs to read."""

    exit_code = Exit.USAGE


def quorums(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A network's nodes and quorum sets, or a genesis.")],
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="How long the check may take.")] = SECONDS,
    memory: Annotated[
        int, typer.Option("--memory", metavar="MIB", min=MEMORY_MIB_MIN, help="How much memory it may take.")
    ] = MEMORY_MIB,
    as_json: JsonOption = False,
) -> None:
    """Check that a network cannot decide twice."""
    data = _read(file)
    try:
        network = read_network(data)
    except NetworkFileError as error:
        raise NotANetwork(f"{file}: {error}") from error
    parts = _check(data, seconds, memory)
    verdict = _verdict(parts)
    if as_json:
        answer_json({"verdict": VERDICTS[verdict][0], **parts})
    else:
        answer(": ".join(VERDICTS[verdict]))
        for name, value in _lines(parts, network):
            console().print(show.fact(name, value), soft_wrap=True)
    if verdict is not Exit.OK:
        raise typer.Exit(int(verdict))


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(SIZE_MAX + 1)
    except OSError as error:
        raise UnreadableNetwork(f"{file}: {error.strerror}") from error


def _check(data: bytes, seconds: float, memory_mib: int) -> Parts:
    """Run the check in a process of its own; what it found until it ended or was ended."""
    command = [sys.executable, "-m", "node.cli.quorums_check", str(memory_mib * 1024 * 1024)]
    try:
        found = subprocess.run(command, input=data, stdout=subprocess.PIPE, timeout=seconds, check=False).stdout  # noqa: S603 - our own
    except subprocess.TimeoutExpired as ended:
        found = ended.stdout or b""
    whole_lines = found.decode().split("\n")[:-1]
    reports = [json.loads(line) for line in whole_lines]
    return {report.pop("part"): report for report in reports}


def _verdict(parts: Parts) -> Exit:
    match parts.get("intersection"):
        case {"verdict": "split"}:
            return Exit.QUORUMS_SPLIT
        case {"verdict": "intersects", "has_quorum": has_quorum}:
            return Exit.OK if has_quorum else Exit.QUORUMS_NONE
        case _:
            return Exit.QUORUMS_UNKNOWN


def _lines(parts: Parts, network: Network) -> Iterable[tuple[str, str]]:
    """What was found, one fact a line."""
    names = network.names
    intersection = parts.get("intersection", {})
    yield "network", f"{show.plural(len(network.places), 'node')}, {len(network.sets)} with a known quorum set"
    for name, quorum in zip(("one", "another"), intersection.get("quorums") or (), strict=False):
        yield name, _listed([names[node] for node in quorum])
    if intersection.get("core"):
        yield "core", f"{show.plural(len(intersection['core']), 'node')}; whoever else is there only looks on"
    if not intersection.get("core") or intersection["verdict"] != "intersects":
        return
    yield "may crash", _tolerated(parts.get("crashes"), names, "down, nothing is decided")
    yield "may lie", _tolerated(parts.get("lies"), names, "lying together, others can decide differently")
    yield "critical", _critical(parts.get("nodes"), "node", names)
    if network.organizations:
        yield "", _critical(parts.get("organizations"), "organization", {})


def _tolerated(found: Mapping[str, Any] | None, names: Mapping[str, str], then: str) -> str:
    if found is None:
        return "not found out in time"
    count = show.plural(max(0, found["count"]), "node")
    if not found["exact"]:
        return f"any {count}, perhaps more: not found out in time"
    if found["breaking"] is None:
        return "any number: nobody can be set against another"
    with_whom = _listed([names[node] for node in found["breaking"]])
    return f"{f'any {count}' if found['count'] else 'not even one'}; with {with_whom} {then}"


def _critical(found: Mapping[str, Any] | None, noun: str, names: Mapping[str, str]) -> str:
    if found is None:
        return f"each {noun}: not found out in time"
    named = [names.get(group, group) for group in found["groups"]]
    said = f"{_listed(named)} alone can set others against each other" if named else f"no {noun}"
    if found["unchecked"]:
        said += f"; {show.plural(len(found['unchecked']), noun)} not checked in time"
    return said


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN_MAX])
    return f"{shown} and {len(names) - SHOWN_MAX} more" if len(names) > SHOWN_MAX else shown
