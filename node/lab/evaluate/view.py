"""What was measured, as tables of at most 120 columns for people."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from node.lab.evaluate.agreement import agreement
from node.lab.evaluate.comparing import Row, rows
from node.lab.evaluate.measure import Measured
from node.lab.evaluate.shares import at_least, share, with_interval
from node.lab.evaluate.spent import Spent
from node.lab.evaluate.summary import partial, summary
from node.lab.evaluate.ways import WAYS

NAMES_WIDTH_MAX = 92
"""Columns of characters for members beside each other in one table; the others get another."""
NAME_LENGTH_MAX = 28
ALL = "all"


def show(out: Console, measured: Measured) -> None:
    if not measured.cases:
        out.print("Nothing is measured yet: no question is answered by all members.")
        return
    found = rows(measured)
    if partial(measured):
        out.print(f"{partial(measured)}\n")
    for members in _fitting(measured.members):
        _show_members(out, measured, members)
    for way in measured.ways:
        _show_way(out, measured, way, [row for row in found if row.way == way])
    if found:
        out.print(
            "Intervals are of 95 %. won/lost: questions that only all together, or only the best member, had right. "
            "The best member of each line is chosen on these very questions, which favours it.\n"
        )
        _show_costs(out, measured, found)
        _show_turns(out, found)
    if len(measured.members) > 1:
        _show_agreement(out, measured)
    for text, count in sorted(measured.failed.items()):
        out.print(f"{count} requests failed: {text}")
    for note in measured.notes:
        out.print(note)
    out.print("\nIn short")
    for line in [*filter(None, [partial(measured)]), *summary(measured, found)]:
        out.print(f"- {line}")


def _fitting(names: Sequence[str]) -> list[list[int]]:
    """Members in order, as many together as fit beside each other."""
    found, width = list[list[int]](), 0
    for member, name in enumerate(names):
        width += len(_name(name)) + 2
        if not found or width > NAMES_WIDTH_MAX:
            found.append([])
            width = len(_name(name)) + 2
        found[-1].append(member)
    return found


def _name(name: str) -> str:
    return name if len(name) <= NAME_LENGTH_MAX else f"{name[: NAME_LENGTH_MAX - 1]}…"


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _show_members(out: Console, measured: Measured, members: Sequence[int]) -> None:
    """Shares of right answers, by the most frequent of the samples and, with the way alone, by the likeliest answer."""
    samples = max((len(draw.answers) for case in measured.cases for draw in case.drawn), default=0)
    names = [_name(measured.members[member]) for member in members]
    title = f"Each member alone: its most frequent answer of {samples}; * is the best"
    table = _table(title, "", *names, "any")
    groups: list[str | None] = [*measured.groups(), None]
    for group in groups:
        places = measured.places(group)
        right = [[measured.is_right(place, member) for place in places] for member in members]
        anybody = [any(measured.is_right(place, one) for one in range(len(measured.members))) for place in places]
        best = measured.best_member(group)
        shares = [share(sum(one) / len(places)) for one in right]
        cells = [f"{one}*" if member == best else f"{one} " for one, member in zip(shares, members, strict=True)]
        cells.append(share(sum(anybody) / len(places)))
        table.add_row(group or f"{ALL} ({len(places)})", *cells, end_section=group == groups[-2])
    if all(case.greedy for case in measured.cases):
        greedy = [
            sum(case.greedy[member].answers[:1] == (case.item.right,) for case in measured.cases) for member in members
        ]
        table.add_row("likeliest answer", *(f"{share(right / len(measured.cases))} " for right in greedy), "")
    out.print(table)


def _show_way(out: Console, measured: Measured, way: str, found: Sequence[Row]) -> None:
    about = WAYS[way].about if way in WAYS else "decided by the moot"
    alone = "it alone, same tokens" if all(row.same_cost == 1 for row in found) else "it alone, fewer tokens"
    columns = ("all together", "best member", alone, "difference", "won/lost", "together is")
    table = _table(f"{way}: {about}", "", *columns)
    for row in found:
        low, high = row.against.interval
        table.add_row(
            row.group or ALL,
            with_interval(row.team),
            _name(measured.members[row.best]),
            with_interval(row.alone),
            f"{row.against.difference:+.2f} ({low:+.2f} to {high:+.2f})",
            f"{row.against.gained}/{row.against.lost}",
            row.against.verdict.removesuffix(" measured"),
        )
    out.print(table)


def _show_costs(out: Console, measured: Measured, found: Sequence[Row]) -> None:
    columns = ("samples", "passes", "prompt", "cached", "generated", "tokens", "tokens x size", "seconds", "of tokens")
    table = _table("Cost of a question", "", *columns)
    whole = [row for row in found if row.group is None] or found
    for row in whole:
        asked = row.team.asked
        table.add_row(row.way, "", *_cost_cells(row.spent, asked), "")
        table.add_row(
            f"  {_name(measured.members[row.best])} alone",
            f"{row.samples_alone / asked:.0f}",
            *_cost_cells(row.spent_alone, asked),
            at_least(row.same_cost),
            end_section=True,
        )
    out.print(table)
    if any(row.drawn_alone < row.samples_alone for row in found):
        out.print(
            "Of the samples of the best member alone, those that could no longer change its answer were not drawn; "
            "they are counted as if they had been."
        )
    if any(row.same_cost < 1 for row in found):
        most = f"at most {measured.alone_max} of its samples" if measured.is_equal else "what it had drawn at the end"
        out.print(
            f"The best member alone answers a question by {most}, which are not always as many tokens as all together "
            "took: the last column says what share of them."
        )
    out.print()


def _cost_cells(spent: Spent, asked: int) -> list[str]:
    counts = (spent.forward_passes, spent.prompt_tokens, spent.cached_tokens, spent.generated_tokens, spent.tokens)
    work = f"{spent.work / asked / 1e6:,.0f} M" if spent.work else "-"
    return [*(f"{count / asked:,.0f}" for count in counts), work, f"{spent.seconds / asked:.3f}"]


def _show_turns(out: Console, found: Sequence[Row]) -> None:
    """Where anybody changed its mind, and what plain points would have given."""
    rounds = [row for row in found if row.way in WAYS and WAYS[row.way].asks is not None]
    moved = [row for row in rounds if row.group is None] or rounds
    if not moved:
        return
    table = _table(
        "Turns on hearing the others: members from their own samples, all together from points",
        "",
        "members: right to wrong",
        "wrong to right",
        "all together: right to wrong",
        "wrong to right",
    )
    for row in moved:
        turns = (row.members_turned, row.team_turned)
        table.add_row(row.way, *(str(count) for turn in turns for count in (turn.to_wrong, turn.to_right)))
    out.print(table)


def _show_agreement(out: Console, measured: Measured) -> None:
    found = agreement(measured, None)
    for members in _fitting(measured.members):
        title = "How often two members that both err give the same wrong answer"
        table = _table(title, "", *(_name(measured.members[member]) for member in members))
        for name, line in zip(measured.members, found.same_wrong, strict=True):
            cells = [line[member] for member in members]
            table.add_row(_name(name), *("" if one is None else share(one) for one in cells))
        out.print(table)
    same = "-" if found.mean_same_wrong is None else share(found.mean_same_wrong)
    votes = "-" if found.votes is None else f"{found.votes:.1f}"
    out.print(
        f"Members that both err give the same wrong answer {same} of the time; {found.members} members are worth "
        f"{votes} independent votes."
    )
