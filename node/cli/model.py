"""`moot model`: look at a model, see whether it is usable, measure it, ask it."""

import typer

from node.cli.model_show import show_model
from node.cli.model_try import try_model
from node.cli.options import print_help

model = typer.Typer(help="Look at a model, check it, measure it, try it.")


@model.callback(invoke_without_command=True)
def bare(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print_help(context)


model.command("show")(show_model)
model.command("try")(try_model)
