"""Voting rules: the sums, and what no rule may do whatever the members prefer."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.records import sorted_points
from coordinator.tally import RULES, Outcome, Rule, Weighed
from coordinator.tally.outcome import tie_key

QUESTION = b"q" * 32
CANDIDATES = ["blue", "green", "red", "yellow"]
EVERY_RULE = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))


def prefers(member: str, points: Mapping[str, int], weight: int = 1) -> Weighed:
    return Weighed(member.encode(), weight, sorted_points(dict(points)))


def by_tie_key(*candidates: str) -> tuple[str, ...]:
    return tuple(sorted(candidates, key=lambda candidate: tie_key(QUESTION, candidate)))


def test_a_sure_member_outweighs_two_that_guess() -> None:
    """The point of points: 5 beat 2 + 2, where plurality counts one head against two."""
    profile = [
        prefers("sure", {"red": 5}),
        prefers("guess", {"blue": 2, "green": 1, "yellow": 1, "red": 1}),
        prefers("guess too", {"blue": 2, "green": 1, "yellow": 1}),
    ]
    assert RULES["points"](QUESTION, profile) == Outcome(
        "red", (("red", 6), ("blue", 4), *((tied, 2) for tied in by_tie_key("green", "yellow"))), ()
    )
    assert RULES["plurality"](QUESTION, profile) == Outcome("blue", (("blue", 2), ("red", 1)), ())


def test_weights_multiply() -> None:
    profile = [prefers("a", {"red": 3}, weight=2), prefers("b", {"blue": 5})]
    assert RULES["points"](QUESTION, profile) == Outcome("red", (("red", 6), ("blue", 5)), ())
    assert RULES["plurality"](QUESTION, profile) == Outcome("red", (("red", 2), ("blue", 1)), ())


@EVERY_RULE
def test_a_tie_is_broken_by_the_question_and_told(rule: Rule) -> None:
    """Over many questions each side wins some, so no text is favoured; every time it is said that there was a tie."""
    profile = [prefers("a", {"red": 2}), prefers("b", {"blue": 2})]
    winners = []
    for number in range(32):
        outcome = rule(bytes([number]) * 32, profile)
        assert outcome is not None
        assert sorted(outcome.tied) == ["blue", "red"]
        assert outcome.tied[0] == outcome.answer == outcome.scores[0][0]
        winners.append(outcome.answer)
    assert set(winners) == {"blue", "red"}


def test_plurality_settles_a_members_own_tie_by_the_same_key() -> None:
    first, second = by_tie_key("red", "blue")
    outcome = RULES["plurality"](QUESTION, [prefers("a", {first: 2, second: 2})])
    assert outcome == Outcome(first, ((first, 1),), ())


@EVERY_RULE
@pytest.mark.parametrize("profile", [[], [prefers("a", {}), prefers("b", {})]], ids=["nobody", "all abstain"])
def test_no_points_no_outcome(rule: Rule, profile: list[Weighed]) -> None:
    assert rule(QUESTION, profile) is None


_POINTS = st.dictionaries(st.sampled_from(CANDIDATES), st.integers(1, 8), max_size=4)
_PROFILES = st.lists(st.tuples(_POINTS, st.integers(1, 5)), max_size=7).map(
    lambda entries: [prefers(f"m{n}", points, weight) for n, (points, weight) in enumerate(entries)]
)


@EVERY_RULE
@given(profile=_PROFILES, data=st.data())
def test_the_order_of_members_does_not_matter(rule: Rule, profile: list[Weighed], data: st.DataObject) -> None:
    """Nodes that hold the same preferences in another order would otherwise decide differently."""
    assert rule(QUESTION, profile) == rule(QUESTION, data.draw(st.permutations(profile)))


@EVERY_RULE
@given(profile=_PROFILES, names=st.permutations(CANDIDATES))
def test_candidates_are_treated_alike(rule: Rule, profile: list[Weighed], names: list[str]) -> None:
    """Renaming the candidates renames the outcome, except where a tie had to be broken."""
    rename = dict(zip(CANDIDATES, names, strict=True))
    if any(len({count for _, count in p.points}) < len(p.points) for p in profile):
        return  # A member's own tie is broken by name too.
    renamed = [prefers(p.member.decode(), {rename[c]: n for c, n in p.points}, p.weight) for p in profile]
    before, after = rule(QUESTION, profile), rule(QUESTION, renamed)
    if before is None or after is None:
        assert before is after
        return
    assert sorted(after.scores) == sorted((rename[candidate], score) for candidate, score in before.scores)
    assert sorted(after.tied) == sorted(rename[candidate] for candidate in before.tied)
    assert before.tied or after.answer == rename[before.answer]


@EVERY_RULE
@given(winner=st.sampled_from(CANDIDATES), counts=st.lists(st.tuples(st.integers(1, 8), st.integers(1, 5)), min_size=1))
def test_what_all_prefer_wins(rule: Rule, winner: str, counts: list[tuple[int, int]]) -> None:
    outcome = rule(QUESTION, [prefers(f"m{n}", {winner: c}, weight) for n, (c, weight) in enumerate(counts)])
    assert outcome is not None
    assert (outcome.answer, outcome.tied) == (winner, ())


@EVERY_RULE
@given(profile=_PROFILES, points=_POINTS.filter(bool), weight=st.integers(1, 5))
def test_a_member_adds_no_more_than_it_has(
    rule: Rule, profile: list[Weighed], points: dict[str, int], weight: int
) -> None:
    """A liar with weight w and k points moves all scores together by at most w * k, and takes nothing from anyone."""

    def scores(of: list[Weighed]) -> dict[str, int]:
        outcome = rule(QUESTION, of)
        return dict(outcome.scores) if outcome else {}

    before, after = scores(profile), scores([*profile, prefers("liar", points, weight)])
    added = {candidate: after[candidate] - before.get(candidate, 0) for candidate in after}
    assert before.keys() <= after.keys()
    assert min(added.values()) >= 0
    assert 0 < sum(added.values()) <= weight * sum(points.values())


@EVERY_RULE
@given(profile=_PROFILES)
def test_an_outcome_is_in_order(rule: Rule, profile: list[Weighed]) -> None:
    outcome = rule(QUESTION, profile)
    if outcome is None:
        assert not any(p.points for p in profile)
        return
    assert list(outcome.scores) == sorted(outcome.scores, key=lambda entry: (-entry[1], tie_key(QUESTION, entry[0])))
    assert outcome.answer == outcome.scores[0][0]
    top = tuple(candidate for candidate, score in outcome.scores if score == outcome.scores[0][1])
    assert outcome.tied == (top if len(top) > 1 else ())
