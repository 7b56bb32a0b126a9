"""The process that checks a network for `moot quorums`: a description on stdin, findings on stdout, a JSON line each.

A process of its own, since the check may need more time or memory than a person wants to give. What it found before it
was ended stays found.
"""

import dataclasses
import json
import resource
import sys
from collections.abc import Mapping
from typing import Any

from coordinator.voting import Verdict, check_intersection, critical_groups, tolerated_crashes, tolerated_lies
from node.cli.network_file import read_network

VERDICT_STEPS_MAX = 2**62  # as long as the caller waits
FAULT_STEPS_MAX = 200_000  # for each question that follows, so that the first does not take all the time


def main() -> None:
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    try:
        _check(sys.stdin.buffer.read())
    except MemoryError:
        sys.exit(1)


def _check(data: bytes) -> None:
    network = read_network(data)
    sets = network.sets
    _progress(f"{len(network.places)} nodes, {len(sets)} of them with a quorum set: do all quorums intersect?")
    found = check_intersection(sets, VERDICT_STEPS_MAX)
    _tell("intersection", found)
    if found.verdict is not Verdict.INTERSECTS or not found.has_quorum:
        return
    _progress("how many may crash?")
    _tell("crashes", tolerated_crashes(sets, FAULT_STEPS_MAX))
    _progress("who could split the others alone?")
    nodes = {node.decode(): [node] for node in found.core}
    _tell("nodes", critical_groups(sets, nodes, FAULT_STEPS_MAX))
    _tell("organizations", critical_groups(sets, _of(network.organizations, found.core), FAULT_STEPS_MAX))
    _progress("how many may lie?")
    _tell("lies", tolerated_lies(sets, FAULT_STEPS_MAX))


def _of(organizations: Mapping[str, list[bytes]], core: tuple[bytes, ...]) -> dict[str, list[bytes]]:
    """Those with a node in the core."""
    return {name: nodes for name, nodes in organizations.items() if any(node in core for node in nodes)}


def _tell(part: str, found: Any) -> None:
    report = {"part": part, **dataclasses.asdict(found)}
    sys.stdout.write(json.dumps(report, default=_plain) + "\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value.value if isinstance(value, Verdict) else value


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
