"""Hundreds of jobs in one run, drawn from a seed: what comes together only under load. The driver checks every plan."""

from random import Random

import pytest

from node.model.batch.batcher import FOLLOWS_AT_ONCE
from node.model.batch.jobs import Branch, Follow, Job, Room, Sample
from tests.node.model.batch.driver import Driver

STEPS = 400


def a_room(rng: Random) -> Room:
    running_max = rng.choice([1, 2, 4, 8])
    return Room(
        sequences=rng.choice([2, 3, 5, 9, 20, 40]),
        cells=rng.choice([60, 150, 400, 1_000]),
        batch_tokens=running_max + rng.choice([1, 5, 30, 100]),
        running_max=running_max,
        cached_cells_max=rng.choice([0, 30, 100, 400]),
        chunk_tokens=rng.choice([1, 4, 16, 64]),
        can_cut=rng.random() < 0.7,
        outputs_max=rng.choice([None, running_max + 1, running_max + 10]),
        gather_tokens=rng.choice([0, 0, 20, 1_000]),
    )


def a_prompt(rng: Random) -> tuple[int, ...]:
    """A tree of prompts: the same beginnings come back, at every length."""
    pieces = [rng.choice([3, 9, 30]) for _ in range(rng.choice([1, 2, 3, 4]))]
    prompt: tuple[int, ...] = ()
    for depth, size in enumerate(pieces):
        which = rng.choice([0, 0, 0, 1, 2])
        prompt += tuple(1_000 * depth + 100 * which + number for number in range(size))
    return prompt


def a_branch(rng: Random) -> Branch:
    if rng.random() < 0.7:
        return Sample(rng.choice([1, 2, 5, 12, 30]))
    return Follow(tuple(rng.randrange(9) for _ in range(rng.choice([1, 2, 3, 7]))), rng.random() < 0.3)


def a_job(rng: Random, number: int, now_ms: int) -> Job:
    branches = tuple(a_branch(rng) for _ in range(rng.choice([0, 1, 1, 1, 2, 5, 20])))
    if rng.random() < 0.03:
        branches = (Follow((1, 2)),) * (FOLLOWS_AT_ONCE + 4)
    return Job(
        number,
        rng.choice("abbbcccc"),
        a_prompt(rng),
        branches,
        look=not branches or rng.random() < 0.2,
        adapters=rng.choice([(), (), (), (("law", 1.0),), (("law", 0.5),)]),
        deadline_ms=now_ms + rng.randrange(150) if rng.random() < 0.2 else None,
    )


def play(seed: int) -> Driver:
    """One run. What it took is in the driver."""
    rng = Random(seed)
    ends = Random(seed + 1)
    driver = Driver(a_room(rng), lambda job, branch, drawn: ends.random() < 0.1)
    number = 0
    load, cancels, fails = rng.choice([0.2, 0.5, 1.5]), rng.choice([0, 0.02, 0.2]), rng.choice([0, 0, 0.02])
    for now_ms in range(STEPS):
        while rng.random() < load / (1 + load):
            number += 1
            job = a_job(rng, number, now_ms)
            if driver.batcher.fits(job) and len(driver.told) < 60:
                driver.submit(job)
        if driver.told and rng.random() < cancels:
            begun = [job_id for job_id in driver.passes[-1].begun if job_id in driver.told] if driver.passes else []
            driver.cancel(rng.choice(begun or sorted(driver.told)))  # others may wait for what has just begun
        driver.expire(now_ms)
        driver.step(fail=rng.random() < fails)
    driver.run()
    assert driver.batcher.cells_held == driver.batcher.cells_cached
    driver.memory.operate(driver.batcher._prefixes.operations)
    assert driver.memory.cells == driver.batcher.cells_cached, "forgotten, or held by nobody"
    return driver


@pytest.mark.parametrize("seed", range(60))
def test_every_run_keeps_its_promises(seed: int) -> None:
    """Replay: play(seed)."""
    assert play(seed).finished


def test_runs_are_the_same_every_time() -> None:
    """Else no seed would replay anything."""
    assert [plan.tokens for plan in play(7).passes] == [plan.tokens for plan in play(7).passes]
