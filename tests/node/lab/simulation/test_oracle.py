"""The judge sees what agreement alone does not: every planted bug is called by its name within a few seeds."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from coordinator.voting import Prepare, QuorumSet, Statement, is_quorum, is_quorum_slice
from coordinator.voting import ballot as ballot_protocol
from coordinator.voting.accept import Votes
from coordinator.voting.ballot import BallotProtocol
from node.lab.simulation.play import play
from node.lab.simulation.slots.shapes import SHAPES
from tests.node.lab.simulation.slot_plans import rough

SEEDS = 40  # within which each bug must show

Said = Callable[[Statement], bool]
Plant = Callable[[pytest.MonkeyPatch], None]


def any_peer_blocks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Votes, "blocking", lambda self, said: any(said(s) for s in self.latest.values()))


def votes_of_a_blocking_set_suffice(patch: pytest.MonkeyPatch) -> None:
    def accept(self: Votes[Statement], voted: Said, accepted: Said) -> bool:
        return self.blocking(lambda s: voted(s) or accepted(s)) or self.quorum(lambda s: voted(s) or accepted(s))

    patch.setattr(Votes, "accept", accept)


def a_blocking_set_confirms(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Votes, "confirm", lambda self, accepted: self.blocking(accepted))


def _with_own_sets(
    patch: pytest.MonkeyPatch, quorum: Callable[[QuorumSet, dict[bytes, QuorumSet | None]], bool]
) -> None:
    """Let `quorum` decide from the node's own set and those of the senders; a plain one for who has decided."""
    made, own, lookups = Votes.__init__, {}, {}

    def init(self: Votes[Statement], mine: QuorumSet, lookup: Callable[[bytes], QuorumSet | None]) -> None:
        made(self, mine, lookup)
        own[self], lookups[self] = mine, lookup

    def judged(self: Votes[Statement], said: Said) -> bool:
        senders = {s.node: lookups[self](s.quorum_set) for s in self.latest.values() if said(s)}
        return quorum(own[self], senders)

    patch.setattr(Votes, "__init__", init)
    patch.setattr(Votes, "quorum", judged)


def only_ones_own_slice_counts(patch: pytest.MonkeyPatch) -> None:
    _with_own_sets(patch, lambda own, senders: is_quorum_slice(own, frozenset(senders)))


def who_has_decided_still_waits_for_its_slices(patch: pytest.MonkeyPatch) -> None:
    _with_own_sets(patch, lambda own, senders: is_quorum(own, {n: q for n, q in senders.items() if q is not None}))


def the_timer_runs_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ballot_protocol, "has_heard", lambda state, votes: state.b is not None)


def one_ahead_is_enough_to_jump(patch: pytest.MonkeyPatch) -> None:
    def ahead(state: object, votes: Votes[Statement]) -> int | None:
        own = state.b.counter if state.b is not None else 0  # type: ignore[attr-defined]
        counters = [s.ballot.counter for s in votes.latest.values() if isinstance(s, Prepare)]
        return min((n for n in counters if n > own), default=None)

    patch.setattr(ballot_protocol, "counter_ahead", ahead)


def confirms_what_it_merely_accepts(patch: pytest.MonkeyPatch) -> None:
    whole = BallotProtocol._confirm_commit

    def confirm(self: BallotProtocol, hint: Statement) -> None:
        confirm_, self.votes.confirm = self.votes.confirm, lambda accepted: True  # type: ignore[method-assign]
        try:
            whole(self, hint)  # type: ignore[arg-type]
        finally:
            self.votes.confirm = confirm_  # type: ignore[method-assign]

    patch.setattr(BallotProtocol, "_confirm_commit", confirm)


@pytest.mark.parametrize(
    ("plant", "shape", "step"),
    [
        pytest.param(any_peer_blocks, "same", "accept", id="any single peer counts as v-blocking"),
        pytest.param(votes_of_a_blocking_set_suffice, "same", "accept", id="a v-blocking set's votes are accepted"),
        pytest.param(a_blocking_set_confirms, "same", "confirm", id="confirms without a quorum"),
        pytest.param(confirms_what_it_merely_accepts, "same", "confirm commit", id="decides without a quorum"),
        pytest.param(only_ones_own_slice_counts, "asymmetric", "", id="a quorum without the others' slices"),
        pytest.param(
            who_has_decided_still_waits_for_its_slices, "asymmetric", "missed", id="EXTERNALIZE with its quorum set"
        ),
        pytest.param(the_timer_runs_at_once, "same", "timer", id="a timer without a quorum"),
        pytest.param(one_ahead_is_enough_to_jump, "same", "counter", id="a counter that one peer raises"),
    ],
)
def test_a_planted_bug_is_called_by_its_name(
    monkeypatch: pytest.MonkeyPatch, plant: Plant, shape: str, step: str
) -> None:
    """A bug that does not happen to split a run would stay until it splits a network."""
    plant(monkeypatch)
    for seed in range(SEEDS):
        violation = play(replace(rough(seed, 5, shape=shape), checked=True)).violation
        if violation is not None and violation.invariant == "justified" and step in violation.detail.split(":")[0]:
            return
    pytest.fail(f"unseen in {SEEDS} seeds")


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_right_is_justified(shape: str) -> None:
    """A judge that is wrong itself would be switched off."""
    for seed in range(8):
        violation = play(replace(rough(seed, 4 + seed % 4, shape=shape), checked=True)).violation
        assert violation is None, f"rough({seed}, {4 + seed % 4}, shape={shape!r}): {violation}"
