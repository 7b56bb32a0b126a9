"""From a measurement of a live moot to what its node remembers: the classes, and who alone does better in which."""

import os
import random
from pathlib import Path

from coordinator.signed import Digest
from node.lab.evaluate.comparing import fallback
from node.lab.evaluate.items import of_task
from node.lab.evaluate.measure import Measured
from node.lab.skills import SKILLS, sample
from node.recognizer import Recognizer, learned
from node.standing import ClassStanding, Seat, Standing

TEXTS = 400
"""Questions of a skill from which it is learned to recognize it. They need not be answered, so they cost nothing."""


def standing_of(measured: Measured, moot: Digest, measured_ms: int, seed: int) -> Standing:
    """By the first way, which is to be the moot's own voting rule.

    A member answers with as many samples alone as together, since so it would be asked.
    """
    way = measured.ways[0]
    seats = zip(measured.nodes, measured.members, measured.digests, strict=True)
    return Standing(
        measured_ms,
        moot,
        way,
        {node: Seat(name, digest or None) for node, name, digest in seats},
        {group: _class_standing(measured, way, group) for group in measured.groups()},
        _recognizer(measured, seed),
    )


def replace_file(path: Path, data: bytes) -> None:
    """Whoever reads it meanwhile has the old or the new one whole."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _class_standing(measured: Measured, way: str, group: str) -> ClassStanding:
    places = measured.places(group)
    together = sum(measured.verdicts[way][place].answer == measured.cases[place].item.right for place in places)
    members = range(len(measured.members))
    right = [sum(measured.is_right(place, member) for place in places) for member in members]
    best, against = fallback(measured, way, group)
    return ClassStanding(
        len(places),
        together,
        dict(zip(measured.nodes, right, strict=True)),
        measured.nodes[best],
        against.verdict == "better",
        (against.difference, *against.interval),
    )


def _recognizer(measured: Measured, seed: int) -> Recognizer:
    """From the questions that were asked, and of a skill of the suite from further ones."""
    texts: dict[str, list[str]] = {}
    levels: dict[str, set[int]] = {}
    for case in measured.cases:
        texts.setdefault(case.item.group, []).append(case.item.prompt)
        levels.setdefault(case.item.group, set()).add(case.item.level)
    for group in sorted(texts.keys() & SKILLS.keys()):
        rng = random.Random(f"{seed}:{group}:texts")
        asked = sorted(levels[group] - {0})
        if asked:
            texts[group] += [of_task(sample(group, rng, True, rng.choice(asked))).prompt for _ in range(TEXTS)]
    return learned(texts)
