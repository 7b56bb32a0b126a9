"""Turns what the core and the store hold into the reports that leave the process."""

from collections.abc import Mapping

from coordinator.ledger.agenda import Agenda, Item
from coordinator.ledger.resolution import Part, Resolution, resolve, why_unanswered
from coordinator.ledger.roster import Member, Roster
from coordinator.messages import LedgerEntry
from coordinator.records import Cost, Preference, Proposal
from coordinator.session import Session
from coordinator.signed import Digest, Kind, NodeId
from node.api import AnswerReport, CostReport, DecisionReport


def open_report(session: Session, roster: Roster) -> DecisionReport:
    """An open question as it stands."""
    report = _report(resolve(session.item(), roster), roster.by_node)
    report["state"] = "no_quorum" if session.reported_open else "open"
    report["reason"] = _why_open(session, roster) if session.reported_open else None
    report["answer"], report["scores"], report["tied"] = None, [], []
    return report


def _why_open(session: Session, roster: Roster) -> str:
    """Why there is no decision: too few answers, or enough of them and too few members to vote."""
    answered = session.answered()
    if answered < session.turnout(roster.charter):
        return why_unanswered(session.question.tally, answered, roster)
    return (
        f"no quorum: {answered} of {len(roster.members)} members answered, but {roster.charter.threshold} must vote"
        " and did not; it will be decided when enough are back"
    )


def decided_report(question: Digest, slot: int, entry: LedgerEntry, roster: Roster) -> DecisionReport:
    """A question of a decided slot."""
    resolution = resolve(item_of(entry, question), roster)
    report = _report(resolution, roster.by_node)
    report["state"] = "decided" if resolution.outcome else "no_quorum"
    report["slot"] = slot
    report["signers"] = sorted(roster.by_node[statement.author].name for statement in entry.statements)
    return report


def dropped_report(item: Item, roster: Roster, seats: Mapping[NodeId, Member]) -> DecisionReport:
    """A question of which the asker was removed; `seats` are those of former members too."""
    report = _report(resolve(item, roster), seats)
    report["state"], report["answer"], report["scores"], report["tied"] = "no_quorum", None, [], []
    report["reason"] = f"not decided: {report['asked_by']}, who asked, was removed from the roster before it was"
    return report


def item_of(entry: LedgerEntry, question: Digest) -> Item:
    return next(item for item in Agenda.decode(entry.agenda).items if item.id == question)


def _report(resolution: Resolution, seats: Mapping[NodeId, Member]) -> DecisionReport:
    question, outcome = resolution.question, resolution.outcome
    return {
        "id": resolution.id.hex(),
        "text": question.text,
        "kind": question.kind.value,
        "options": list(question.options),
        "asked_by": seats[resolution.asker].name,
        "asked_ms": question.asked_ms,
        "tally": resolution.tally,
        "state": "",
        "answer": outcome.answer if outcome else None,
        "reason": resolution.reason,
        "scores": list(outcome.scores) if outcome else [],
        "tied": list(outcome.tied) if outcome else [],
        "answered": resolution.answered,
        "turnout": resolution.turnout,
        "members": [_answer(part, seats) for part in resolution.parts],
        "cost": cost_report(resolution.cost),
        "slot": None,
        "signers": [],
        "model_ms": None,
        "protocol_ms": None,
    }


def _answer(part: Part, seats: Mapping[NodeId, Member]) -> AnswerReport:
    proposal = part.proposal
    return {
        "node": part.member.hex(),
        "name": seats[part.member].name,
        "state": part.stand.value,
        "answer": proposal.answer if proposal else None,
        "counts": list(proposal.counts) if proposal else [],
        "samples": proposal.samples if proposal else 0,
        "model": proposal.model.hex() if proposal else None,
        "points": list(part.points),
        "cost": cost_report(part.cost),
    }


def cost_report(cost: Cost) -> CostReport:
    return {
        "forward_passes": cost.forward_passes,
        "prompt_tokens": cost.prompt_tokens,
        "generated_tokens": cost.generated_tokens,
        "model_ms": cost.model_us / 1_000,
    }


def answer_of(
    session: Session | None, step: str, member: NodeId
) -> tuple[str | None, list[tuple[str, int]], int] | None:
    """What a member proposed, or, with the step preferred, how it spread its points."""
    if session is None or step not in ("proposed", "preferred"):
        return None
    if step == "proposed":
        record = session.own(Kind.PROPOSAL, member)
        if record is None:
            return None
        proposal = Proposal.decode(record.body)
        return proposal.answer, list(proposal.counts), proposal.samples
    record = session.own(Kind.PREFERENCE, member)
    if record is None:
        return None
    points = Preference.decode(record.body).points
    return points[0][0] if points else None, list(points), sum(count for _, count in points)
