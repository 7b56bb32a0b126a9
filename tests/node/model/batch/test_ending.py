"""Jobs that are cancelled, expire or fail: what they held is free at once, and what they took is counted."""

import pytest

from node.model.batch.jobs import Follow, Job, Sample
from node.model.batch.plan import Cut, Forget
from tests.node.model.batch.driver import Driver, numbers, room


def test_a_cancelled_job_frees_everything_before_the_next_pass() -> None:
    driver = Driver(room(running_max=2, cached_cells_max=0))
    driver.submit(Job(1, "a", numbers(20), (Sample(50), Sample(50), Follow((1, 2, 3)))))
    driver.step()
    driver.submit(Job(2, "b", numbers(20, 500), (Sample(3), Sample(3))))
    driver.step()
    assert driver.batcher.waiting == 1
    driver.cancel(1)
    assert driver.batcher.cells_held == 0
    driver.step()
    assert driver.passes[-1].begun == [2]
    assert driver.memory.cells == 20
    driver.run()


@pytest.mark.parametrize("passes", [0, 1, 2, 3])
def test_cancelled_at_any_time(passes: int) -> None:
    """While it waits, in the middle of its prompt, after it, and while its samples run."""
    driver = Driver(room(batch_tokens=10, cached_cells_max=0))
    driver.submit(Job(1, "a", numbers(19), (Sample(9), Sample(9))))
    for _ in range(passes):
        driver.step()
    driver.cancel(1)
    assert (driver.batcher.waiting, driver.batcher.running, driver.batcher.cells_held) == (0, 0, 0)
    assert driver.step() is None
    assert driver.batcher.total.decoded_tokens == (0, 10, 19, 21)[passes]


def test_cancelling_what_is_over_changes_nothing() -> None:
    """Its caller may give up at the very moment in which the answer is on its way."""
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(20), (Sample(3),)), Job(2, "a", numbers(20, 500), (Sample(5),)))
    while 1 not in driver.finished:
        driver.step()
    driver.batcher.cancel(1)
    driver.batcher.cancel(77)
    driver.run()


def test_a_blocked_job_that_is_cancelled_blocks_nobody() -> None:
    driver = Driver(room(cells=100, cached_cells_max=0))
    driver.submit(Job(1, "a", numbers(20), (Sample(41),)))
    driver.step()
    driver.submit(Job(2, "b", numbers(90, 500), (Sample(2),)))
    driver.step()
    driver.submit(Job(3, "b", numbers(20, 900), (Sample(2),)))
    driver.step()
    assert driver.batcher.waiting == 2
    driver.cancel(2)
    driver.step()
    assert driver.passes[-1].begun == [3]


def test_deadlines() -> None:
    driver = Driver(room(running_max=1))
    driver.submit(Job(1, "a", numbers(20), (Sample(50),), deadline_ms=700))
    driver.submit(Job(2, "a", numbers(20, 500), (Sample(50),), deadline_ms=300))
    driver.submit(Job(3, "a", numbers(20, 900), (Sample(50),)))
    driver.step()
    assert driver.batcher.next_deadline == 300
    assert driver.expire(299) == []
    assert driver.expire(300) == [2]
    assert driver.batcher.next_deadline == 700
    driver.cancel(1)
    assert driver.batcher.next_deadline is None
    driver.submit(Job(1, "a", numbers(20), (Sample(2),)))
    assert driver.expire(10_000) == [], "another job of the same number has no deadline"
    driver.run()


def test_a_failed_pass_takes_only_the_jobs_in_it() -> None:
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(20), (Sample(5), Sample(5))))
    driver.submit(Job(2, "a", numbers(20), (Sample(5),), adapters=("law",)))
    driver.step()
    driver.step()
    assert driver.step(fail=True) == [1]
    driver.run()
    assert list(driver.finished) == [2]


def test_nothing_of_a_failed_pass_is_kept() -> None:
    """What its sequences hold is unknown: whoever shared it would go on from nonsense."""
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(20), (Sample(5),)))
    driver.step()
    driver.step(fail=True)
    driver.submit(Job(2, "a", numbers(20), (Sample(5),)))
    driver.run()
    assert driver.finished[2].cached_tokens == 0


def test_a_sample_that_ended_leaves_its_cells_at_once() -> None:
    driver = Driver(room(), lambda job, branch, drawn: branch == 0 and drawn == 2)
    driver.submit(Job(1, "a", numbers(20), (Sample(30), Sample(30))))
    driver.step()
    driver.step()
    held = driver.batcher.cells_held
    driver.step()
    assert held == driver.batcher.cells_held == 20 + 29
    assert any(isinstance(operation, Forget | Cut) for operation in driver.passes[-1].operations)


def test_what_does_not_fit_is_told_beforehand() -> None:
    driver = Driver(room(cells=100))
    assert driver.batcher.fits(Job(1, "a", numbers(60), (Sample(21), Sample(21))))
    assert not driver.batcher.fits(Job(1, "a", numbers(60), (Sample(21), Sample(22))))
    assert not driver.batcher.fits(Job(1, "a", numbers(101), (), look=True))
    assert driver.batcher.fits(Job(1, "a", numbers(60), (Sample(1),) * 500)), "they run one after another"


def test_the_sum_of_all_accounts() -> None:
    driver = Driver(room())
    for number in range(1, 7):
        driver.submit(Job(number, "a", numbers(20) + numbers(9, 100 * number), (Sample(4), Follow((1, 2, 3)))))
    driver.step()
    driver.step()
    driver.cancel(5)
    driver.run()
    total = driver.batcher.total
    assert total.decoded_tokens == driver.memory.evaluated
    assert total.forward_passes == driver.memory.passes
    assert total.cached_tokens == 5 * 20
