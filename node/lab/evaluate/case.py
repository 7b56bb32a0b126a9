"""What was drawn from the members for one question: kept once, and used by every way to count it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from coordinator.answers import normalize
from coordinator.records import sorted_points
from coordinator.tally import RULES, Weighed
from node.lab.evaluate.items import Item
from node.lab.evaluate.spent import Spent
from node.model.results import Generated, Scored

Points = tuple[tuple[str, int], ...]
"""(candidate, points), most first: how a member spreads what it has."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Samples of one member on one question.

    Args:
        answers: what each sample answers, in the form in which members compare answers; None for no answer.
        lengths: tokens of each sample.
    """

    texts: tuple[str, ...]
    answers: tuple[str | None, ...]
    lengths: tuple[int, ...]
    spent: Spent

    @property
    def counts(self) -> Points:
        return counts_of(self.answers)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a member's model gave back to one request; no result when it failed, which `error` says."""

    result: Generated | Scored | None
    spent: Spent
    error: str = ""


@dataclass(slots=True)
class Case:
    """One question and what its members said, by the member's place."""

    item: Item
    drawn: tuple[Draw, ...]
    greedy: tuple[Draw, ...] = ()
    replies: dict[str, tuple[tuple[Reply, ...], ...]] = field(default_factory=dict)
    """By way: of each member, the replies to its further requests in that way."""
    pools: dict[int, Draw] = field(default_factory=dict)
    """By member: what was drawn and further samples, for the member alone at a team's cost."""
    sizes: tuple[int, ...] = ()
    """Parameters of each member's model."""

    def pool(self, member: int) -> Draw:
        return self.pools.get(member, self.drawn[member])


def draw_of(item: Item, reply: Reply) -> Draw:
    if not isinstance(reply.result, Generated):
        return Draw((), (), (), reply.spent)
    texts = reply.result.texts
    lengths = reply.result.lengths or even(reply.spent.generated_tokens, len(texts))
    return Draw(texts, tuple(normalize(item.question, text) for text in texts), lengths, reply.spent)


def joined(one: Draw, other: Draw) -> Draw:
    return Draw(
        one.texts + other.texts,
        one.answers + other.answers,
        one.lengths + other.lengths,
        one.spent + other.spent,
    )


def counts_of(answers: Sequence[str | None]) -> Points:
    """How samples fell; what is no answer is left out."""
    return sorted_points(Counter(answer for answer in answers if answer is not None))


def decide(item: Item, rule: str, profile: Sequence[Points]) -> str | None:
    """Count as a moot does, every member with weight 1; None when nobody gave a point."""
    weighed = [Weighed(bytes([member]), 1, points) for member, points in enumerate(profile) if points]
    outcome = RULES[rule](item.id, weighed)
    return outcome.answer if outcome else None


def favourite(item: Item, points: Points) -> str | None:
    """What one member prefers; its own ties are broken as a moot breaks them."""
    return decide(item, "plurality", [points])


def even(tokens: int, samples: int) -> tuple[int, ...]:
    """Where nobody says how long each sample is: equal parts."""
    return tuple(tokens * (number + 1) // samples - tokens * number // samples for number in range(samples))
