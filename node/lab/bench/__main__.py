"""`make bench`: decisions and the model engine, measured; tables to read and, with --json, a file to compare."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from node.lab.ending import ended_politely


class What(StrEnum):
    ALL = "all"
    DECISIONS = "decisions"
    ENGINE = "engine"


def main(
    what: Annotated[What, typer.Argument(help="What to measure.")] = What.ALL,
    questions: Annotated[int, typer.Option(min=1, help="Of decisions: one after another, and as many at once.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the questions.")] = 1,
    rounds: Annotated[int | None, typer.Option(min=1, help="Of the engine. Default: 3 small, 2 large.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Of the engine: for each measurement, about.")] = 1.5,
    small_only: Annotated[bool, typer.Option("--small-only", help="Of the engine: only the small model.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every figure to this file.")] = None,
) -> None:
    """Measure how fast a moot decides, and how fast its models answer."""
    out = Console(width=None if Console().is_terminal else 120)
    figures: dict[str, Any] = {}
    with ended_politely():  # what was started for it is to end with it
        if what is not What.ENGINE:
            from node.lab.bench.decisions import measure_decisions

            figures["decisions"] = measure_decisions(out, questions, seed)
        if what is not What.DECISIONS:
            from node.lab.bench.engine.measure import measure_engine

            figures["engine"] = measure_engine(out, rounds, seconds, small_only=small_only)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
