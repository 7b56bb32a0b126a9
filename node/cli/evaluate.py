"""`moot evaluate`: how often models are right, alone and together, beside their best member at the same cost."""

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from node.cli.options import home_path
from node.cli.terminal import console, say
from node.errors import Exit, NodeError

if TYPE_CHECKING:
    from node.lab.evaluate.items import Item
    from node.lab.evaluate.measure import Measured

QUESTIONS = 60
QUESTIONS_MAX = 100_000
SAMPLES_MAX = 64
ALONE_SAMPLES, ALONE_MAX = 100, 10_000
TOKENS_MAX = 128


class WrongOption(NodeError):
    """What was asked for does not exist, or does not go together."""

    exit_code = Exit.USAGE


def evaluate(
    members: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...", help="reference:NAME, a GGUF file, MODEL+ADAPTER. Default: the package's."
        ),
    ] = None,
    skills: Annotated[str | None, typer.Option(metavar="A,B", help="Of the reference suite. Default: all.")] = None,
    levels: Annotated[str | None, typer.Option(metavar="1,2", help="Of difficulty, 1 to 3. Default: all.")] = None,
    questions: Annotated[int, typer.Option(metavar="N", min=1, max=QUESTIONS_MAX, help="Of each skill.")] = QUESTIONS,
    seed: Annotated[int, typer.Option(metavar="N", help="Chooses the questions, and what is drawn.")] = 1,
    samples: Annotated[int, typer.Option(metavar="K", min=1, max=SAMPLES_MAX, help="Of each member.")] = 5,
    alone_max: Annotated[
        int,
        typer.Option(
            "--alone-max", metavar="N", min=1, max=ALONE_MAX, help="Samples of the best member alone, at most."
        ),
    ] = ALONE_SAMPLES,
    temperature: Annotated[float, typer.Option(metavar="T", min=0, max=5, help="Of the samples.")] = 0.7,
    tokens: Annotated[int, typer.Option(metavar="N", min=1, max=4096, help="Of one answer, at most.")] = TOKENS_MAX,
    way: Annotated[
        list[str] | None,
        typer.Option("--way", metavar="WAY", help="Of answering; repeat it. Default: all; see --list."),
    ] = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="Own questions, one JSON object a line.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write everything there, also what is partial.")
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Measure this node's moot, as its charter samples; the node remembers."),
    ] = None,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Keep large models open too, where memory allows.")
    ] = False,
    list_all: Annotated[bool, typer.Option("--list", help="List the ways.")] = False,
) -> None:
    """Measure models, alone and together, or a live moot.

    None was trained on the questions. Beside each way of answering together stands the best single member with as many
    samples as cost the same tokens. Ctrl-C and SIGTERM show what is measured so far, marked as partial; the exit code
    is 130 then.
    """
    from node.cli.evaluate_runs import Order, list_ways, measure_models, measure_moot, remember
    from node.lab.evaluate.view import show

    if list_all:
        list_ways()
        return
    items = _items(skills, levels, questions, seed, file)
    order = Order(members or [], way or [], samples, alone_max, temperature, tokens, seed, at_once)
    if home is not None and members:
        raise WrongOption("--home: a moot has members of its own; leave the models out")
    if json_file is not None:
        _check_writable(json_file)
    began: dict[str, Any] = {"seed": seed, "questions": len(items), "home": home is not None, "alone_max": alone_max}
    if home is None:
        began |= {"samples": samples, "temperature": temperature, "tokens_max": tokens}
        measured, whole = measure_models(order, items)
    else:
        measured, whole = measure_moot(order, items, home_path(home))
        if whole:
            remember(measured, home_path(home), seed)
    out = console()
    show(out, measured)
    _write(json_file, measured, began)
    if not whole:
        say(("ended early: this is what was measured so far", "yellow"))
        raise typer.Exit(Exit.INTERRUPTED)


def _items(skills: str | None, levels: str | None, questions: int, seed: int, file: Path | None) -> "list[Item]":
    """The suite's questions, a person's own, or both where skills are named beside a file."""
    from node.lab.evaluate.items import suite
    from node.lab.evaluate.own_questions import read_questions
    from node.lab.skills import LEVELS, SKILLS

    own = read_questions(file) if file is not None else []
    if own and skills is None:
        return own
    chosen = _chosen("--skills", skills, list(SKILLS))
    wanted = [int(level) for level in _chosen("--levels", levels, [str(level) for level in LEVELS])]
    items = own + suite(chosen, wanted, questions, seed)
    random.Random(seed).shuffle(items)  # noqa: S311 - so that what is measured before an early end holds some of each
    return items


def _chosen(option: str, given: str | None, known: list[str]) -> list[str]:
    chosen = known if given is None else [part.strip() for part in given.split(",")]
    unknown = [part for part in chosen if part not in known]
    if unknown:
        raise WrongOption(f"{option}: {', '.join(unknown)!r} is not known; choose of {', '.join(known)}")
    return list(dict.fromkeys(chosen))


def _check_writable(path: Path) -> None:
    """Now, and not once everything is measured."""
    try:
        path.open("a").close()
    except OSError as error:
        raise WrongOption(f"--json {path}: cannot be written ({error.strerror})") from error


def _write(json_file: Path | None, measured: "Measured", asked: dict[str, Any]) -> None:
    from node.lab.evaluate.report import report

    if json_file is None:
        return
    try:
        json_file.write_text(json.dumps(report(measured, asked), ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise WrongOption(f"--json {json_file}: cannot be written ({error.strerror})") from error
