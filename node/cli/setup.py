"""`moot init`, `moot found` and `moot join`: from nothing to nodes that know their moot."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from node.cli import show
from node.cli.options import DEFAULT_HOME, HomeOption, JsonOption, home_path
from node.cli.terminal import answer, answer_json, console, say

GENESIS_NAME = "genesis.json"
HUB = "hf:"
"""Before the name of a model that is downloaded first."""


def init(
    home: HomeOption = Path(DEFAULT_HOME),
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What people call the node. Default: the directory's name.")
    ] = None,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where peers connect.")] = "127.0.0.1:7400",
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="A GGUF file, reference:NAME, hf:OWNER/REPOSITORY/FILE.gguf, which is downloaded, or the address of a"
            " server: http://127.0.0.1:8080/v1#NAME. Default: a reference model.",
        ),
    ] = None,
    organization: Annotated[
        str | None, typer.Option(metavar="ORG", help="Whom the node stands for. Default: itself.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a node: its key, settings and member card."""
    from node import founding

    place = home_path(home)
    if model is not None and model.startswith(HUB):
        from node.cli.fetch import fetch

        founding.check_place(place, listen)
        model = fetch(model)
    member = founding.create_home(place, name=name, listen=listen, model=model, organization=organization)
    card = place / founding.CARD_NAME
    if as_json:
        answer_json({"home": str(place), "node": member.node.hex(), "name": member.name, "card": str(card)})
        return
    answer(str(place))
    out = console(error=True)
    out.print(show.fact("node", f"{member.name}  {member.node.hex()[: show.ID_LENGTH]}"), soft_wrap=True)
    out.print(show.fact("settings", str(place / "settings.toml")), soft_wrap=True)
    out.print(show.fact("card", str(card)), soft_wrap=True)
    out.print(show.fact("next", "moot found --name NAME CARD...  with the cards of all members"), soft_wrap=True)


def found(
    cards: Annotated[
        list[Path],
        typer.Argument(metavar="CARD", help="Member cards, or homes on this machine, which join at once."),
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="What people call the moot.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write the genesis.")] = Path(
        GENESIS_NAME
    ),
    threshold: Annotated[
        int | None, typer.Option(metavar="N", help="Members that make a quorum. Default: more than two thirds.")
    ] = None,
    turnout: Annotated[
        int | None, typer.Option(metavar="N", help="Members that must have answered. Default: more than half.")
    ] = None,
    samples: Annotated[int | None, typer.Option(metavar="N", help="Answers that each model samples.")] = None,
    deadline_ms: Annotated[int | None, typer.Option(metavar="MS", help="Time to answer.")] = None,
    grace_ms: Annotated[int | None, typer.Option(metavar="MS", help="How long a quorum waits for stragglers.")] = None,
    tally: Annotated[str | None, typer.Option(metavar="RULE", help="Voting rule.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Found a moot of its members' cards."""
    from node import founding
    from node.home import Home

    rules = {
        "threshold": threshold,
        "turnout": turnout,
        "samples": samples,
        "deadline_ms": deadline_ms,
        "grace_ms": grace_ms,
        "tally": tally,
    }
    members = [founding.read_card(card) for card in cards]
    given = {rule: value for rule, value in rules.items() if value is not None}
    genesis = founding.found(name, int(time.time() * 1000), members, **given)
    founding.write_new(out, genesis.to_json())
    homes = [Home.find(home_path(card)) for card in cards if card.is_dir()]
    for home in homes:
        founding.join(home, genesis)
    if as_json:
        joined = [str(home.path) for home in homes]
        answer_json({"genesis": str(out), "moot": genesis.moot_id.hex(), "moot_name": name, "joined": joined})
        return
    answer(str(out))
    charter = genesis.charter
    facts = [
        ("moot", f"{name}  {genesis.moot_id.hex()[: show.ID_LENGTH]}"),
        ("members", ", ".join(member.name for member in members)),
        ("quorum", f"{charter.threshold} must vote, {charter.turnout} must have answered"),
        ("next", "moot up --home HOME" if len(homes) == len(cards) else f"at every other member: moot join {out}"),
    ]
    for fact in facts:
        console(error=True).print(show.fact(*fact), soft_wrap=True)


def join(
    genesis: Annotated[Path, typer.Argument(metavar="GENESIS", help="The file that moot found wrote.")],
    home: HomeOption = Path(DEFAULT_HOME),
) -> None:
    """Put a node into a moot that was founded."""
    from node import founding
    from node.home import Home

    place = Home.find(home_path(home))
    document = founding.read_genesis(genesis)
    is_founder = founding.join(place, document)
    say(f"in the moot {json.dumps(document.name, ensure_ascii=False)}; start the node: moot up --home {place.path}")
    if not is_founder:
        card = place.path / founding.CARD_NAME
        say(f"not in its first roster: it follows once members have added it, at one of them: moot roster add {card}")
