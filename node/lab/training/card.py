"""Model cards: what each model was trained on, and what was measured of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from node.lab.training.files import adapter_in, model_in
from node.lab.training.measuring import alike, fingerprint, measure, side_by_side
from node.lab.training.plan import BASE, COURSES, Course, known_facts
from node.lab.training.rendering import rendered


@dataclass(frozen=True, slots=True)
class Trained:
    """What a checkpoint tells of its training; `tokens` are those read, padding included."""

    parameters: int
    rounds: int
    steps: int
    tokens: int


def measured(course: Course, work: Path, out: Path) -> dict[str, Any]:
    """What `measuring` tells of a course's files; read from the work folder when they have been measured before."""
    model, adapter, base = model_in(out, course), adapter_in(out, course), model_in(out, BASE)
    kept = work / f"{course.name}.measured.json"
    now = fingerprint([model, base, adapter] if course.rank else [model])
    if kept.exists():
        before: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        if before["fingerprint"] == now:
            return before
    found = measure(model) | {"fingerprint": now}
    if course.rank:
        found["adapter"] = side_by_side(model, base, adapter, course.strong)
    kept.write_text(json.dumps(found), encoding="utf-8")
    return found


def described(course: Course, out: Path, trained: Trained, found: Mapping[str, Any]) -> dict[str, Any]:
    """The card of one model, as `cards.json` holds it."""
    card = {
        "about": course.about,
        **_file(model_in(out, course)),
        "parameters": trained.parameters,
        "quantization": "Q8_0",
        "strong": list(course.strong),
        "start": course.start,
        "mixture": dict(course.weights),
        "facts_shown": len(known_facts(course)),
        "training": {**asdict(trained), "rows_per_round": course.rows, "seed": course.seed},
        **{key: found[key] for key in ("accuracy", "calibration", "ways", "speed")},
    }
    if course.rank:
        card["adapter"] = {**_file(adapter_in(out, course)), "rank": course.rank, **found["adapter"]}
    return card


def _file(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def write_cards(trained: Mapping[str, Trained], found: Mapping[str, Mapping[str, Any]], out: Path) -> None:
    """Write `cards.json` for programs and `MODELCARD.md` for people."""
    cards = {course.name: described(course, out, trained[course.name], found[course.name]) for course in COURSES}
    for name, errors in alike({name: one["answers"] for name, one in found.items()}).items():
        cards[name]["errs_with"] = errors
    text = json.dumps(cards, indent=2, sort_keys=True) + "\n"
    (out / "cards.json").write_text(text, encoding="utf-8")
    (out / "MODELCARD.md").write_text(rendered(cards), encoding="utf-8")
