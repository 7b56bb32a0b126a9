"""Turns what the core and the store hold into the reports that leave the process."""

from coordinator.ledger.agenda import Agenda, Item
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.resolution import Part, Resolution, no_quorum, resolve
from coordinator.messages import LedgerEntry
from coordinator.records import Cost
from coordinator.session import Session
from coordinator.signed import Digest
from node.api import AnswerReport, CostReport, DecisionReport


def open_report(session: Session, genesis: Genesis) -> DecisionReport:
    """An open question as it stands."""
    report = _report(resolve(session.item(), genesis), genesis)
    report["state"] = "no_quorum" if session.reported_open else "open"
    report["reason"] = _why_open(report["answered"], genesis) if session.reported_open else None
    report["answer"], report["scores"], report["tied"] = None, [], []
    return report


def _why_open(answered: int, genesis: Genesis) -> str:
    """Why there is no decision: too few answers, or enough of them and too few members to vote."""
    if answered < genesis.charter.turnout:
        return no_quorum(answered, len(genesis.members))
    return (
        f"no quorum: {answered} of {len(genesis.members)} members answered, but {genesis.charter.threshold} must vote"
        " and did not; it will be decided when enough are back"
    )


def decided_report(question: Digest, slot: int, entry: LedgerEntry, genesis: Genesis) -> DecisionReport:
    """A question of a decided slot."""
    resolution = resolve(item_of(entry, question), genesis)
    report = _report(resolution, genesis)
    report["state"] = "decided" if resolution.outcome else "no_quorum"
    report["slot"] = slot
    report["signers"] = sorted(genesis.roster.by_node[statement.author].name for statement in entry.statements)
    return report


def item_of(entry: LedgerEntry, question: Digest) -> Item:
    return next(item for item in Agenda.decode(entry.agenda).items if item.id == question)


def _report(resolution: Resolution, genesis: Genesis) -> DecisionReport:
    question, outcome = resolution.question, resolution.outcome
    return {
        "id": resolution.id.hex(),
        "text": question.text,
        "kind": question.kind.value,
        "options": list(question.options),
        "asked_by": genesis.roster.by_node[resolution.asker].name,
        "asked_ms": question.asked_ms,
        "tally": resolution.tally,
        "state": "",
        "answer": outcome.answer if outcome else None,
        "reason": resolution.reason,
        "scores": list(outcome.scores) if outcome else [],
        "tied": list(outcome.tied) if outcome else [],
        "answered": resolution.answered,
        "turnout": resolution.turnout,
        "members": [_answer(part, genesis) for part in resolution.parts],
        "cost": cost_report(resolution.cost),
        "slot": None,
        "signers": [],
        "model_ms": None,
        "protocol_ms": None,
    }


def _answer(part: Part, genesis: Genesis) -> AnswerReport:
    proposal = part.proposal
    return {
        "node": part.member.hex(),
        "name": genesis.roster.by_node[part.member].name,
        "state": part.stand.value,
        "answer": proposal.answer if proposal else None,
        "counts": list(proposal.counts) if proposal else [],
        "samples": proposal.samples if proposal else 0,
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
