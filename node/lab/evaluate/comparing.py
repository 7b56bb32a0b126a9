"""Each way next to the best single member at the same cost, by group and over all, whichever way it comes out."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.lab.evaluate.baseline import alone_at
from node.lab.evaluate.case import Case, Points, decide, favourite
from node.lab.evaluate.measure import Measured
from node.lab.evaluate.shares import Paired, Share
from node.lab.evaluate.spent import Spent, total
from node.lab.evaluate.ways import Verdict


@dataclass(frozen=True, slots=True)
class Turns:
    """Between a member's samples and the points it gave in the end, or between the two counts of a team."""

    to_wrong: int
    to_right: int


@dataclass(frozen=True, slots=True)
class Row:
    """One way on one group of questions.

    Args:
        group: None for all questions.
        best: the member with the most right answers on these very questions, which favours it.
        best_share: of its answers by as many samples as the team took of each member.
        alone: of its answers by as many samples as make its tokens reach the team's, or as many as are allowed.
        against: the team beside `alone`.
        spent, spent_alone: over all the questions together.
        samples_alone, drawn_alone: of the member alone, over all the questions together: by which it answers, and how
            many of them were drawn, as some could change nothing any more.
        reached: tokens of the team that the member alone had too, question by question.
        any_right: some member was right.
    """

    way: str
    group: str | None
    team: Share
    best: int
    best_share: Share
    alone: Share
    against: Paired
    spent: Spent
    spent_alone: Spent
    samples_alone: int
    drawn_alone: int
    reached: int
    any_right: Share
    members_turned: Turns
    team_turned: Turns

    @property
    def same_cost(self) -> float:
        """Tokens of the member alone as a share of the team's; 1 where it had no fewer on any question."""
        return self.reached / self.spent.tokens if self.spent.tokens else 1.0

    @property
    def sentence(self) -> str:
        """For people, in one line without names."""
        low, high = self.against.interval
        what = f"{self.against.difference:+.2f} ({low:+.2f} to {high:+.2f})"
        return f"{self.against.verdict}: {what}, {self.against.gained} won and {self.against.lost} lost"


def rows(measured: Measured) -> list[Row]:
    """For each way: a row for each group, then one for all."""
    groups: list[str | None] = [*measured.groups()]
    groups += [None] if len(groups) > 1 else []
    return [row(measured, way, group) for way in measured.ways for group in groups if measured.cases]


def row(measured: Measured, way: str, group: str | None) -> Row:
    places = measured.places(group)
    cases = [measured.cases[place] for place in places]
    verdicts = [measured.verdicts[way][place] for place in places]
    best = measured.best_member(group)
    size = measured.parameters[best]
    tokens = [end.spent.tokens for end in verdicts]
    limit = measured.alone_max
    alone = [alone_at(case, best, each, size, limit) for case, each in zip(cases, tokens, strict=True)]
    team_right = [end.answer == case.item.right for case, end in zip(cases, verdicts, strict=True)]
    alone_right = [one.answer == case.item.right for case, one in zip(cases, alone, strict=True)]
    members = range(len(measured.members))
    return Row(
        way,
        group,
        Share(sum(team_right), len(places)),
        best,
        Share(sum(measured.is_right(place, best) for place in places), len(places)),
        Share(sum(alone_right), len(places)),
        Paired.of(team_right, alone_right),
        total(end.spent for end in verdicts),
        total(one.spent for one in alone),
        sum(one.samples for one in alone),
        sum(one.drawn for one in alone),
        sum(min(one.spent.tokens, each) for one, each in zip(alone, tokens, strict=True)),
        Share(sum(any(measured.is_right(place, member) for member in members) for place in places), len(places)),
        _members_turned(cases, verdicts),
        _team_turned(cases, verdicts, team_right),
    )


def fallback(measured: Measured, way: str, group: str | None) -> tuple[int, Paired]:
    """The best member and, by as many samples as it has in the team, how it stands beside a way: as a moot asks it."""
    places = measured.places(group)
    best = measured.best_member(group)
    alone = [measured.is_right(place, best) for place in places]
    together = [measured.verdicts[way][place].answer == measured.cases[place].item.right for place in places]
    return best, Paired.of(alone, together)


def _members_turned(cases: Sequence[Case], verdicts: Sequence[Verdict]) -> Turns:
    pairs = [
        (_is_right(case, before), _is_right(case, after))
        for case, end in zip(cases, verdicts, strict=True)
        for before, after in zip(end.before, end.after, strict=True)
    ]
    return _turns(pairs)


def _team_turned(cases: Sequence[Case], verdicts: Sequence[Verdict], right: Sequence[bool]) -> Turns:
    """From what plain counting of the members' samples had given."""
    plain = [
        decide(case.item, "points", end.before) == case.item.right for case, end in zip(cases, verdicts, strict=True)
    ]
    return _turns(list(zip(plain, right, strict=True)))


def _turns(pairs: Sequence[tuple[bool, bool]]) -> Turns:
    return Turns(sum(one and not other for one, other in pairs), sum(other and not one for one, other in pairs))


def _is_right(case: Case, points: Points) -> bool:
    return favourite(case.item, points) == case.item.right
