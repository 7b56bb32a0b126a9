"""Callers share the model by tokens, nobody is served before who came earlier, and nobody waits for ever."""

from collections.abc import Collection, Hashable, Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.batch.admission import REFUSED_MAX
from node.model.batch.jobs import Job, Sample
from node.model.batch.queue import QUANTUM, Queue
from node.model.batch.trunk import Trunk
from node.model.batch.work import Work, work_of
from tests.node.model.batch.driver import Driver, numbers, room

COSTS = st.integers(1, 2_000)


def unlike(number: int, size: int) -> tuple[int, ...]:
    return numbers(size, 10_000 * number)


def begun(driver: Driver) -> list[int]:
    return [job_id for plan in driver.passes for job_id in plan.begun]


def served(queue: Queue, passed_over: Collection[str] = ()) -> Work:
    """Take the job whose turn it is."""
    work = queue.next(passed_over)
    assert work is not None
    queue.take(work)
    return work


def works(caller: str, costs: list[int], ids: Iterator[int]) -> list[Work]:
    return [work_of(Job(next(ids), caller, numbers(cost), (Sample(1),)), 1) for cost in costs]


@given(st.lists(st.lists(COSTS, min_size=1, max_size=40), min_size=2, max_size=4))
def test_by_tokens_and_not_by_jobs(lines: list[list[int]]) -> None:
    """Who asks for long answers gets fewer of them. Between any two that wait all the time, over any stretch of it."""
    queue, ids = Queue(), count()
    for caller, costs in enumerate(lines):
        for work in works(str(caller), costs, ids):
            queue.push(work)
    given_to = {str(caller): [0] for caller in range(len(lines))}
    left = {str(caller): len(costs) for caller, costs in enumerate(lines)}
    while all(left.values()):
        begins = served(queue)
        left[begins.job.caller] -= 1
        for name, sums in given_to.items():
            sums.append(sums[-1] + begins.cost * (name == begins.job.caller))
    for one, sums in given_to.items():
        for other, others in given_to.items():
            ahead = [mine - theirs for mine, theirs in zip(sums, others, strict=True)]
            assert max(ahead) - min(ahead) <= QUANTUM + max(lines[int(one)]) + max(lines[int(other)])


def test_ten_short_jobs_for_a_long_one() -> None:
    queue, ids = Queue(), count()
    for work in works("long", [1_000] * 30, ids) + works("short", [100] * 300, ids):
        queue.push(work)
    callers = [served(queue).job.caller for _ in range(110)]
    assert 9 <= callers.count("long") <= 11


def test_nobody_saves_up() -> None:
    """A caller that was silent for long is served as any other, not first for as long as it was silent."""
    queue, ids = Queue(), count()
    for work in works("busy", [QUANTUM] * 60, ids):
        queue.push(work)
    quiet = works("quiet", [QUANTUM] * 60, ids)
    queue.push(quiet.pop())
    callers = []
    for number in range(60):
        if number == 30:
            for work in quiet:
                queue.push(work)
        callers.append(served(queue).job.caller)
    assert callers[:4].count("quiet") == 1
    assert 14 <= callers[30:].count("quiet") <= 16


def test_who_is_passed_over_gathers_no_credit() -> None:
    queue, ids = Queue(), count()
    for caller in "ab":
        for work in works(caller, [QUANTUM] * 20, ids):
            queue.push(work)
    for _ in range(10):
        assert served(queue, {"a"}).job.caller == "b"
    callers = [served(queue).job.caller for _ in range(8)]
    assert 3 <= callers.count("a") <= 5


def test_a_flood_does_not_drown_a_single_question() -> None:
    driver = Driver(room(running_max=2))
    for number in range(40):
        driver.submit(Job(number, "flood", unlike(number, 20), (Sample(5),)))
    driver.step()
    driver.submit(Job(99, "one", unlike(99, 20), (Sample(5),)))
    driver.run()
    assert begun(driver).index(99) <= 2 + 1 + QUANTUM // 24, "after what runs and the rest of a round"


def test_in_order_within_a_caller() -> None:
    """Also where a later job would fit and an earlier one does not yet."""
    driver = Driver(room(cells=300, cached_cells_max=0))
    for number in range(30):
        driver.submit(Job(number, "ab"[number % 2], unlike(number, 200 if number % 5 == 0 else 10), (Sample(9),)))
    driver.run()
    for parity in (0, 1):
        mine = [number for number in begun(driver) if number % 2 == parity]
        assert mine == sorted(mine)


def test_what_needs_the_whole_cache_is_not_overtaken_for_ever() -> None:
    """Small jobs always find room before a big one does; after one cache full of them it has its turn."""
    driver = Driver(room(cells=400, cached_cells_max=100))
    ids = count(1)

    def small(caller: str) -> Job:
        number = next(ids)
        return Job(number, caller, unlike(number, 20), (Sample(21),))

    for caller in "bcd":
        driver.submit(small(caller), small(caller), small(caller))
    driver.step()
    driver.submit(Job(0, "big", numbers(380), (Sample(21),)))
    for _ in range(1_000):
        for caller in "bcd":
            if driver.batcher.waiting < 6:
                driver.submit(small(caller))
        driver.step()
        if 0 in begun(driver):
            break
    before = len(begun(driver)) - 1
    waited_for_its_turn = 9 + 3 * (400 // QUANTUM + 1) * (QUANTUM // 40 + 1)
    assert before * 40 <= 400 + 40 + waited_for_its_turn * 40
    driver.run()


def test_small_jobs_overtake_while_a_big_one_cannot_begin() -> None:
    """Or the model would stand idle until the last running job is over."""
    driver = Driver(room(cells=400, cached_cells_max=0, running_max=4))
    driver.submit(Job(1, "a", unlike(1, 20), (Sample(60),)))
    driver.step()
    driver.submit(Job(2, "b", unlike(2, 380), (Sample(20),)))
    driver.submit(Job(3, "c", unlike(3, 20), (Sample(5),)), Job(4, "c", unlike(4, 20), (Sample(5),)))
    for _ in range(4):
        driver.step()
    assert begun(driver) == [1, 3, 4]
    driver.run()


def test_hundreds_of_big_jobs_do_not_hold_up_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them can begin yet, and to find that out anew for each takes longer than the pass itself."""
    driver = Driver(room(cells=400, cached_cells_max=0))
    driver.submit(Job(0, "first", unlike(0, 20), (Sample(9),) * 3 + (Sample(30),)))
    driver.step()
    tried: list[int] = []
    admit = driver.batcher._prefixes.admit

    def counted(adapters: Hashable, data: bytes, promised: int) -> Trunk | None:
        tried.append(promised)
        return admit(adapters, data, promised)

    monkeypatch.setattr(driver.batcher._prefixes, "admit", counted)
    for number in range(1, 201):
        driver.submit(Job(number, f"caller {number}", unlike(number, 350), (Sample(2),)))
    driver.submit(Job(999, "small", unlike(999, 20), (Sample(2),)))
    for _ in range(10):
        tried.clear()
        driver.step()
        assert len(tried) <= REFUSED_MAX + 1
    driver.run()


def test_prompts_share_passes_between_callers() -> None:
    """One caller's long prompts do not hold up another's short one."""
    driver = Driver(room(cells=5_000, chunk_tokens=32))
    for number in range(4):
        driver.submit(Job(number, "long", unlike(number, 600), (Sample(2),)))
    driver.step()
    driver.submit(Job(9, "short", unlike(9, 40), (Sample(2),)))
    while 9 not in driver.finished:
        driver.step()
    assert len(driver.passes) <= 1 + 3 + 1, "half of each pass of 64 tokens was its own"


@pytest.mark.parametrize("callers", ["aaaa", "abcd"])
def test_prompts_of_one_turn_are_completed_one_after_another(callers: str) -> None:
    """Four half evaluated prompts let no sample begin; one whole one does."""
    driver = Driver(room(chunk_tokens=32))
    for number, caller in enumerate(callers):
        driver.submit(Job(number, caller, unlike(number, 32), (Sample(9),)))
    driver.step()
    assert [one.job_id for one in driver.passes[0].wanted] == [0, 1]


def test_a_prompt_goes_on_beside_as_many_samples_as_may_run() -> None:
    driver = Driver(room(batch_tokens=9, running_max=8))
    driver.submit(Job(1, "a", unlike(1, 9), (Sample(60),) * 7))
    for _ in range(3):
        driver.step()
    driver.submit(Job(2, "b", unlike(2, 20), (Sample(2),)))
    for _ in range(13):
        driver.step()
    assert 2 in driver.finished


def test_a_lone_set_of_adapters_has_its_turns() -> None:
    driver = Driver(room())
    driver.submit(Job(1, "a", unlike(1, 9), (Sample(9),), adapters=("law",)))
    for number in range(2, 8):
        driver.submit(Job(number, "b", unlike(number, 9), (Sample(40),)))
    while 1 not in driver.finished:
        driver.step()
    assert len(driver.passes) <= 2 * 9
