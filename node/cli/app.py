"""All commands in one place, in the order in which a newcomer meets them."""

from typing import Annotated

import typer

from node.cli import ask, demo, evaluate, look, model, quorums, revoke, roster, setup, simulate, up, verify
from node.cli.options import JsonOption, print_help
from node.cli.terminal import answer, answer_json, is_plain
from node.errors import Exit

SEE, SET_UP, USE, CHANGE, CHECK = "See it", "Set up", "Ask and look", "Change", "Check"

app = typer.Typer(
    help="Local language models on machines of their own that answer questions together, without a leader, with proof.",
    epilog="What a command's exit code means: moot exit-codes",
    rich_markup_mode=None if is_plain() else "rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError  # slow to load, for one option
        from importlib.metadata import version as package_version

        try:
            answer(f"moot {package_version('moot')}")
        except PackageNotFoundError:
            answer("moot, not installed: run from its sources")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def bare(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print_help(context)


def exit_codes(as_json: JsonOption = False) -> None:
    """List what every exit code means."""
    for code in Exit:
        if as_json:
            answer_json({"code": int(code), "name": code.name, "meaning": code.meaning})
        else:
            answer(f"{int(code):>3}  {code.meaning}")


app.command(rich_help_panel=SEE)(demo.demo)
app.command(rich_help_panel=SET_UP)(setup.init)
app.command(rich_help_panel=SET_UP)(setup.found)
app.command(rich_help_panel=SET_UP)(setup.join)
app.command(rich_help_panel=SET_UP)(up.up)
app.command(rich_help_panel=USE)(ask.ask)
app.command(rich_help_panel=USE)(ask.follow)
app.command(rich_help_panel=USE)(look.members)
app.command(rich_help_panel=USE)(look.status)
app.add_typer(roster.roster, name="roster", rich_help_panel=CHANGE)
app.command(rich_help_panel=CHANGE)(revoke.revoke)
app.add_typer(look.decisions, name="decisions", rich_help_panel=CHECK)
app.add_typer(model.model, name="model", rich_help_panel=CHECK)
app.command(rich_help_panel=CHECK)(verify.verify)
app.command(rich_help_panel=CHECK)(quorums.quorums)
app.command(rich_help_panel=CHECK)(simulate.simulate)
app.command(rich_help_panel=CHECK)(evaluate.evaluate)
app.command("exit-codes", rich_help_panel=CHECK)(exit_codes)
