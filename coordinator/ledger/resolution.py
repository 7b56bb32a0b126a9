"""From an item to its outcome: who is counted, what was answered, what it cost. Every node computes the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from coordinator.answers import normalize
from coordinator.encoding import EncodingError
from coordinator.ledger.agenda import Item
from coordinator.ledger.roster import Roster
from coordinator.records import Cost, Preference, Proposal, Question
from coordinator.signed import Digest, NodeId, Signed
from coordinator.tally import Outcome, Weighed, is_counted, named, rule, turnout_of


class ItemError(ValueError):
    """An item that no honest member puts on an agenda."""


class BadSignatureError(ItemError):
    """A record in the item was not signed by the author it names."""


class Stand(Enum):
    """How a roster member stands in a question."""

    ANSWERED = "answered"
    ABSTAINED = "abstained"
    SILENT = "silent"
    CONTRADICTED = "contradicted"
    """It signed two different proposals or preferences; it is not counted."""


@dataclass(frozen=True, slots=True)
class Part:
    """One roster member's part in a question."""

    member: NodeId
    stand: Stand
    proposal: Proposal | None
    points: tuple[tuple[str, int], ...]
    """What is counted: none unless it answered."""
    cost: Cost


@dataclass(frozen=True, slots=True)
class Resolution:
    """The end of a question. No outcome: the turnout was missed."""

    id: Digest
    question: Question
    asker: NodeId
    parts: tuple[Part, ...]
    """One for each roster member, in the roster's order."""
    answered: int
    turnout: int
    tally: str
    outcome: Outcome | None
    reason: str | None
    """Why there is no answer, in plain words; None when there is one."""
    cost: Cost


def why_unanswered(tally: str, answered: int, roster: Roster) -> str:
    """Why a question has no answer, in plain words: too few members gave one, or the one that was to."""
    digits = named(tally)
    if digits is None:
        return f"no quorum: {answered} of {len(roster.members)} members answered by the deadline"
    for member in roster.members:
        if is_counted(tally, member.node):
            return f"no answer: only {member.name} was asked, and it gave none by the deadline"
    return f"no answer: only the member {digits[:8]} was asked, and it is not in the roster"


def check_item(item: Item, roster: Roster, verify: Callable[[Signed], bool]) -> None:
    """Refuse what may not stand in an agenda.

    Raises:
        BadSignatureError: a record that its author did not sign.
        ItemError: an author outside the roster, a record about another question, an unknown voting rule, or more
            samples or points than the charter allows.
    """
    question_id = item.id
    for record in (item.question, *item.proposals, *item.preferences):
        if record.author not in roster.by_node:
            raise ItemError(f"a {record.kind.value} by {record.author.hex()[:8]}, who is not in the roster")
        if not verify(record):
            raise BadSignatureError(f"a {record.kind.value} that {roster.by_node[record.author].name} did not sign")
    try:
        question = Question.decode(item.question.body)
        proposals = [Proposal.decode(record.body) for record in item.proposals]
        preferences = [Preference.decode(record.body) for record in item.preferences]
    except EncodingError as error:
        raise ItemError(f"a record that cannot be read: {error}") from error
    if question.tally and rule(question.tally) is None:
        raise ItemError(f"the unknown voting rule {question.tally!r}")
    if {question_id} != {question_id, *(one.question for one in proposals), *(one.question for one in preferences)}:
        raise ItemError("a record about another question")
    if any(proposal.samples > roster.charter.samples for proposal in proposals):
        raise ItemError("more samples than the charter allows")
    if any(total(preference) > roster.charter.samples for preference in preferences):
        raise ItemError("more points than the charter allows")


def total(preference: Preference) -> int:
    return sum(points for _, points in preference.points)


def resolve(item: Item, roster: Roster) -> Resolution:
    """Compute the end of a question from an item that `check_item` has passed."""
    question = Question.decode(item.question.body)
    parts = tuple(part_of(member.node, question, item.proposals, item.preferences) for member in roster.members)
    answered = sum(part.stand is Stand.ANSWERED for part in parts)
    tally = question.tally or roster.charter.tally
    turnout = turnout_of(tally, roster.charter.turnout)
    outcome = None
    if answered >= turnout:
        counted = rule(tally)
        assert counted is not None, "checked when the question was taken"
        weighed = [
            Weighed(part.member, roster.by_node[part.member].weight, part.points) for part in parts if part.points
        ]
        outcome = counted(item.id, weighed)
    reason = None if outcome is not None else why_unanswered(tally, answered, roster)
    cost = sum((part.cost for part in parts), Cost())
    return Resolution(item.id, question, item.question.author, parts, answered, turnout, tally, outcome, reason, cost)


def part_of(
    member: NodeId, question: Question, all_proposals: Sequence[Signed], all_preferences: Sequence[Signed]
) -> Part:
    """A member's part, from everybody's different and checked records about the question."""
    proposals = _of(member, all_proposals)
    preferences = _of(member, all_preferences)
    if len(proposals) > 1 or len(preferences) > 1:
        return Part(member, Stand.CONTRADICTED, None, (), Cost())
    proposal = Proposal.decode(proposals[0].body) if proposals else None
    cost = proposal.cost if proposal else Cost()
    if not preferences:
        return Part(member, Stand.SILENT, proposal, (), cost)
    preference = Preference.decode(preferences[0].body)
    points: tuple[tuple[str, int], ...] = ()
    if is_counted(question.tally, member):
        # A candidate that is no answer of the question's kind, in its one spelling, gets nothing: else equal answers
        # would split.
        points = tuple((answer, count) for answer, count in preference.points if normalize(question, answer) == answer)
    stand = Stand.ANSWERED if points else Stand.ABSTAINED
    return Part(member, stand, proposal, points, cost + preference.cost)


def _of(member: NodeId, records: Sequence[Signed]) -> list[Signed]:
    return [record for record in records if record.author == member]
