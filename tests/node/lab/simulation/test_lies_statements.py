"""Liars about statements do lie as their names promise, in their own name alone, within bounds and alike each time."""

from itertools import combinations, pairwise

import pytest

from coordinator.voting import (
    INFINITY,
    VALUES_MAX,
    Ballot,
    Confirm,
    Externalize,
    Nominate,
    Prepare,
    Statement,
    contradiction,
    is_newer,
    problem,
)
from coordinator.voting.says import accepts_commit, accepts_prepare, votes_commit
from node.lab.simulation.lies import STATEMENT_LIES, statement_liar
from node.lab.simulation.lies.allowance import PER_MOMENT_MAX, PER_SECOND_MAX, Allowance
from node.lab.simulation.lies.equivocation import life
from node.lab.simulation.lies.inventions import unsound
from tests.node.lab.simulation.stages import LIAR, OTHERS, SLOT, Staged, as_own

A, B, C, D = OTHERS
QUORUM_SET = b"q" * 32


def story(member: bytes, value: bytes, slot: int = SLOT) -> tuple[Statement, ...]:
    """All that an honest member says on its way to a decision."""
    return life((member, slot, QUORUM_SET), value)


def everybody(rounds: int = 1) -> list[Statement]:
    """Four members, two of them for x and two for y, say all they have, slot after slot."""
    said: list[Statement] = []
    for slot in range(SLOT, SLOT + rounds):
        stories = [story(member, b"xxyy"[n : n + 1], slot) for n, member in enumerate(OTHERS)]
        said += [statement for step in zip(*stories, strict=True) for statement in step]
    return said


def prepare(member: bytes, value: bytes, counter: int = 1, **more: object) -> Prepare:
    return Prepare(member, SLOT, QUORUM_SET, Ballot(counter, value), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", STATEMENT_LIES)
def test_every_liar_speaks_in_its_own_name_and_alike_each_time(kind: str) -> None:
    one, again = (Staged(kind, seed=3).play(everybody(3)).stage.said for _ in range(2))
    assert one == again
    assert all(statement.node == LIAR and to in OTHERS for to, statement in one)


@pytest.mark.parametrize("kind", STATEMENT_LIES)
def test_every_liar_is_bounded(kind: str) -> None:
    """One that answers each message with many would leave a run no time for anything else."""
    liar = Staged(kind)
    for statement in everybody(20):
        assert len(liar.hear(statement)) <= PER_MOMENT_MAX
        assert len(liar.liar.alter(A, as_own(statement))) <= PER_MOMENT_MAX
    assert len(liar.stage.said) <= PER_SECOND_MAX, "all of it came within one second"


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"known are .*mirror"):
        statement_liar("honest", Staged("silent").stage)


def test_the_mirror_agrees_with_each_member() -> None:
    mirror = Staged("mirror")
    mirror.hear(prepare(A, b"x"), prepare(B, b"y"))
    [to_a], [to_b] = mirror.stage.to(A), mirror.stage.to(B)
    assert isinstance(to_a, Prepare) and accepts_prepare(to_a, Ballot(1, b"x"))
    assert isinstance(to_b, Prepare) and accepts_prepare(to_b, Ballot(1, b"y"))
    assert not accepts_prepare(to_a, Ballot(1, b"y")) and mirror.stage.to(C) == []


@pytest.mark.parametrize("kind", ["mirror", "two-faced"])
def test_the_mirror_follows_a_member_to_its_decision(kind: str) -> None:
    """Each of its words is sane and newer than the last, so that it counts, and is what the member waits for next."""
    mirror = Staged(kind)
    member = next(node for node in OTHERS if mirror.hear(story(node, b"x")[0]))
    for statement in story(member, b"x")[1:]:
        mirror.hear(statement)
    said = mirror.stage.to(member)
    ballots = [statement for statement in said if not isinstance(statement, Nominate)]
    assert all(problem(statement) is None for statement in said)
    assert all(is_newer(old, new) for old, new in pairwise(ballots))
    assert said[0] == Nominate(LIAR, SLOT, said[0].quorum_set, (b"x",), (b"x",))
    assert any(votes_commit(statement, b"x", 1, 1) for statement in ballots)
    assert any(accepts_commit(statement, b"x", 1, 1) for statement in ballots)
    assert isinstance(said[-1], Externalize)


def test_the_mirror_turns_round_with_a_member_that_turns_round() -> None:
    mirror = Staged("mirror")
    committing = prepare(A, b"x", prepared=Ballot(1, b"x"), n_c=1, n_h=1)
    said = [lie for _, lie in mirror.hear(committing, prepare(A, b"y", 2))]
    assert isinstance(said[0], Confirm) and isinstance(said[1], Confirm), "no PREPARE counts after a CONFIRM"
    assert is_newer(*said) and contradiction(*said) == "accepted to commit two values"


def test_the_mixed_mirror_tells_members_what_others_said() -> None:
    seen = set()
    for seed in range(80):
        for to, lie in Staged("mixed-mirror", seed).hear(prepare(A, b"x"), prepare(B, b"y")):
            assert isinstance(lie, Prepare | Confirm | Externalize) and problem(lie) is None
            seen.add((to, (lie.commit if isinstance(lie, Externalize) else lie.ballot).value))
    assert {(A, b"x"), (B, b"y"), (A, b"y")} <= seen


def test_the_equivocator_leads_another_life_before_each_member() -> None:
    liar = Staged("equivocator")
    for step in zip(*(story(member, b"x") for member in OTHERS), strict=True):
        liar.hear(*step)
    lives = [liar.stage.to(member) for member in OTHERS]
    for one in lives:
        assert [problem(statement) for statement in one] == [None] * len(one)
        nominations = [statement for statement in one if isinstance(statement, Nominate)]
        ballots = [statement for statement in one if not isinstance(statement, Nominate)]
        for history in (nominations, ballots):
            told = [new for n, new in enumerate(history) if new not in history[:n]]
            assert all(is_newer(old, new) for old, new in pairwise(told)), "each life by itself is an honest one"
    for one, other in combinations(lives, 2):
        for kind in (Nominate, Confirm, Externalize):
            mine, theirs = (next(s for s in life if isinstance(s, kind)) for life in (one, other))
            assert contradiction(mine, theirs) is not None, kind
        commits = [next(s for s in life if isinstance(s, Prepare) and s.n_c) for life in (one, other)]
        assert commits[0].ballot.value != commits[1].ballot.value, "votes to commit two values at one counter"


def test_equivocators_tell_one_member_the_same() -> None:
    """Two that told it different things would only spoil each other's lies."""
    one, other = (Staged("equivocator", seed).play(everybody()).stage.to(A) for seed in range(2))
    assert one == other


def test_the_commit_chaser_commits_two_values_at_once() -> None:
    found = 0
    for seed in range(20):
        liar = Staged("commit-chaser", seed)
        liar.hear(prepare(B, b"y"))
        said = liar.hear(prepare(A, b"x"))
        to_a = next(lie for to, lie in said if to == A)
        assert accepts_commit(to_a, b"x", 1, 1)  # type: ignore[arg-type]
        found += any(to != A and contradiction(to_a, lie) == "accepted to commit two values" for to, lie in said)
    assert found > 15


def test_the_two_faced_one_is_honest_to_half() -> None:
    liar = Staged("two-faced")
    said = prepare(LIAR, b"z")
    liar.tell(said)
    assert len(liar.stage.said) == 2 and all(lie == said for _, lie in liar.stage.said)


def test_the_silent_ones_are_silent() -> None:
    assert Staged("silent").play(everybody()).stage.said == []
    for seed in range(8):
        liar = Staged("silent-to-some", seed)
        liar.tell(prepare(LIAR, b"z"))
        heard = {to for to, _ in liar.stage.said}
        liar.tell(prepare(LIAR, b"z", 2))
        assert {to for to, _ in liar.stage.said} == heard and 0 < len(heard) < 4


def test_the_mutator_changes_one_field_and_no_more() -> None:
    liar, changed = Staged("mutator").liar, set()
    said = prepare(LIAR, b"x", 3, prepared=Ballot(2, b"x"), n_c=1, n_h=2)
    for _ in range(300):
        [lie] = liar.alter(A, said)
        assert isinstance(lie, Prepare)
        differing = [name for name in Prepare.__slots__ if getattr(lie, name) != getattr(said, name)]
        assert len(differing) <= 1
        changed.update(differing)
    assert changed == set(Prepare.__slots__) - {"node"}


def test_the_replayer_repeats_older_words() -> None:
    liar = Staged("replayer")
    own = story(LIAR, b"x")
    for statement in own:
        liar.tell(statement)
    said = liar.stage.to(A)
    assert set(said) == set(own) and len(said) > len(own)
    assert any(is_newer(new, old) for old, new in pairwise(said)), "an older one after a newer one"


def test_the_withholder_keeps_acceptance_back() -> None:
    liar = Staged("withholder")
    vote, accept = prepare(LIAR, b"x"), prepare(LIAR, b"x", prepared=Ballot(1, b"x"))
    liar.tell(vote)
    liar.tell(accept)
    assert liar.stage.to(A) == [vote]
    liar.stage.pass_ms(1_000)
    assert liar.stage.to(A) == [vote, accept]


def test_the_recoverer_stops_and_comes_back_with_its_first_word() -> None:
    liar = Staged("recoverer")
    first = story(LIAR, b"x")[0]
    gaps = returns = 0
    for counter in range(1, 200):
        before = len(liar.stage.to(A))
        liar.tell(first if counter == 1 else prepare(LIAR, b"x", counter))
        said = liar.stage.to(A)[before:]
        gaps += not said
        returns += counter > 1 and said == [first]
        liar.stage.pass_ms(200)
    assert gaps > 20 and returns > 3


def test_the_set_changer_says_the_right_things_under_other_quorum_sets() -> None:
    liar = Staged("set-changer")
    said = prepare(LIAR, b"x")
    liar.tell(said)
    digests = {statement.quorum_set for _, statement in liar.stage.said}
    assert len(digests) > 1 and all(
        isinstance(lie, Prepare) and lie.ballot == said.ballot for _, lie in liar.stage.said
    )


def test_the_jumper_jumps() -> None:
    counters = set()
    for seed in range(60):
        for _, lie in Staged("jumper", seed).hear(prepare(A, b"x")):
            assert problem(lie) is None, "a far counter is a sane one"
            assert isinstance(lie, Prepare | Confirm | Externalize)
            counters.add(lie.n_h if isinstance(lie, Externalize) else lie.ballot.counter)
    assert counters == {1_000_000, INFINITY - 1, INFINITY}


def test_the_far_committer_helps_first_and_then_leads_astray() -> None:
    liar = Staged("far-committer")
    [(_, helping)] = liar.hear(prepare(A, b"x", prepared=Ballot(1, b"x"), n_c=1, n_h=1))
    assert isinstance(helping, Prepare) and votes_commit(helping, b"x", 1, 1)
    [(to, far)] = liar.hear(story(A, b"x")[5])
    assert to == A and isinstance(far, Confirm) and far.n_c == far.n_h >= 1_000_000
    assert not votes_commit(far, b"x", 1, 1) and problem(far) is None


def test_the_flood_fills_its_nominations() -> None:
    liar = Staged("nomination-flood")
    sizes = []
    for n in range(12):
        for to, lie in liar.hear(story(OTHERS[n % 4], b"x")[0]):
            assert isinstance(lie, Nominate) and problem(lie) is None
            sizes += [len(lie.votes)] if to == A else []
        liar.stage.pass_ms(200)
    assert max(sizes) == VALUES_MAX and sizes != sorted(sizes), "full, and then anew"
    assert len({lie for _, lie in liar.stage.said}) == len(liar.stage.said), "others to each member"


def test_unsound_statements_are_unsound() -> None:
    """Were one of them sane, the liar would not try the check that refuses it."""
    lies = list(unsound((LIAR, SLOT, QUORUM_SET), b"x", b"y"))
    assert all(problem(lie) is not None for lie in lies)
    assert len({problem(lie) for lie in lies}) >= 10, "each breaks a rule of its own"
    said = Staged("unsound").play(everybody(3)).stage.said
    digests = {lie.quorum_set for _, lie in said if problem(lie) is None}
    assert any(problem(lie) is not None for _, lie in said) and len(digests) > 1, "unsound, or of other quorum sets"


def test_other_slots_are_other_slots() -> None:
    said = Staged("other-slots").play(everybody()).stage.said
    slots = {lie.slot for _, lie in said}
    assert SLOT not in slots and slots >= {SLOT - 1, SLOT + 1} and max(slots) == 2**64 - 1
    assert all(problem(lie) is None for _, lie in said)


def test_the_allowance_ends_and_comes_back() -> None:
    allowance = Allowance()
    assert sum(allowance.take(0) for _ in range(100)) == PER_MOMENT_MAX
    assert sum(allowance.take(ms) for ms in range(1, 1_000) for _ in range(100)) == PER_SECOND_MAX - PER_MOMENT_MAX
    assert allowance.take(1_000)
