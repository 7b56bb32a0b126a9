"""`moot model try`: ask a model one prompt, or line by line, and see what it says and what it took."""

from pathlib import Path
from typing import Annotated

import typer

from node.cli.model_options import CacheOption, ContextOption, ModelArgument, ParallelOption, ThreadsOption
from node.cli.model_wishes import Wishes
from node.cli.options import DEFAULT_HOME, HomeOption, JsonOption
from node.errors import Exit

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
    adapter: Annotated[
        list[str] | None, typer.Option(metavar="FILE[:SCALE]", help="A LoRA adapter, also reference:NAME.")
    ] = None,
    context_length: ContextOption = None,
    threads: ThreadsOption = None,
    parallel: ParallelOption = None,
    cache_mib: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a model. Ctrl-C ends its answer, a second one the command."""
    wishes = Wishes(
        samples=samples,
        tokens=tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        seed=seed,
        stops=tuple(stop or ()),
        schema=schema,
        grammar=grammar,
        likelihood=likelihood,
        options=tuple(option or ()),
        closed=closed,
        calibrated=calibrated,
        next_tokens=next_tokens,
        written=written,
        raw=raw,
        adapters=tuple(adapter or ()),
        as_json=as_json,
    )
    load = {"context_length": context_length, "threads": threads, "parallel": parallel, "cache_mib": cache_mib}
    raise typer.Exit(int(Exit.OK if _talk(wishes, model, home, load, prompt) else Exit.FAILED))


def _talk(wishes: Wishes, model: str | None, home: Path, load: dict[str, int | None], prompt: str | None) -> bool:
    from node.cli.model_errors import sane, told
    from node.cli.model_named import named
    from node.cli.model_order import adapter_file, order_of
    from node.cli.model_talk import talk

    with sane():
        adapters = tuple(map(adapter_file, wishes.adapters))
        order = order_of(wishes, named(model, home, load, adapters))
    with told():
        return talk(order, prompt)
