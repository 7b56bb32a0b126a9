"""`moot simulate`: whole moots on virtual time under faults and liars, every run from a seed."""

from pathlib import Path
from typing import Annotated

import typer

from node.cli.options import JsonOption, home_path
from node.cli.simulate_gossip import measure_gossip
from node.cli.simulate_runs import Order, play_campaign, play_one, tell_slot
from node.cli.terminal import answer_json, print_table
from node.errors import Exit, NodeError

SCENARIO = "everything"
GOSSIP = "gossip"
GOSSIP_LINE = "membership alone with up to 10,000 nodes, measured against theory"
SEEDS = 100
SEED_MAX = 2**63
NODES_MAX = 100
"""Voting nodes: each hears what each says."""
GOSSIP_NODES_MIN, GOSSIP_NODES_MAX = 4, 10_000
WORKERS_MAX = 256
FILES = Path("moot-failures")

Seed = typer.Option("--seed", metavar="N", min=0, max=SEED_MAX, help="Play this seed alone.")
Seeds = typer.Option("--seeds", metavar="N", min=1, help=f"How many to play.  [default: {SEEDS}]")


class WrongOption(NodeError):
    """What was asked for does not exist, or does not go together."""

    exit_code = Exit.USAGE


def simulate(
    scenario: Annotated[str, typer.Argument(metavar="[SCENARIO]", help="What goes wrong: see --list.")] = SCENARIO,
    seeds: Annotated[int | None, Seeds] = None,
    first: Annotated[int, typer.Option(metavar="N", min=0, max=SEED_MAX, help="The first of them.")] = 1,
    seconds: Annotated[float | None, typer.Option(metavar="S", min=0.1, help="End after this time.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=WORKERS_MAX, help="Processes. Default: one a core.")] = None,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Play on after a violation.")] = False,
    shrink: Annotated[bool, typer.Option(help="Make a plan that fails as small as it gets.")] = True,
    seed: Annotated[int | None, Seed] = None,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="Play the plan in this file.")] = None,
    story: Annotated[int | None, typer.Option(metavar="SLOT", min=0, help="Tell what was said about a slot.")] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Play everything twice: both must go alike.")] = False,
    nodes: Annotated[str | None, typer.Option(metavar="N", help="Members; gossip takes several: 10,100.")] = None,
    save: Annotated[Path, typer.Option(metavar="DIR", help="Where plans that fail are written.")] = FILES,
    plots: Annotated[Path | None, typer.Option(metavar="DIR", help="Where gossip's tables and plots go.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the scenarios.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Play moots on virtual time, from seeds, with faults and liars."""
    if list_all:
        _list(as_json)
        return
    if scenario == GOSSIP:
        raise typer.Exit(measure_gossip(_sizes(nodes), seeds, workers, plots, as_json))
    if plots is not None:
        raise WrongOption(f"--plots: only {GOSSIP} draws any: moot simulate {GOSSIP} --plots DIR")
    if plan is not None and (seed is not None or nodes is not None):
        raise WrongOption("--plan: the file says all; leave out --seed and --nodes")
    alone = seed is not None or plan is not None
    if alone and (seeds is not None or seconds is not None or keep_going):
        raise WrongOption("--seeds, --seconds and --keep-going are for many runs, --seed and --plan for one")
    if story is not None and not alone:
        raise WrongOption(f"--story: of which run? moot simulate {scenario} --seed N --story {story}")
    order = Order(_known(scenario), _voting(nodes), home_path(save), shrink, trace, as_json)
    if story is not None:
        code = tell_slot(order, seed, plan, story)
    elif alone:
        code = play_one(order, seed, plan)
    else:
        asked = SEEDS if seeds is None and seconds is None else seeds
        code = play_campaign(order, first, asked, seconds, workers, keep_going)
    raise typer.Exit(code)


def _list(as_json: bool) -> None:
    from node.lab.simulation.scenarios import SCENARIOS

    lines = {name: scenario.line for name, scenario in SCENARIOS.items()} | {GOSSIP: GOSSIP_LINE}
    if as_json:
        for name, line in lines.items():
            answer_json({"scenario": name, "about": line})
    else:
        print_table(["scenario", "about"], [[name, line] for name, line in lines.items()])


def _known(scenario: str) -> str:
    from node.lab.simulation.scenarios import SCENARIOS

    if scenario not in SCENARIOS:
        raise WrongOption(f"no scenario {scenario!r}; there are {', '.join([*SCENARIOS, GOSSIP])}")
    return scenario


def _voting(nodes: str | None) -> int | None:
    if nodes is None:
        return None
    if not (nodes.isascii() and nodes.isdigit() and 1 <= int(nodes) <= NODES_MAX):
        raise WrongOption(f"--nodes {nodes}: must be a number from 1 to {NODES_MAX}")
    return int(nodes)


def _sizes(nodes: str | None) -> list[int]:
    parts = [] if nodes is None else nodes.split(",")
    sizes = [int(part) for part in parts if part.isascii() and part.isdigit()]
    if len(sizes) < len(parts) or not all(GOSSIP_NODES_MIN <= size <= GOSSIP_NODES_MAX for size in sizes):
        bounds = f"{GOSSIP_NODES_MIN} to {GOSSIP_NODES_MAX}"
        raise WrongOption(f"--nodes {nodes}: must be numbers from {bounds} with commas between")
    return sizes
