"""The tables of the engine's bench."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from node.lab.bench.engine.batcher import Cost
from node.lab.bench.engine.contenders import TOKENS
from node.lab.bench.engine.dying import Death
from node.lab.bench.engine.rounds import BARE, CALL, CALLERS, OURS, SERVER, Ladder, Ratio
from node.lab.bench.engine.sharing import CALLERS as SHARING_CALLERS
from node.lab.bench.engine.sharing import CANDIDATES, PREFIX_TOKENS, PROMPT_TOKENS, Shared
from node.lab.bench.measures import quantile

_MIB = 1 << 20


def show_ladder(out: Console, ladder: Ladder) -> None:
    """Answers a second side by side. A ratio is of the same round: the middle one, and from least to largest."""
    threads = "1 thread" if ladder.threads == 1 else f"{ladder.threads} threads"
    table = _table(
        f"{ladder.subject}: answers a second, of {TOKENS} tokens each, {threads}",
        ["callers", "server", "Llama()", "moot", "bare", "of server", "of bare", "median wait", "memory"],
    )
    one_call = ladder.rates(CALL, 1)
    for callers in CALLERS:
        ours = ladder.rates(OURS, callers)
        wait = ladder.waits_ms(OURS, callers, 0.5)
        table.add_row(
            str(callers),
            _rate(ladder.rates(SERVER, callers)),
            _rate(one_call),
            _rate(ours),
            _rate(ladder.rates(BARE, callers)),
            _ratio(ours, ladder.rates(SERVER, callers)),
            _ratio(ours, ladder.rates(BARE, callers)),
            f"{wait:.0f} ms",
            _mib(ladder.memory.get((OURS, callers))),
        )
    out.print(table)
    out.print(
        f"server: {SERVER}, and Llama(): {CALL}, which was measured with one caller; both answer one after another. "
        "bare: the same passes and draws in whole waves, and nothing else; the limit. of server, of bare: our rate as "
        "a multiple, in the same round (least to largest). All have as many threads, which sleep while they wait.\n"
        "memory: of our model's process, proportional; "
        f"{SERVER}'s takes {_mib(ladder.memory.get((SERVER, CALLERS[-1])))}."
    )
    for name, reason in ladder.left_out.items():
        out.print(f"{name} was left out: {reason}")
    out.print()


def _rate(rates: Sequence[float]) -> str:
    return f"{quantile(rates, 0.5):.1f}" if rates else "-"


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    if len(ours) != len(theirs) or not ours:
        return "-"
    ratio = Ratio.of(ours, theirs)
    return f"{ratio.middle:.2f} ({ratio.least:.2f}-{ratio.largest:.2f})"


def _mib(size: int | None) -> str:
    return "-" if size is None else f"{size / _MIB:.0f} MiB"


def show_shared(out: Console, shared: Shared) -> None:
    table = _table(
        f"{shared.subject}: scoring {CANDIDATES} answers to a prompt of {PROMPT_TOKENS} tokens",
        ["prompt", "one request", "passes", "a request each", "passes", "ratio"],
    )
    for one in shared.scorings:
        table.add_row(
            "seen before" if one.prompt_seen else "new",
            f"{one.together_ms:.1f} ms",
            str(one.together_passes),
            f"{one.apart_ms:.1f} ms",
            str(one.apart_passes),
            f"{one.apart_ms / one.together_ms:.1f}",
        )
    out.print(table)
    if shared.prefix is not None:
        prefix = shared.prefix
        out.print(
            f"{SHARING_CALLERS} callers whose prompts begin with {PREFIX_TOKENS} tokens: {prefix.shared_per_s:.2f} "
            f"answers a second where those are the same ({prefix.shared_cached:.0%} of the prompts' tokens found "
            f"evaluated), {prefix.fresh_per_s:.2f} where they differ: {prefix.shared_per_s / prefix.fresh_per_s:.1f} "
            "times as many."
        )
    if shared.crowding is not None:
        crowding = shared.crowding
        out.print(
            f"{SHARING_CALLERS} callers with short prompts: {crowding.empty_per_s:.2f} answers a second, and "
            f"{crowding.full_per_s:.2f} beside {crowding.kept_tokens:,} tokens of earlier prompts."
        )
    out.print()


def show_deaths(out: Console, deaths: Sequence[Death]) -> None:
    lost = sum(death.lost for death in deaths) / len(deaths)
    noticed = quantile([death.noticed_ms for death in deaths], 0.5)
    answered = [death.answer_ms for death in deaths]
    out.print(
        f"Killed {len(deaths)} times with {deaths[0].in_flight} requests under way: {lost:.0f} lost each time, all of "
        f"their callers told after {noticed:.0f} ms, the next answer after {quantile(answered, 0.5):.0f} ms "
        f"(at most {max(answered):.0f} ms).\n"
    )


def show_batcher(out: Console, costs: Sequence[Cost]) -> None:
    table = _table("Planning of a forward pass, microseconds of Python", ["samples", "while they run", "with changes"])
    for cost in costs:
        table.add_row(str(cost.samples), f"{cost.steady:.1f}", f"{cost.answers:.1f}")
    out.print(table)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", min_width=len(title))
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table
