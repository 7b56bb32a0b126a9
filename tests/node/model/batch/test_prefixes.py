"""What prompts share, what is kept of them and what is evicted."""

import pytest

from node.model.batch.jobs import Follow, Job, Sample
from node.model.batch.plan import Copy, Forget
from node.model.batch.prefixes import SHARED_MIN
from tests.node.model.batch.driver import Driver, numbers, room

SYSTEM = numbers(20)


def question(number: int, size: int = 10) -> tuple[int, ...]:
    """What comes after the system prompt; unlike any other."""
    return numbers(size, 1_000 * number)


def ask(driver: Driver, job_id: int, prompt: tuple[int, ...], tokens_max: int = 3) -> int:
    """Run one job alone. Returns how many tokens of its prompt were found evaluated."""
    driver.submit(Job(job_id, "a", prompt, (Sample(tokens_max),)))
    driver.run()
    return driver.finished[job_id].cached_tokens


def test_a_finished_prompt_serves_the_next() -> None:
    driver = Driver(room())
    assert ask(driver, 1, SYSTEM + question(1)) == 0
    assert ask(driver, 2, SYSTEM + question(2)) == 20
    assert ask(driver, 3, SYSTEM + question(1)) == 29, "the last token is evaluated anew: its logits are gone"


def test_a_running_prompt_serves_others() -> None:
    driver = Driver(room())
    driver.submit(Job(1, "a", SYSTEM + question(1), (Sample(20),)))
    driver.step()
    driver.step()
    assert ask(driver, 2, SYSTEM + question(2)) == 20
    assert len(driver.passes) == 20, "both in the same passes"


@pytest.mark.parametrize("size", [SHARED_MIN - 1, SHARED_MIN])
def test_a_short_common_beginning_is_not_worth_it(size: int) -> None:
    driver = Driver(room())
    ask(driver, 1, numbers(size) + question(1))
    assert ask(driver, 2, numbers(size) + question(2)) == (size if size >= SHARED_MIN else 0)


def test_equal_prompts_submitted_together_are_evaluated_once() -> None:
    """A question put to several members comes as several requests at the same time."""
    driver = Driver(room())
    for number in range(5):
        driver.submit(Job(number, f"caller {number}", SYSTEM, (Sample(2),)))
    driver.run()
    assert sorted(account.prompt_tokens for account in driver.finished.values()) == [1, 1, 1, 1, 20]


def test_who_waits_does_not_wait_for_the_whole_prompt() -> None:
    driver = Driver(room(chunk_tokens=10))
    driver.submit(Job(9, "c", numbers(9, 9_000), (Sample(90),)))
    driver.step()
    driver.submit(Job(1, "a", SYSTEM + question(1, 200), (Sample(2),)))
    driver.step()
    driver.submit(Job(2, "b", SYSTEM + question(2), (Sample(2),)))
    while 2 not in driver.finished:
        driver.step()
    assert driver.finished[2].cached_tokens == 20
    assert driver.told[1].prompt_decoded < 100


def test_nothing_is_shared_between_adapters() -> None:
    """The same tokens mean something else to another adapter."""
    driver = Driver(room())
    driver.submit(Job(1, "a", SYSTEM, (Sample(2),)), Job(2, "a", SYSTEM, (Sample(2),), adapters=("law",)))
    driver.run()
    assert [driver.finished[number].cached_tokens for number in (1, 2)] == [0, 0]


def test_a_prompt_that_goes_on_takes_the_place_of_the_old_one() -> None:
    """A conversation that grows turn by turn keeps one sequence, not one for each turn."""
    driver = Driver(room())
    for turns in range(1, 9):
        assert ask(driver, turns, numbers(10 * turns)) == 10 * (turns - 1)
    assert driver.batcher.cells_cached == 80
    assert not [one for plan in driver.passes for one in plan.operations if isinstance(one, Copy)]
    assert len({sequence for plan in driver.passes for sequence in plan.sequences}) == 1


def test_a_beginning_that_ended_later_is_dropped() -> None:
    """Two jobs at once: whichever ends first, the longer prompt alone is kept."""
    for lengths in ((2, 9), (9, 2)):
        driver = Driver(room())
        driver.submit(Job(1, "a", SYSTEM, (Sample(lengths[0]),)))
        driver.step()
        driver.submit(Job(2, "a", SYSTEM + question(1), (Sample(lengths[1]),)))
        driver.run()
        assert driver.batcher.cells_cached == 30


def test_an_idle_beginning_is_dropped_for_a_longer_prompt() -> None:
    """The shorter one ended while the longer one was still waiting for room in a pass."""
    driver = Driver(room(chunk_tokens=1))
    driver.submit(Job(1, "a", SYSTEM, (Sample(2),)), Job(2, "a", SYSTEM + question(1), (Sample(2),)))
    driver.run()
    assert driver.batcher.cells_cached == 30
    assert driver.finished[2].cached_tokens == 20


def test_the_least_recently_used_is_evicted_first() -> None:
    driver = Driver(room(cached_cells_max=60))
    for number in (1, 2, 3):
        ask(driver, number, question(number, 20))
    assert ask(driver, 4, question(1, 20)) == 19, "used again, and so the last to go"
    ask(driver, 5, question(5, 20))
    assert ask(driver, 6, question(1, 20)) == 19
    assert ask(driver, 7, question(2, 20)) == 0


def test_fewer_are_kept_the_more_are_in_use() -> None:
    """Where many run, others push out what is kept before it serves anybody, and all tokens pay for it meanwhile."""
    driver = Driver(room(cached_cells_max=60))
    for number in (1, 2, 3):
        ask(driver, number, question(number, 20))
    assert driver.batcher.cells_cached == 60
    driver.submit(Job(4, "a", question(4), (Sample(9),)), Job(5, "b", question(5), (Sample(9),)))
    driver.submit(Job(6, "c", question(6, 20), (Sample(1),)))
    assert driver.step() == [6]
    assert driver.batcher.cells_cached == 20, "the latest of 60 / 2"
    driver.run()
    assert driver.batcher.cells_cached == 40, "and all may be kept once nothing runs"


def test_shared_cells_are_counted_once() -> None:
    """Else one long system prompt would fill the cache with itself."""
    driver = Driver(room(cached_cells_max=100))
    for number in range(1, 9):
        ask(driver, number, SYSTEM + question(number))
    assert driver.batcher.cells_cached == 20 + 8 * 10
    ask(driver, 9, SYSTEM + question(9))
    assert driver.batcher.cells_cached == 100


def test_nothing_is_kept_where_nothing_may_be() -> None:
    driver = Driver(room(cached_cells_max=0))
    ask(driver, 1, SYSTEM)
    assert driver.batcher.cells_held == 0
    assert ask(driver, 2, SYSTEM) == 0


def test_what_is_kept_makes_room_for_what_begins() -> None:
    """Kept prompts are a gift; they never make anybody wait."""
    driver = Driver(room(cells=100, cached_cells_max=100))
    ask(driver, 1, question(1, 60))
    assert ask(driver, 2, question(2, 90), tokens_max=11) == 0
    assert driver.batcher.cells_cached == 90


def test_a_prompt_in_use_is_never_evicted() -> None:
    driver = Driver(room(cells=100, cached_cells_max=100))
    driver.submit(Job(1, "a", question(1, 60), (Sample(9),)))
    driver.step()
    driver.submit(Job(2, "b", question(2, 60), (Sample(9),)))
    for _ in range(8):
        assert Forget(driver.passes[0].sequences[0]) not in driver.passes[-1].operations
        driver.step()
    assert driver.batcher.waiting == 1
    driver.run()


def test_the_only_other_sequence_is_taken_over() -> None:
    """With as few sequences as can be, a kept beginning still saves its evaluation."""
    driver = Driver(room(sequences=2))
    ask(driver, 1, SYSTEM + question(1))
    driver.submit(Job(2, "a", SYSTEM + question(2), (Sample(3), Sample(3))))
    driver.run()
    assert driver.finished[2].cached_tokens == 20


def test_a_recurrent_state_is_copied_whole_or_not_at_all() -> None:
    """The driver's memory refuses anything else. What is wholly the beginning of a prompt may still serve it."""
    driver = Driver(room(can_cut=False))
    assert ask(driver, 1, SYSTEM) == 0
    assert ask(driver, 2, SYSTEM) == 0, "its last token would have to be forgotten first"
    assert ask(driver, 3, SYSTEM + question(1)) == 20
    assert ask(driver, 4, SYSTEM + question(2)) == 0


def test_a_cancelled_prompt_is_kept_as_far_as_it_went() -> None:
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(200), (Sample(9),)))
    driver.step()
    driver.cancel(1)
    assert driver.batcher.cells_held == driver.batcher.cells_cached == 64
    assert ask(driver, 2, numbers(100)) == 64


def test_who_waited_for_a_cancelled_prompt_goes_on_from_there() -> None:
    """And those behind them wait for the one that goes on, instead of each evaluating the same."""
    driver = Driver(room())
    for number in (1, 2, 3):
        driver.submit(Job(number, "a", numbers(200), (Sample(2),)))
    driver.step()
    driver.cancel(1)
    driver.run()
    assert [driver.finished[number].prompt_tokens for number in (2, 3)] == [200 - 64, 1]


def test_who_waited_in_vain_comes_before_others_of_its_caller() -> None:
    """It had its turn already; what another's caller gave up must not send it to the end of the line."""
    driver = Driver(room(running_max=2))
    for number in (1, 2, 3, 4):
        driver.submit(Job(number, "a", numbers(200, 0 if number < 3 else 1_000 * number), (Sample(2),)))
    driver.step()
    driver.cancel(1)
    driver.run()
    assert [job_id for plan in driver.passes for job_id in plan.begun] == [1, 2, 3, 4]


def test_who_waited_for_a_prompt_that_failed_evaluates_it_all() -> None:
    """What a failed pass left in the cache is unknown."""
    driver = Driver(room())
    for number in (1, 2, 3):
        driver.submit(Job(number, "a", numbers(200), (Sample(2),)))
    driver.step()
    assert driver.step(fail=True) == [1]
    driver.run()
    assert [driver.finished[number].prompt_tokens for number in (2, 3)] == [200, 1]


def test_branches_share_the_prompt() -> None:
    """Sixteen samples of a long prompt take its cells once."""
    driver = Driver(room(cells=150))
    driver.submit(Job(1, "a", numbers(100), (Sample(3),) * 16 + (Follow((1, 2)),) * 9))
    driver.run()
    assert driver.finished[1].prompt_tokens == 100
