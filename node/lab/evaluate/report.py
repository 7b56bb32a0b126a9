"""What was measured, with every question and every answer, as JSON values."""

from dataclasses import asdict
from typing import Any

from node.lab.evaluate.agreement import Agreement, agreement
from node.lab.evaluate.case import Case, Draw, favourite
from node.lab.evaluate.comparing import Row, rows
from node.lab.evaluate.measure import Measured
from node.lab.evaluate.shares import Share
from node.lab.evaluate.spent import Spent
from node.lab.evaluate.summary import summary
from node.lab.evaluate.ways import Verdict

FORMAT = "moot-evaluation/1"


def report(measured: Measured, asked: dict[str, Any]) -> dict[str, Any]:
    """`asked` is how the measurement was asked for."""
    groups: list[str | None] = [*measured.groups()]
    groups += [None] if len(groups) != 1 else []
    found = rows(measured)
    sizes = zip(measured.members, measured.parameters, measured.digests, strict=True)
    return {
        "format": FORMAT,
        "asked": asked,
        "members": [
            {"name": name, "parameters": parameters, "model": digest.hex()} for name, parameters, digest in sizes
        ],
        "ways": [_row(measured, row) for row in found],
        "alone": [_alone(measured, group) for group in groups if measured.cases],
        "agreement": {group or "all": _agreement(agreement(measured, group)) for group in groups if measured.cases},
        "summary": summary(measured, found),
        "measured": len(measured.cases),
        "partial": not measured.is_whole,
        "same_cost": all(row.same_cost == 1 for row in found),
        "failed": measured.failed,
        "notes": measured.notes,
        "questions": [_question(measured, place) for place in range(len(measured.cases))],
    }


def _row(measured: Measured, row: Row) -> dict[str, Any]:
    return {
        "way": row.way,
        "group": row.group,
        "together": _share(row.team),
        "best": measured.members[row.best],
        "best_share": _share(row.best_share),
        "alone": _share(row.alone),
        "alone_samples": row.samples_alone,
        "alone_drawn": row.drawn_alone,
        "alone_same_cost": row.same_cost,
        "difference": row.against.difference,
        "interval": row.against.interval,
        "p_value": row.against.p_value,
        "won": row.against.gained,
        "lost": row.against.lost,
        "verdict": row.against.verdict,
        "sentence": f"{row.group or 'all'}: {row.sentence}",
        "any_member_right": _share(row.any_right),
        "spent": _spent(row.spent),
        "spent_alone": _spent(row.spent_alone),
        "members_turned": asdict(row.members_turned),
        "together_turned": asdict(row.team_turned),
    }


def _alone(measured: Measured, group: str | None) -> dict[str, Any]:
    places = measured.places(group)
    cases = [measured.cases[place] for place in places]
    found: dict[str, Any] = {"group": group, "members": {}}
    for member, name in enumerate(measured.members):
        right = sum(measured.is_right(place, member) for place in places)
        entry: dict[str, Any] = {"sampled": _share(Share(right, len(places)))}
        if all(case.greedy for case in cases):
            greedy = sum(case.greedy[member].answers[:1] == (case.item.right,) for case in cases)
            entry["likeliest"] = _share(Share(greedy, len(cases)))
        found["members"][name] = entry
    return found


def _agreement(found: Agreement) -> dict[str, Any]:
    return {
        "same_wrong": found.same_wrong,
        "mean_same_wrong": found.mean_same_wrong,
        "correlation": found.correlation,
        "independent_votes": found.votes,
    }


def _question(measured: Measured, place: int) -> dict[str, Any]:
    case = measured.cases[place]
    question = case.item.question
    return {
        "text": question.text,
        "kind": question.kind.value,
        "options": list(question.options),
        "class": case.item.group,
        "level": case.item.level,
        "right": case.item.right,
        "members": {name: _member(case, member) for member, name in enumerate(measured.members)},
        "ways": {way: _verdict(measured.verdicts[way][place]) for way in measured.ways},
    }


def _member(case: Case, member: int) -> dict[str, Any]:
    drawn = case.drawn[member]
    entry: dict[str, Any] = {"answer": favourite(case.item, drawn.counts), **_draw(drawn)}
    if case.greedy:
        entry["likeliest"] = _draw(case.greedy[member])
    if member in case.pools:
        entry["all_samples"] = _draw(case.pools[member])
    return entry


def _draw(draw: Draw) -> dict[str, Any]:
    return {"counts": draw.counts, "samples": len(draw.answers), "texts": draw.texts, "spent": _spent(draw.spent)}


def _verdict(end: Verdict) -> dict[str, Any]:
    return {"answer": end.answer, "points": end.after, "spent": _spent(end.spent)}


def _share(share: Share) -> dict[str, Any]:
    return {"right": share.right, "asked": share.asked, "share": share.value, "interval": share.interval}


def _spent(spent: Spent) -> dict[str, int | float]:
    return {**asdict(spent), "tokens": spent.tokens}
