"""`make bench`: five nodes on this machine, measured; tables to read and, with --json, a file to compare."""

import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from node.lab.bench.measures import Score, quantile, wilson
from node.lab.bench.protocol import Alone, Memory, alone, ask, burst, memory
from node.lab.demo_federation import Federation
from node.lab.demo_tasks import right_answer
from node.lab.skills import SKILLS, sample
from node.model import reference

RULES = ("points", "plurality")
JOIN_WAIT_S = 60.0


def main(
    questions: Annotated[int, typer.Option(help="For the time of a decision, and as many at once.")] = 200,
    per_skill: Annotated[int, typer.Option(help="Held-out questions of each skill, for accuracy.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the questions.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write every figure to this file.")] = None,
) -> None:
    """Measure a moot of five nodes, each a process of its own with its own reference model."""
    out = Console(width=None if Console().is_terminal else 120)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="moot-bench-") as folder, Federation(Path(folder), reference.NAMES) as moot:
        moot.found("bench")
        for name in moot.names:
            moot.start(name)
        with _progress(out) as progress:
            for name in moot.names:
                moot.wait_for("all members alive", partial(_complete, moot, name), JOIN_WAIT_S)
            task = progress.add_task("one question after another", total=questions)
            timed = alone(moot, questions, seed, lambda: progress.advance(task))
            task = progress.add_task("many questions at once", total=questions)
            many = burst(moot, questions, seed + 1, lambda: progress.advance(task))
            task = progress.add_task("accuracy", total=per_skill * len(SKILLS))
            scores = _accuracy(moot, per_skill, seed + 2, lambda: progress.advance(task))
            weights = memory(moot)
    _show_times(out, timed)
    out.print(
        f"Many at once: {many.questions} questions in {many.seconds:.1f} s, "
        f"{many.questions / many.seconds:.1f} decisions a second, "
        f"{many.questions / max(1, many.slots):.1f} to a slot.\n"
    )
    _show_memory(out, weights)
    _show_accuracy(out, scores)
    figures.update(
        alone=asdict(timed),
        burst=asdict(many),
        memory=[asdict(one) for one in weights],
        accuracy={skill: score.report() for skill, score in scores.items()},
    )
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=1) + "\n")


def _complete(moot: Federation, name: str) -> bool | None:
    """Whether this node sees everybody and may vote."""
    client = moot.client(name)
    alive = sum(member["status"] == "alive" for member in client.members())
    return True if alive == len(moot.names) and not client.status()["watching"] else None


def _accuracy(moot: Federation, per_skill: int, seed: int, tick: Callable[[], None]) -> dict[str, Score]:
    rng = random.Random(seed)
    scores: dict[str, Score] = {}
    for skill in SKILLS:
        scores[skill] = Score()
        for number in range(per_skill):
            task = sample(skill, rng, held_out=True)
            node = moot.names[number % len(moot.names)]
            scores[skill].add(right_answer(task), {rule: ask(moot, node, task, rule) for rule in RULES})
            tick()
    return scores


def _progress(out: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=out,
        transient=True,
    )


def _show_times(out: Console, timed: Alone) -> None:
    table = Table(
        box=SIMPLE_HEAD, title=f"One question after another, {len(timed.protocol_ms)} questions, milliseconds"
    )
    for column in ("", "median", "90 %", "99 %", "worst"):
        table.add_column(column, justify="left" if not column else "right")
    rows = {
        "models: asked to last preference": timed.model_ms,
        "protocol: ready to proven": timed.protocol_ms,
        "whole: question to answer": timed.whole_ms,
    }
    for name, values in rows.items():
        table.add_row(name, *(f"{quantile(values, share):.0f}" for share in (0.5, 0.9, 0.99, 1.0)))
    out.print(table)


def _show_memory(out: Console, weights: list[Memory]) -> None:
    table = Table(box=SIMPLE_HEAD, title="Memory in MiB: resident (proportional)")
    for column in ("node", "node process", "model process"):
        table.add_column(column, justify="left" if column == "node" else "right")
    for one in weights:
        node = f"{one.node_rss_kib / 1024:.0f} ({one.node_pss_kib / 1024:.0f})"
        table.add_row(one.name, node, f"{one.model_rss_kib / 1024:.0f} ({one.model_pss_kib / 1024:.0f})")
    out.print(table)


def _show_accuracy(out: Console, scores: dict[str, Score]) -> None:
    """Members by their most frequent sample; the moot next to its best member, whichever way it comes out.

    "any" is where some member was right: what a perfect choice among members could reach.
    """
    members = sorted(next(iter(scores.values())).members)
    table = Table(box=SIMPLE_HEAD, title="Share of held-out questions answered right")
    for column in ("skill", *members, *RULES, "best member", "gain", "any"):
        table.add_column(column, justify="left" if column == "skill" else "right", no_wrap=True)
    whole = sum(scores.values(), Score())
    for skill, score in [*scores.items(), ("all", whole)]:
        best, right = score.best_member()
        gain = (score.decided[RULES[0]] - right) / score.asked
        shares = [score.members[name] for name in members] + [score.decided[rule] for rule in RULES]
        table.add_row(
            skill,
            *(f"{count / score.asked:.2f}" for count in shares),
            f"{best} {right / score.asked:.2f}",
            f"{gain:+.2f}",
            f"{score.anybody / score.asked:.2f}",
            end_section=skill == list(scores)[-1],
        )
    out.print(table)
    low, high = wilson(whole.decided[RULES[0]], whole.asked)
    best, right = whole.best_member()
    best_low, best_high = wilson(right, whole.asked)
    losses = [skill for skill, score in scores.items() if score.decided[RULES[0]] < score.best_member()[1]]
    out.print(
        f"All {whole.asked} questions, 95 % intervals: the moot {low:.2f} to {high:.2f}, its best member {best} "
        f"{best_low:.2f} to {best_high:.2f}.\n"
        f"The moot is worse than the best member of that skill on: {', '.join(losses) or 'none'}.\n"
        f"{whole.forward_passes / whole.asked:.0f} forward passes and "
        f"{whole.generated_tokens / whole.asked:.0f} tokens a question; two members that both err give the same "
        f"answer {whole.same_wrong / max(1, whole.wrong_pairs):.0%} of the time."
    )


if __name__ == "__main__":
    typer.run(main)
