"""How long a decision takes beside its models, one question at a time and many at once; and what a node weighs."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from node.api import DecisionReport
from node.lab.demo_federation import Federation
from node.lab.skills import SKILLS, Task, sample

ASK_WAIT_S = 60.0
CALLERS = 40


@dataclass(frozen=True, slots=True)
class Alone:
    """Milliseconds per question, asked one after another at one node after another."""

    protocol_ms: tuple[float, ...]
    """From ready to proven, at the node asked."""
    model_ms: tuple[float, ...]
    """From asked to the last preference."""
    whole_ms: tuple[float, ...]
    """From the caller's question to its answer."""


@dataclass(frozen=True, slots=True)
class Burst:
    """Many questions asked at once, all nodes alike."""

    questions: int
    seconds: float
    slots: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one node. Proportional set size: what it shares with others is counted in equal parts."""

    name: str
    node_rss_kib: int
    node_pss_kib: int
    model_rss_kib: int
    model_pss_kib: int


def ask(federation: Federation, node: str, task: Task, tally: str | None = None) -> DecisionReport:
    """Ask one question and wait for its end."""
    client = federation.client(node)
    events = client.ask(task.text, task.kind, task.options, None, tally, ASK_WAIT_S)
    return next(event["decision"] for event in events if "decision" in event)


def alone(federation: Federation, questions: int, seed: int, tick: Callable[[], None]) -> Alone:
    rng = random.Random(seed)
    skills = sorted(SKILLS)
    protocol, model, whole = [], [], []
    for number in range(questions):
        task = sample(skills[number % len(skills)], rng, held_out=True)
        began = time.monotonic()
        report = ask(federation, federation.names[number % len(federation.names)], task)
        whole.append((time.monotonic() - began) * 1_000)
        assert report["protocol_ms"] is not None and report["model_ms"] is not None, "asked here, so timed here"
        protocol.append(report["protocol_ms"])
        model.append(report["model_ms"])
        tick()
    return Alone(tuple(protocol), tuple(model), tuple(whole))


def burst(federation: Federation, questions: int, seed: int, tick: Callable[[], None]) -> Burst:
    rng = random.Random(seed)
    tasks = [sample(rng.choice(sorted(SKILLS)), rng, held_out=True) for _ in range(questions)]
    client = federation.client(federation.names[0])
    before, began = client.status()["height"], time.monotonic()

    def one(number: int) -> None:
        ask(federation, federation.names[number % len(federation.names)], tasks[number])
        tick()

    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(one, range(questions)))
    seconds = time.monotonic() - began
    return Burst(questions, seconds, client.status()["height"] - before)


def memory(federation: Federation) -> list[Memory]:
    found = []
    for name, pid in federation.pids.items():
        node, model = _sizes(pid), [0, 0]
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            model = [total + size for total, size in zip(model, _sizes(int(child)), strict=True)]
        found.append(Memory(name, *node, *model))
    return found


def _sizes(pid: int) -> tuple[int, int]:
    """Resident and proportional set size, KiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split()[0]: int(line.split()[1]) for line in lines}
    return sizes["Rss:"], sizes["Pss:"]
