"""`moot model try`: ask a model one prompt, or line by line, and see what it says and what it took."""

from pathlib import Path
from typing import Annotated

import typer

from node.cli.model_errors import WrongModelOption, told
from node.cli.model_named import (
    CacheOption,
    ContextOption,
    ModelArgument,
    ParallelOption,
    ThreadsOption,
    named,
)
from node.cli.model_talk import AdapterFile, Choosing, Looking, Order, Writing, talk
from node.cli.options import DEFAULT_HOME, HomeOption, JsonOption
from node.errors import Exit
from node.model.requests import GenerateRequest, Grammar, NextRequest, Sampling, ScoreRequest

TOKENS = 256
PromptArgument = Annotated[
    str | None,
    typer.Argument(metavar="[PROMPT]", help="What to ask. Default: every line of stdin.", show_default=False),
]


def try_model(
    model: ModelArgument = None,
    prompt: PromptArgument = None,
    home: HomeOption = Path(DEFAULT_HOME),
    samples: Annotated[int, typer.Option(metavar="N", help="Texts to draw.")] = 1,
    tokens: Annotated[int, typer.Option(metavar="N", help="Longest text.")] = TOKENS,
    temperature: Annotated[float, typer.Option(metavar="T", help="0 is greedy.")] = 0.0,
    top_k: Annotated[int, typer.Option(metavar="K", help="Only the K likeliest tokens; 0 for all.")] = 0,
    top_p: Annotated[float, typer.Option(metavar="P", help="Only tokens that reach P together.")] = 1.0,
    min_p: Annotated[float, typer.Option(metavar="P", help="Only tokens P times as likely as the likeliest.")] = 0.0,
    seed: Annotated[int, typer.Option(metavar="N", help="Of what is drawn.")] = 0,
    stop: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Ends a text; several may.")] = None,
    schema: Annotated[Path | None, typer.Option(metavar="FILE", help="A JSON schema that each text follows.")] = None,
    grammar: Annotated[Path | None, typer.Option(metavar="FILE", help="A GBNF grammar that each text follows.")] = None,
    likelihood: Annotated[bool, typer.Option("--likelihood", help="Say how likely each text was.")] = False,
    option: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Score this answer; several.")] = None,
    closed: Annotated[bool, typer.Option("--closed", help="Score that the answer ends there, too.")] = False,
    calibrated: Annotated[bool, typer.Option("--calibrated", help="Score beside an empty prompt, too.")] = False,
    next_tokens: Annotated[int | None, typer.Option("--next", metavar="N", help="Only the likeliest tokens.")] = None,
    written: Annotated[str, typer.Option(metavar="TEXT", help="How the answer begins.")] = "",
    raw: Annotated[bool, typer.Option("--raw", help="The prompt as it is, without the model's template.")] = False,
    adapter: Annotated[list[str] | None, typer.Option(metavar="FILE[:SCALE]", help="A LoRA adapter; several.")] = None,
    context_length: ContextOption = None,
    threads: ThreadsOption = None,
    parallel: ParallelOption = None,
    cache_mib: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a model. Ctrl-C ends its answer, a second one the command."""
    load = {"context_length": context_length, "threads": threads, "parallel": parallel, "cache_mib": cache_mib}
    with told():
        sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, seed=seed)
        if option:
            score = ScoreRequest(prompt="", continuations=tuple(option), closed=closed, calibrated=calibrated)
        generate = GenerateRequest(
            prompt="",
            samples=samples,
            tokens_max=tokens,
            sampling=sampling,
            stop=tuple(stop or ()),
            grammar=_grammar(schema, grammar),
            likelihood=likelihood,
        )
        look = NextRequest(prompt="", top=next_tokens) if next_tokens is not None else None
    if option and look:
        raise WrongModelOption("--option and --next: choose one")
    if (option or look) and generate.grammar is not None:
        raise WrongModelOption("--schema and --grammar are for texts; leave out --option and --next")
    if (closed or calibrated) and not option:
        raise WrongModelOption("--closed and --calibrated say how to score: name answers with --option")
    asked = Choosing(score) if option else Looking(look) if look else Writing(generate)
    adapters = tuple(map(_adapter, adapter or ()))
    order = Order(named(model, home, **load), asked, adapters, written, raw, as_json)
    with told():
        whole = talk(order, prompt)
    raise typer.Exit(int(Exit.OK if whole else Exit.FAILED))


def _grammar(schema: Path | None, grammar: Path | None) -> Grammar | None:
    if schema is not None and grammar is not None:
        raise WrongModelOption("--schema and --grammar: choose one")
    if schema is not None:
        return Grammar("json_schema", _read(schema))
    return Grammar("gbnf", _read(grammar)) if grammar is not None else None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongModelOption(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise WrongModelOption(f"{file}: not a text in UTF-8") from None


def _adapter(text: str) -> AdapterFile:
    """FILE or FILE:SCALE; a colon that no number follows belongs to the file's name."""
    file, _, scale = text.rpartition(":")
    try:
        return AdapterFile(Path(file or text), float(scale) if file else 1.0)
    except ValueError:
        return AdapterFile(Path(text), 1.0)
