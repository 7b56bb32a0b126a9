"""Many seeds: all are played and added up, whatever becomes of the processes that play them."""

import json
import signal
from pathlib import Path

import pytest

from node.lab.simulation.campaign import SeedJob, job_of, run
from node.lab.simulation.crew import Crew
from node.lab.simulation.report import Played, Summary, read_plan, write_failure
from tests.node.lab.simulation import fake_world


def job(play: object = fake_world.fine, twice_every: int = 0) -> SeedJob:
    return SeedJob(fake_world.draw, play, twice_every)  # type: ignore[arg-type]


@pytest.mark.parametrize("workers", [1, 2])
def test_all_seeds_are_played_and_added_up(workers: int) -> None:
    summary = Summary("fake", 30)
    assert run(job(twice_every=10), summary, first=5, workers=workers)
    assert (summary.seeds, summary.slots, summary.events, summary.crashes) == (30, 60, 3_000, 30)
    assert summary.twice == 3
    assert summary.counts["messages"] == 90
    assert summary.failures == []
    assert summary.decided_ms(1.0) == 340
    assert summary.decided_ms(0.5) == 20
    assert json.loads(json.dumps(summary.document()))["virtual_s"] == 300


def test_real_scenarios_on_two_workers() -> None:
    """The job that the command uses travels to other processes and finds nothing there."""
    summary = Summary("slots", 4)
    assert run(job_of("slots", 4), summary, workers=2)
    assert (summary.seeds, summary.failures) == (4, [])
    assert summary.slots > 0


@pytest.mark.parametrize("workers", [1, 2])
def test_it_ends_at_the_first_violation(workers: int) -> None:
    summary = Summary("fake", 10_000)
    assert run(job(fake_world.fails_at_seven), summary, workers=workers)
    assert len(summary.failures) == 1
    assert summary.failures[0].plan.seed % 10 == 7
    assert summary.seeds < 10_000


def test_it_can_keep_going() -> None:
    summary = Summary("fake", 40)
    run(job(fake_world.fails_at_seven), summary, workers=2, keep_going=True)
    assert summary.seeds == 40
    assert sorted(failure.plan.seed for failure in summary.failures) == [7, 17, 27, 37]
    assert summary.violations == {"agreement": 4}


def test_it_ends_after_a_time_without_a_number_of_seeds() -> None:
    summary = Summary("fake", None)
    assert run(job(), summary, workers=1, seconds=0.05)
    assert summary.seeds > 0
    assert summary.wall_s >= 0.05


def test_two_plays_that_differ_are_a_violation() -> None:
    summary = Summary("fake", 10)
    run(job(fake_world.differs, twice_every=1), summary, workers=1)
    assert summary.violations == {"replay": 1}
    assert summary.twice == 0


def test_a_worker_that_dies_is_replaced_and_its_seed_noted() -> None:
    """A crash in native code would else take all seeds with it that its worker still had."""
    summary = Summary("fake", 30)
    assert run(job(fake_world.dies_at_three), summary, workers=2, keep_going=True)
    assert summary.seeds == 30
    assert [failure.plan.seed for failure in summary.failures] == [3]
    assert summary.failures[0].violation.invariant == "died"
    assert "9" in summary.failures[0].violation.detail
    assert summary.lost_workers == 2, "a seed is tried again once: the machine may have been to blame"


def test_a_worker_that_hangs_is_replaced_and_its_seed_noted() -> None:
    crew = Crew(job(fake_world.hangs_at_three), iter(range(1, 11)), 2, hangs_s=3.0)
    try:
        played = [one for one in crew.played() if one is not None]
    finally:
        crew.stop()
    assert sorted(one.seed for one in played) == list(range(1, 11))
    assert [_broken(one) for one in played if one.failure is not None] == [(3, "hang")]


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_it_with_what_there_is(workers: int) -> None:
    summary = Summary("fake", None)

    def interrupt(so_far: Summary) -> None:
        if so_far.seeds == 5:
            signal.raise_signal(signal.SIGINT)

    assert not run(job(), summary, workers=workers, tell=interrupt)
    assert summary.seeds == 5


def test_a_failure_is_written_with_all_that_it_takes_to_play_it_again(tmp_path: Path) -> None:
    summary = Summary("fake", 10)
    run(job(fake_world.fails_at_seven), summary, workers=1)
    [failure] = summary.failures
    place = tmp_path / "failure.json"
    write_failure(failure, place)
    document = json.loads(place.read_text())
    assert document["command"] == "moot simulate fake --seed 7"
    assert (document["invariant"], document["event"], document["at_ms"]) == ("agreement", 7, 5)
    assert {"trace", "moot", "commit", "python", "seed"} <= document.keys()
    assert read_plan(place.read_text()) == failure.plan
    assert read_plan(failure.plan.to_json()) == failure.plan


def test_the_command_names_the_size_that_was_asked_for() -> None:
    played = SeedJob(fake_world.draw, fake_world.fails_at_seven, 0, sized=9)(7)
    assert played.failure is not None
    assert played.failure.command == "moot simulate fake --seed 7 --nodes 9"


def _broken(played: Played) -> tuple[int, str]:
    assert played.failure is not None
    return played.seed, played.failure.violation.invariant
