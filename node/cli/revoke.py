"""`moot revoke`: declare keys void, this node's own or other members'."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from node.api import RevocationReport
from node.cli import show
from node.cli.options import DEFAULT_HOME, HomeOption, JsonOption, home_path
from node.cli.terminal import answer_json, print_table, say
from node.control_client import ControlClient

OWN_KEY = "from then on nobody listens to this node, and nothing takes that back"
HEEDED = "only nodes whose settings name this node under [membership] revokers heed what it says of other keys"


def revoke(
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, in a few words; everybody may read it.")],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Members, by name or id. Default: this node's own key.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Revoke this node's own key without asking.")] = False,
    home: HomeOption = Path(DEFAULT_HOME),
    as_json: JsonOption = False,
) -> None:
    """Declare a key void: this node's own, or others'."""
    client = ControlClient(home_path(home))
    if not names and not yes:
        _confirm(client.status()["name"])
    report = client.revoke(names or [], reason)
    if as_json:
        answer_json(report)
        return
    rows = [[one["name"] or "-", one["reason"], show.short_id(one["node"])] for one in report["revoked"]]
    print_table(["revoked", "reason", "id"], rows)
    _explain(report)


def _confirm(name: str) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"this revokes {name}'s own key for ever; say --yes, or name other members")
    say((f"this revokes {name}'s own key: {OWN_KEY}", "yellow"))
    typer.confirm("revoke it?", abort=True, err=True)


def _explain(report: RevocationReport) -> None:
    if not report["own_key"]:
        say(HEEDED)
        return
    say(f"{report['name'] or 'this node'}'s key is revoked: whoever hears of it listens to this node no more")
    say("the node runs on to tell the others, but takes part in nothing; once they know, stop it")
    if report["dropped"]:
        names = ", ".join(one["name"] or show.short_id(one["node"]) for one in report["dropped"])
        say((f"this node's list names its own key alone now; let another revoker revoke again: {names}", "yellow"))
    say(("a new node gets a new key: moot init; the old one leaves the roster by moot roster remove", "dim"))
