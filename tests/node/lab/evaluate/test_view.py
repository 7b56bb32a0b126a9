"""Tables for people: within 120 columns for any number of members, and readable when nothing was measured."""

import io
import json

from rich.console import Console

from coordinator.records import AnswerKind
from node.lab.evaluate.comparing import row
from node.lab.evaluate.items import make_item
from node.lab.evaluate.measure import Measured, measure, prepare
from node.lab.evaluate.report import report
from node.lab.evaluate.shares import share
from node.lab.evaluate.team import Team, seats
from node.lab.evaluate.view import show
from tests.node.lab.evaluate.scripted import Scripted, Shelf, Silent
from tests.node.lab.evaluate.test_measure import ALL, TERMS, right_in


def shown(measured: Measured) -> str:
    out = io.StringIO()
    show(Console(file=out, width=120, markup=False), measured)
    return out.getvalue()


async def measured_by(count: int) -> Measured:
    names = [f"logician{number:02}" for number in range(count)]
    engines = [Scripted(name, right_in(0.1 * (1 + n % 8), n), 1_000 + n) for n, name in enumerate(names)]
    async with Team(seats(names), open_model=Shelf(*engines).open_model) as team:
        await team.meet()
        measured = prepare(team, ALL)
        items = [
            make_item(f"what is {n} + {n}?", AnswerKind.NUMBER, (), str(2 * n), f"arithmetic{n % 3}") for n in range(9)
        ]
        await measure(team, items, ALL, TERMS, Silent(), measured)
    return measured


async def test_eight_members_fit() -> None:
    text = shown(await measured_by(8))
    assert max(map(len, text.splitlines())) <= 120 and "…" not in text
    for expected in ("logician07", "likeliest answer", "arithmetic2", "judge", "independent votes", "favours it"):
        assert expected in text


async def test_many_members_get_several_tables() -> None:
    text = shown(await measured_by(12))
    assert max(map(len, text.splitlines())) <= 120 and "…" not in text
    assert text.count("Each member alone") == 2 and "logician11" in text


async def test_a_single_member_is_measured_too() -> None:
    text = shown(await measured_by(1))
    assert "logician00" in text and "left out, as it takes two members" in text


async def test_what_is_told_is_what_the_report_holds() -> None:
    measured = await measured_by(4)
    told, text = json.loads(json.dumps(report(measured, {}))), " ".join(shown(measured).split())
    assert told["summary"] and all(f"- {line}" in text for line in told["summary"])
    whole = {entry["way"]: entry for entry in told["ways"] if entry["group"] is None}
    for way, entry in whole.items():
        found = row(measured, way, None)
        assert (entry["together"]["right"], entry["won"], entry["lost"]) == (
            found.team.right,
            found.against.gained,
            found.against.lost,
        )
        low, high = entry["interval"]
        cells = f"{entry['difference']:+.2f} ({low:+.2f} to {high:+.2f}) {entry['won']}/{entry['lost']}"
        assert cells in text, "the table shows the same figures"
    turned = whole["revise"]["members_turned"]
    assert f"revise {turned['to_wrong']} {turned['to_right']}" in text


async def test_a_baseline_of_fewer_tokens_says_so() -> None:
    measured = await measured_by(12)
    assert row(measured, "judge", None).same_cost < 1
    text = " ".join(shown(measured).split())
    assert "it alone, fewer tokens" in text and "by at most 100 of its samples" in text
    measured.is_equal = False
    assert "by what it had drawn at the end" in " ".join(shown(measured).split())


async def test_what_is_not_whole_is_called_partial() -> None:
    measured = await measured_by(2)
    assert "PARTIAL" not in shown(measured) and not report(measured, {})["partial"]
    measured.asked = 1_000
    text = " ".join(shown(measured).split())
    assert text.count("PARTIAL: 9 of 1,000 questions are measured.") == 2, "first and last"
    assert report(measured, {})["partial"]


def test_nothing_measured_is_said() -> None:
    nothing = Measured(("a",), (1,), (b"",), ("points",))
    assert shown(nothing) == "Nothing is measured yet: no question is answered by all members.\n"
    assert json.loads(json.dumps(report(nothing, {})))["questions"] == []


def test_shares_are_short() -> None:
    assert [share(value) for value in (0.0, 0.049, 0.5, 0.996, 1.0)] == [".00", ".05", ".50", "1.00", "1.00"]
