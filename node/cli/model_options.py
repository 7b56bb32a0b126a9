"""Options that the commands about models share."""

from typing import Annotated

import typer

ModelArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODEL]",
        help="A GGUF file, reference:NAME, hf:OWNER/REPOSITORY/FILE.gguf or http://HOST:PORT/v1#NAME."
        " Default: the model of the home.",
        show_default=False,
    ),
]
ContextOption = Annotated[
    int | None, typer.Option("--context-length", metavar="N", help="Tokens of prompt and answer together.")
]
ThreadsOption = Annotated[int | None, typer.Option("--threads", metavar="N", help="Threads of a forward pass.")]
ParallelOption = Annotated[int | None, typer.Option("--parallel", metavar="N", help="Samples generated at once.")]
CacheOption = Annotated[
    int | None, typer.Option("--cache-mib", metavar="MIB", help="Memory for what was evaluated already.")
]
