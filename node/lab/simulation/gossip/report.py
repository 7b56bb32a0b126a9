"""The way in: measure, say it in a table, write it to files."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from node.lab.simulation.gossip.measure import SEEDS, SIZES, Measurements, Progress, measure
from node.lab.simulation.gossip.plots import draw_all
from node.lab.simulation.gossip.summary import Summary
from node.lab.simulation.gossip.targets import targets

__all__ = ["SEEDS", "SIZES", "Measurements", "Progress", "measure", "table", "write"]

FIGURES: tuple[tuple[str, str, str], ...] = (
    ("crashes", "first_ms", "crash: first suspicion, ms"),
    ("crashes", "all_ms", "crash: dead to everybody, ms"),
    ("crashes", "idle_bytes", "bytes/s of a node, idle"),
    ("crashes", "failing_bytes", "bytes/s of a node, crash"),
    ("spread", "most_ms", "news to 99 %, ms"),
    ("spread", "all_ms", "news to all, ms"),
    ("spread", "complete", "share of news that reach all"),
    ("join", "known_ms", "join: known to all, ms"),
    ("join", "knows_ms", "join: knows all, ms"),
    ("restart", "alive_ms", "all restart: all alive, ms"),
    ("heal", "healed_ms", "partition healed, ms"),
    ("stalls", "deaths", "4 % stall 120 s: well ones dead"),
    ("stalls", "well_suspected", "4 % stall 120 s: suspected"),
    ("accuser", "deaths", "one accuses all: dead"),
)
"""Experiment, figure, and what it is called in the table."""


def table(found: Measurements) -> str:
    """Every figure at every size, then every target, as plain text."""
    head = ("figure", "nodes", "mode", "loss", "runs", "never", "mean", "95 % interval", "median", "95 %", "worst")
    rows: list[tuple[str, ...]] = [head]
    for experiment, figure, title in FIGURES:
        for one in found.summaries:
            if (one.experiment, one.figure) == (experiment, figure):
                rows.append((title, *_cells(one)))
    verdicts = {True: "met", False: "MISSED", None: "-"}
    promised: list[tuple[str, ...]] = [("target", "wanted", "measured", "")]
    promised += [(one.what, one.wanted, one.measured, verdicts[one.met]) for one in targets(found)]
    return f"{_aligned(rows)}\n\n{_aligned(promised)}\n"


def write(found: Measurements, directory: Path) -> list[Path]:
    """Write `gossip.json`, `gossip.txt` and the plots with their data into a directory, which is made.

    Returns:
        The files.
    Raises:
        PlotsMissing: matplotlib is not installed; the other files are written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    document = {
        "sizes": found.sizes,
        "seeds": found.seeds,
        "summaries": [_finite(asdict(one)) for one in found.summaries],
        "targets": [asdict(one) for one in targets(found)],
    }
    figures, text = directory / "gossip.json", directory / "gossip.txt"
    figures.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    text.write_text(table(found), encoding="utf-8")
    return [figures, text, *draw_all(found, directory)]


def _cells(one: Summary) -> tuple[str, ...]:
    interval = f"{_short(one.low)} .. {_short(one.high)}" if one.low < one.high else "-"
    found = (str(one.nodes), one.mode, f"{one.loss:.0%}", str(one.count), str(one.never), _short(one.mean), interval)
    return (*found, *(_short(value) for value in (one.p50, one.p95, one.worst)))


def _finite(parts: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: null is never."""
    return {name: None if value == math.inf else value for name, value in parts.items()}


def _short(value: float) -> str:
    if math.isinf(value):
        return "never"
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
