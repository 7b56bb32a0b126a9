"""`moot model`: look at a model, see whether it is usable, measure it, ask it."""

from pathlib import Path
from typing import Annotated

import typer

from node.cli.model_options import CacheOption, ContextOption, ModelArgument, ParallelOption, ThreadsOption
from node.cli.model_try import try_model
from node.cli.options import DEFAULT_HOME, HomeOption, JsonOption, print_help

BENCH_TOKENS, BENCH_TOKENS_MAX = 24, 4_096
BENCH_SECONDS = 5.0

model = typer.Typer(help="Look at a model, check it, measure it, try it.")


@model.callback(invoke_without_command=True)
def bare(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print_help(context)


@model.command()
def show(
    model: ModelArgument = None,
    home: HomeOption = Path(DEFAULT_HOME),
    context_length: ContextOption = None,
    threads: ThreadsOption = None,
    parallel: ParallelOption = None,
    cache_mib: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a model is and can do."""
    from node.cli.model_named import named
    from node.cli.model_show import show_model

    load = {"context_length": context_length, "threads": threads, "parallel": parallel, "cache_mib": cache_mib}
    show_model(named(model, home, load), as_json)


@model.command()
def verify(
    model: ModelArgument = None,
    home: HomeOption = Path(DEFAULT_HOME),
    digest: Annotated[
        str | None,
        typer.Option(metavar="SHA256", help="What the file's must be. Default: of a reference model, its card's."),
    ] = None,
    adapter: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Check this LoRA adapter with it; several may.")
    ] = None,
    context_length: ContextOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read everything of a model, run it, and say whether it is usable."""
    from node.cli.model_named import AdapterFile, adapter_path, named
    from node.cli.model_verify import verify_model

    adapters = tuple(AdapterFile(adapter_path(each)) for each in adapter or ())
    verify_model(named(model, home, {"context_length": context_length}, adapters), digest, as_json)


@model.command()
def bench(
    model: ModelArgument = None,
    home: HomeOption = Path(DEFAULT_HOME),
    callers: Annotated[str, typer.Option(metavar="N,N", help="How many ask at once.")] = "1,4,16,32",
    tokens: Annotated[
        int, typer.Option(metavar="N", min=1, max=BENCH_TOKENS_MAX, help="Longest answer.")
    ] = BENCH_TOKENS,
    seconds: Annotated[
        float, typer.Option(metavar="S", min=0.1, max=3_600, help="For each number of callers.")
    ] = BENCH_SECONDS,
    context_length: ContextOption = None,
    threads: ThreadsOption = None,
    parallel: ParallelOption = None,
    cache_mib: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how fast a model answers many at once."""
    from node.cli.model_bench import bench_model
    from node.cli.model_named import named

    load = {"context_length": context_length, "threads": threads, "parallel": parallel, "cache_mib": cache_mib}
    bench_model(named(model, home, load), callers, tokens, seconds, as_json)


model.command("try")(try_model)
