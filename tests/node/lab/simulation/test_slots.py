"""Federated voting alone under faults and liars: agreement always, true histories, and decisions once all is well."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.voting import Slot, SlotState
from coordinator.voting.ballot import BallotProtocol
from coordinator.voting.ballot_state import BallotState
from node.lab.simulation.faults import Crash, Cut, Disk, Stall
from node.lab.simulation.lies import STATEMENT_LIES
from node.lab.simulation.outcome import Outcome
from node.lab.simulation.plan import Liar, Network, Plan
from node.lab.simulation.play import play
from node.lab.simulation.slots.shapes import SHAPES, liars_max
from node.lab.simulation.watch import Watch
from tests.node.lab.simulation.slot_plans import rough

ROOT = Path(__file__).parents[4]


def sound(plan: Plan) -> Outcome:
    outcome = play(plan)
    assert outcome.violation is None, f"{outcome.violation} in {plan}"
    return outcome


def calm(seed: int = 1, members: int = 4, **more: object) -> Plan:
    """Nothing goes wrong but what is said."""
    plan = replace(rough(seed, members, liars=0), faults=(), network=Network(), heal_ms=60_000)
    return replace(plan, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("members", [4, 5, 7])
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_breaks_and_all_is_decided(shape: str, members: int) -> None:
    """Two honest members decide differently, one takes back what it said, or one never decides."""
    for seed in range(8):
        sound(rough(seed, members, shape=shape))


@pytest.mark.parametrize("kind", STATEMENT_LIES)
def test_every_kind_of_liar(kind: str) -> None:
    """One kind of lie that splits honest members, or stops them."""
    for seed in range(4):
        for shape in ("same", "asymmetric"):
            plan = rough(seed, 7, shape=shape, slots=4, liars=liars_max(shape, 7))
            sound(replace(plan, liars=tuple(Liar(liar.node, kind) for liar in plan.liars), checked=True))


def splits(plan: Plan) -> bool:
    violation = play(plan).violation
    return violation is not None and violation.invariant == "agreement"


@pytest.mark.parametrize("kind", ["mirror", "equivocator", "two-faced", "mixed-mirror", "commit-chaser"])
def test_more_liars_than_four_can_bear_split_them(kind: str) -> None:
    """The checks see nothing, or the liars are tame."""
    liars = Liar(3, kind), Liar(2, kind)
    assert any(splits(replace(rough(seed, 4, liars=2), liars=liars)) for seed in range(20))


def test_quorums_that_need_not_meet_split() -> None:
    """With a threshold of two in four, halves must decide differently under some seed."""
    assert any(splits(rough(seed, 4, threshold=2, liars=1)) for seed in range(40))


def test_without_faults_every_slot_takes_one_ballot() -> None:
    """A good network is slow too, and no fault can be told from it."""
    took = [ms for seed in range(10) for ms in sound(calm(seed)).decided_ms]
    assert len(took) == 100
    assert sorted(took)[50] < 2_500  # some of the seeds let members begin up to two seconds apart


@pytest.mark.parametrize("disk", list(Disk))
@pytest.mark.parametrize("effects", [-1, 0, 2, 9])
def test_one_crash_at_every_boundary(disk: Disk, effects: int) -> None:
    """What was said is forgotten, or said differently after the restart."""
    for seed in range(6):
        outcome = sound(calm(seed, faults=(Crash(200 * seed, seed % 4, effects, 700, disk),), slots=5))
        assert outcome.crashes == 1


def test_one_that_was_away_catches_up() -> None:
    """A member that missed slots, or lost all of them with its disk, stays behind for ever."""
    cut = Cut(500, 50_000, (0,))
    wiped = Crash(30_000, 1, 0, 100, Disk.WIPED)
    stalled = Stall(100, 40_000, 2)
    for fault in (cut, wiped, stalled):
        for seed in range(3):
            outcome = sound(calm(seed, faults=(fault,), slots=40))
            assert outcome.slots == 40 and not outcome.counts["stalled"]


def test_too_many_lost_disks_are_no_fault_of_the_protocol() -> None:
    """Two of four that may not vote any more leave no quorum; nobody is to be blamed, and nobody votes twice."""
    crashes = tuple(Crash(300, node, 0, 100, Disk.WIPED) for node in (0, 1))
    outcomes = [sound(calm(seed, faults=crashes, slots=3)) for seed in range(10)]
    assert any(outcome.counts["stalled"] for outcome in outcomes)


def test_watchers_beside_the_members_learn_what_is_decided() -> None:
    for seed in range(5):
        assert sound(replace(rough(seed), nodes=6)).slots == 10


def forgets_its_ballot(patch: pytest.MonkeyPatch) -> None:
    whole = Slot.state
    patch.setattr(Slot, "state", lambda self: replace(whole(self), ballot=None))


def forgets_all(patch: pytest.MonkeyPatch) -> None:
    def restored(cls: type[Slot], /, node: bytes, index: int, *more: object, **options: object) -> Slot:
        mine, driver, state = more
        assert isinstance(state, SlotState)
        return Slot(node, index, mine, driver, **options)  # type: ignore[arg-type]

    patch.setattr(Slot, "restore", classmethod(restored))


def never_aborts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BallotState, "is_aborted", lambda self, ballot: False)


def never_catches_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BallotProtocol, "abandon", lambda self, counter=None: False)


def no_value_is_locked(patch: pytest.MonkeyPatch) -> None:
    whole = BallotProtocol.bump

    def bump(self: BallotProtocol, value: bytes | None, counter: int) -> bool:
        self.state.value_override = None
        self.state.c = None
        return whole(self, value, counter)

    patch.setattr(BallotProtocol, "bump", bump)


@pytest.mark.parametrize(
    ("plant", "invariants"),
    [
        pytest.param(forgets_its_ballot, {"saved-first"}, id="the ballot is not saved"),
        pytest.param(forgets_all, {"history"}, id="nothing is restored"),
        pytest.param(never_aborts, {"structure", "history", "crash"}, id="votes to commit are never withdrawn"),
        pytest.param(never_catches_up, {"undecided"}, id="ballots are never given up"),
        pytest.param(no_value_is_locked, {"history", "structure", "crash"}, id="a vote to commit is dropped"),
    ],
)
def test_a_planted_bug_breaks_an_invariant(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], invariants: set[str]
) -> None:
    """The world looks on while a node contradicts itself."""
    plant(monkeypatch)
    for seed in range(40):
        for plan in (rough(seed, 4), colliding(seed)):
            violation = play(plan).violation
            if violation is not None and violation.invariant in invariants:
                return
    pytest.fail("unseen")


def colliding(seed: int) -> Plan:
    """Messages take as long as ballots, and liars wait with theirs: many votes to commit are given and withdrawn."""
    liars = Liar(6, "withholder"), Liar(5, "withholder")
    network = Network(delay_mean_ms=800)
    return replace(rough(seed, 7, liars=2), liars=liars, network=network, faults=(), heal_ms=120_000)


def trace(seed: int, shape: str) -> str:
    return play(replace(rough(seed, 5, shape=shape, slots=4), checked=seed % 2 == 0), Watch(traced=True)).trace


def test_one_plan_is_one_story() -> None:
    """A failure cannot be played again."""
    for seed, shape in enumerate(SHAPES):
        plan = rough(seed, 5, shape=shape, slots=4)
        told = [play(Plan.from_json(plan.to_json()), Watch(traced=True)).trace for _ in range(2)]
        assert told[0] == told[1] == play(replace(plan, checked=True), Watch(traced=True)).trace
    assert len({trace(seed, "same") for seed in range(5)}) == 5


def test_one_plan_is_one_story_in_every_process() -> None:
    """Something goes by the order of a set."""
    script = f"from {__name__} import trace; print(*(trace(s, x) for s, x in enumerate({SHAPES!r})))"
    told = set()
    for hash_seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        told.add(done.stdout)
    assert told == {" ".join(trace(s, x) for s, x in enumerate(SHAPES)) + "\n"}
