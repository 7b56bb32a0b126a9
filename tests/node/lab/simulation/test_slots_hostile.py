"""Peers that say anything: with all four others lying in concert nothing is promised but that the node stays sound."""

import random

import pytest

from coordinator.voting import (
    INFINITY,
    Ballot,
    Confirm,
    Emit,
    Externalize,
    Nominate,
    Prepare,
    Slot,
    SlotState,
    Statement,
    Timer,
    Validity,
    contradiction,
    decode,
    encode,
    is_newer,
    problem,
)
from node.lab.simulation.slots.structure import check_structure
from tests.coordinator.voting.world import CORE5, FIVE, PREVIOUS, SLOT, ScriptedDriver

VALUES = (b"a", b"b", b"c")


def anything(rng: random.Random) -> Statement:
    """A sane statement by one of the others; most use few values and low counters, so that they meet."""
    head = FIVE[rng.randrange(1, 5)], SLOT, CORE5.digest()

    def counter() -> int:
        return rng.choice([1, 1, 2, 2, 3, 4, 5, 1_000, INFINITY - 1, INFINITY])

    def ballot() -> Ballot:
        return Ballot(counter(), rng.choice(VALUES))

    while True:
        said: Statement
        match rng.randrange(8):
            case 0 | 1:
                votes = tuple(sorted(rng.sample(VALUES, rng.randrange(1, 4))))
                said = Nominate(*head, votes, tuple(v for v in votes if rng.random() < 0.5))
            case 2 | 3 | 4:
                p, q = (ballot() if rng.random() < 0.7 else None for _ in range(2))
                n_h = rng.choice([0, counter()])
                said = Prepare(*head, ballot(), p, q, rng.choice([0, n_h, 1]), n_h)
            case 5 | 6:
                said = Confirm(*head, ballot(), counter(), rng.choice([0, counter()]), counter())
            case _:
                said = Externalize(*head, ballot(), counter())
        if problem(said) is None:
            return said


@pytest.mark.parametrize("batch", range(5))
def test_nothing_that_peers_say_breaks_a_node(batch: int) -> None:
    """One message stops a node, or makes it contradict itself."""
    for seed in range(batch * 60, batch * 60 + 60):
        rng = random.Random(seed)
        driver = ScriptedDriver(CORE5)
        slot = Slot(FIVE[0], SLOT, CORE5, driver, previous=PREVIOUS, voting=rng.random() < 0.9)
        now_ms, last = 0, dict[bool, Statement]()
        for _ in range(rng.randrange(5, 60)):
            now_ms += rng.choice([0, 10, 2_000])
            match rng.randrange(14):
                case 0:
                    effects = slot.nominate(rng.choice([*VALUES, None]), now_ms)
                case 1:
                    effects = slot.bump(rng.choice(VALUES), now_ms, force=rng.random() < 0.5)
                case 2:
                    effects = slot.step_timers(now_ms)
                case 3:
                    driver.validity[rng.choice(VALUES)] = rng.choice(list(Validity))
                    effects = slot.revalidate(now_ms)
                case 4:
                    saved = SlotState.decode(slot.state().encode())
                    slot = Slot.restore(FIVE[0], SLOT, CORE5, driver, saved, previous=PREVIOUS, voting=slot.voting)
                    effects = slot.resume(now_ms)
                case _:
                    effects = slot.receive(anything(rng), now_ms)
            effects += slot.step_timers(now_ms)
            check_structure(slot)
            for effect in effects:
                if isinstance(effect, Emit):
                    said = effect.statement
                    assert decode(encode(said)) == said
                    before = last.get(isinstance(said, Nominate))
                    assert before is None or is_newer(before, said), f"seed {seed}: {said} after {before}"
                    assert before is None or contradiction(before, said) is None, f"seed {seed}"
                    last[isinstance(said, Nominate)] = said
            assert all(slot.fire(timer, now_ms) == [] for timer in Timer), "a timer that fires for ever"
