"""What a person wants to know of a measurement first, in a few sentences."""

from collections.abc import Sequence

from node.lab.evaluate.comparing import Row, fallback
from node.lab.evaluate.measure import Measured
from node.lab.evaluate.shares import Share, at_least, with_interval
from node.lab.evaluate.spent import total

MOOT_WAY = "points"
"""By which a moot decides unless its charter names another rule."""
ALL = "all questions"


def partial(measured: Measured) -> str:
    """What is missing; empty where nothing is."""
    if len(measured.cases) < measured.asked:
        return f"PARTIAL: {len(measured.cases):,} of {measured.asked:,} questions are measured."
    return "" if measured.is_equal else "PARTIAL: the best members alone have not drawn all their samples."


def summary(measured: Measured, found: Sequence[Row]) -> list[str]:
    """Sentences: who is best alone, which way is best together, what a node would do, and what it costs.

    Args:
        measured: what is summed up.
        found: its comparisons, as `rows` gives them.
    """
    if not measured.cases:
        return []
    everywhere = range(len(measured.cases))
    best = measured.best_member(None)
    right = Share(sum(measured.is_right(place, best) for place in everywhere), len(everywhere))
    alone = (
        f"Best member alone: {measured.members[best]}, right on {with_interval(right)} of {right.asked:,} questions."
    )
    whole = [row for row in found if row.group is None] or list(found)
    if not whole:
        return [alone]
    top = max(whole, key=lambda row: row.team.right)
    way = MOOT_WAY if MOOT_WAY in measured.ways else measured.ways[0]
    of_way = [row for row in found if row.way == way]
    return [
        alone,
        f"Best way together, on these very questions: {top.way}, {with_interval(top.team)}. Beside "
        f"{measured.members[top.best]} alone with {_of_tokens(top)}: {top.sentence}.",
        f"Together by {way} is better than the best member on {_named(of_way, 'better')}; worse on "
        f"{_named(of_way, 'worse')}.",
        _told_fallback(measured, way),
        _told_cost(measured, next(row for row in whole if row.way == way), best),
    ]


def _of_tokens(row: Row) -> str:
    return "the same tokens" if row.same_cost == 1 else f"{at_least(row.same_cost)} of the tokens"


def _named(found: Sequence[Row], verdict: str) -> str:
    names = [row.group or ALL for row in found if row.against.verdict == verdict]
    return ", ".join(names) or "nothing, as far as this shows"


def _told_fallback(measured: Measured, way: str) -> str:
    """As a node does once its moot is measured: the best member alone, by no more samples than it draws anyhow."""
    pairs = [(group, *fallback(measured, way, group)) for group in measured.groups()]
    left = [f"{group} ({measured.members[best]})" for group, best, against in pairs if against.verdict == "better"]
    if not left:
        return "A moot that is measured so (--home) asks all its members on every class: none is better alone on any."
    return f"A moot that is measured so (--home) asks one member alone on: {', '.join(left)}."


def _told_cost(measured: Measured, row: Row, best: int) -> str:
    alone = total(case.drawn[best].spent for case in measured.cases).tokens
    times = f", {row.spent.tokens / alone:.1f} times those of {measured.members[best]} alone" if alone else ""
    each = row.spent.tokens / row.team.asked
    return f"Together by {row.way} takes {each:,.0f} tokens a question{times} with as many samples of its own."
