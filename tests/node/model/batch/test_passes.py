"""What is in each forward pass, and what is wanted of it."""

from collections.abc import Hashable

import pytest

from node.model.batch.batcher import FOLLOWS_AT_ONCE
from node.model.batch.jobs import Branch, Follow, Job, Sample
from node.model.batch.plan import Copy, Cut, Purpose
from tests.node.model.batch.driver import Driver, numbers, room


def sizes(driver: Driver) -> list[int]:
    return [len(plan.tokens) for plan in driver.passes]


@pytest.mark.parametrize(
    ("branches", "passes", "account"),
    [
        # forward passes, tokens of the prompt, generated, evaluated
        pytest.param((Sample(1),), [9], (1, 9, 1, 9), id="the prompt is all that one token needs"),
        pytest.param((Sample(4),), [9, 1, 1, 1], (4, 9, 4, 12), id="the last token is not evaluated"),
        pytest.param((Sample(3), Sample(3)), [9, 2, 2], (3, 9, 6, 13), id="two samples side by side"),
        pytest.param((Sample(2), Sample(4)), [9, 2, 1, 1], (4, 9, 6, 13), id="each as long as it may be"),
        pytest.param((Follow((1,)),), [9], (1, 9, 1, 9), id="one known token is read after the prompt"),
        pytest.param((Follow((1, 2, 3)),), [9, 2], (2, 9, 3, 11), id="known tokens are evaluated at once"),
        pytest.param((Follow((1, 2, 3), True),), [9, 3], (2, 9, 3, 12), id="also the last, to see what follows"),
        pytest.param((Follow((1,)), Follow((2,))), [9], (1, 9, 2, 9), id="options that differ at once: one pass"),
        pytest.param((Follow((1, 2)), Sample(2)), [9, 2], (2, 9, 4, 11), id="both kinds"),
    ],
)
def test_what_a_job_takes(branches: tuple[Branch, ...], passes: list[int], account: tuple[int, ...]) -> None:
    """Each token more is time that the model does not have for others."""
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(9), branches))
    driver.run()
    assert sizes(driver) == passes
    found = driver.finished[1]
    counted = (found.forward_passes, found.prompt_tokens, found.generated_tokens, found.decoded_tokens)
    assert counted == account


def test_all_first_tokens_come_from_one_output() -> None:
    """The prompt is evaluated once, and its last token's logits serve everything that begins there."""
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(9), (Sample(2), Follow((4, 5)), Sample(2)), look=True))
    driver.step()
    plan = driver.passes[0]
    assert plan.outputs == [8]
    assert [(one.index, one.branch, one.purpose, one.token) for one in plan.wanted] == [
        (8, -1, Purpose.LOOK, -1),
        (8, 0, Purpose.DRAW, -1),
        (8, 1, Purpose.READ, 4),
        (8, 2, Purpose.DRAW, -1),
    ]


def test_only_a_look() -> None:
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(9), (), look=True))
    assert driver.step() == [1]


def test_an_end_token_is_counted_and_not_evaluated() -> None:
    """The account says what was sampled, among it the token that ended the sample."""
    driver = Driver(room(), lambda job, branch, drawn: drawn == 3)
    driver.submit(Job(1, "a", numbers(9), (Sample(20),)))
    driver.run()
    assert driver.finished[1].generated_tokens == 3
    assert sizes(driver) == [9, 1, 1]


def test_a_prompt_longer_than_a_pass() -> None:
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(150), (Sample(2),)))
    driver.run()
    assert sizes(driver) == [64, 64, 22, 1]
    assert [plan.outputs for plan in driver.passes[:2]] == [[], []]


def test_newcomers_delay_running_samples_by_no_more_than_a_chunk() -> None:
    """Else everybody's answer stalls for as long as somebody's prompt is long."""
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(9), (Sample(6),)))
    driver.step()
    driver.submit(Job(2, "b", numbers(100, 500), (Sample(2),)))
    driver.run()
    assert sizes(driver) == [9, 33, 33, 33, 5, 2]


def gathering(samples: int, *prompts: int) -> list[int]:
    """Sizes of passes while samples run and prompts of these lengths come, one before each pass; 0: none comes."""
    driver = Driver(room(gather_tokens=20, chunk_tokens=50, running_max=12, sequences=32))
    driver.submit(Job(1, "a", numbers(9), (Sample(30),) * samples))
    driver.step()
    for number, size in enumerate(prompts, 2):
        if size:
            driver.submit(Job(number, "b", numbers(size, 1_000 * number), (Sample(1),)))
        driver.step()
    for _ in range(6):
        driver.step()
    return sizes(driver)[1:7]


@pytest.mark.parametrize(
    ("samples", "prompts", "passes"),
    [
        pytest.param(8, (9, 9, 9), [8, 8, 35, 8, 8, 8], id="until together they are enough"),
        pytest.param(8, (9,), [8, 8, 8, 8, 17, 8], id="but for no more than half as many passes as samples run"),
        pytest.param(8, (9, 0, 0, 0, 0, 9), [8, 8, 8, 8, 17, 8], id="and then others wait anew"),
        pytest.param(3, (9, 9), [3, 21, 3, 3, 3, 3], id="few samples: hardly"),
        pytest.param(1, (9,), [10, 1, 1, 1, 1, 1], id="a lone one: not at all"),
        pytest.param(8, (60,), [58, 18, 8, 8, 8, 8], id="what a pass cuts off goes on in the next"),
    ],
)
def test_short_prompts_wait_for_each_other(samples: int, prompts: tuple[int, ...], passes: list[int]) -> None:
    """Alone beside running samples, a short prompt takes more time for each token than several together."""
    assert gathering(samples, *prompts) == passes


def test_nobody_waits_with_a_prompt_that_was_given_up() -> None:
    driver = Driver(room(gather_tokens=20, running_max=12, sequences=32))
    driver.submit(Job(1, "a", numbers(9), (Sample(30),) * 8))
    driver.step()
    driver.submit(Job(2, "b", numbers(15, 1_000), (Sample(1),)))
    driver.step()
    driver.cancel(2)
    driver.submit(Job(3, "b", numbers(9, 2_000), (Sample(1),)))
    driver.step()
    assert sizes(driver)[1:] == [8, 8], "9 tokens are too few to go, with 15 more they were enough"


def test_nobody_waits_for_others_where_nothing_runs() -> None:
    driver = Driver(room(gather_tokens=50))
    driver.submit(Job(1, "a", numbers(9), (Sample(2),)))
    driver.run()
    assert sizes(driver) == [9, 1]


def test_more_samples_than_may_run() -> None:
    """They wait with their first token, and start as others end."""
    driver = Driver(room(running_max=3))
    driver.submit(Job(1, "a", numbers(9), tuple(Sample(most) for most in (3, 4, 5, 3, 2))))
    driver.run()
    assert sizes(driver) == [9, 3, 3, 3, 3]
    assert driver.finished[1].generated_tokens == 17


def test_a_job_begins_when_one_place_is_free() -> None:
    """Waiting until there is a place for each of its samples would leave places empty meanwhile."""
    driver = Driver(room(running_max=3))
    driver.submit(Job(1, "a", numbers(9), (Sample(9), Sample(9))), Job(2, "b", numbers(9, 500), (Sample(3),) * 3))
    driver.step()
    assert driver.batcher.running == 2
    driver.run()
    assert sizes(driver)[:4] == [18, 3, 3, 3]


def test_no_job_begins_before_all_samples_run() -> None:
    """Those that have begun hold cells: they come first."""
    driver = Driver(room(running_max=2))
    driver.submit(Job(1, "a", numbers(9), (Sample(3),) * 3 + (Sample(9),)))
    driver.submit(Job(2, "b", numbers(9, 500), (Sample(2),)))
    while driver.batcher.waiting:
        driver.step()
    assert [len(told.over) for told in driver.told.values()] == [3, 0]


def test_a_long_list_of_continuations_takes_few_sequences() -> None:
    driver = Driver(room(sequences=40))
    driver.submit(Job(1, "a", numbers(9), (Follow((1, 2, 3)),) * 30))
    driver.run()
    assert max(len(set(plan.sequences)) for plan in driver.passes) == FOLLOWS_AT_ONCE


def test_outputs_have_a_limit_of_their_own() -> None:
    """Each takes memory the size of the vocabulary."""
    driver = Driver(room(outputs_max=10))
    driver.submit(Job(1, "a", numbers(9), (Follow(numbers(9), True),) * 3))
    driver.run()
    assert sizes(driver) == [9, 10, 10, 7]


def test_one_set_of_adapters_in_a_pass() -> None:
    """llama.cpp applies adapters to a whole pass, so another's tokens in it would be evaluated with the wrong ones."""
    driver = Driver(room())
    sets: list[Hashable] = [(), ("law",), ("law", "tone")]
    for number, adapters in enumerate(sets):
        driver.submit(Job(number, "a", numbers(9, 500 * number), (Sample(4),), adapters=adapters))
    driver.run()
    assert [plan.adapters for plan in driver.passes] == sets * 4


def test_a_set_of_adapters_without_work_has_no_turn() -> None:
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(9), (Sample(6),)), Job(2, "a", numbers(9, 500), (Sample(2),), adapters=("law",)))
    driver.run()
    assert [plan.adapters for plan in driver.passes] == [(), ("law",), (), ("law",), (), (), (), ()]


def test_an_only_sample_lives_in_its_prompts_sequence() -> None:
    """No copy: operations on the cache cost time at every job."""
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(9), (Sample(3),)), Job(2, "a", numbers(9, 500), (Sample(3),) * 2))
    driver.run()
    done = [operation for plan in driver.passes for operation in plan.operations]
    assert [operation for operation in done if isinstance(operation, Copy)] == [Copy(1, 2, 9)]
    assert all(isinstance(operation, Copy | Cut) for operation in done)


def test_a_job_waits_until_all_that_it_may_need_is_free() -> None:
    """Or two that have begun would each wait for the other's cells."""
    driver = Driver(room(cells=100))
    driver.submit(Job(1, "a", numbers(20), (Sample(41),)), Job(2, "b", numbers(20, 500), (Sample(41),)))
    driver.step()
    assert (driver.batcher.running, driver.batcher.waiting) == (1, 1)
    driver.run()


def test_prompts_leave_a_sequence_for_branches() -> None:
    """Two prompts in the only two sequences would wait for ever for a third."""
    driver = Driver(room(sequences=2))
    for number in (1, 2):
        driver.submit(Job(number, "a", numbers(9, 500 * number), (Sample(3), Sample(3))))
    driver.run()


def test_who_takes_part_for_the_first_time() -> None:
    """From then on a request's time is the model's, and no more waiting."""
    driver = Driver(room())
    driver.submit(Job(1, "a", numbers(100), (Sample(3),)))
    driver.step()
    driver.submit(Job(2, "b", numbers(9, 500), (Sample(3),)))
    driver.run()
    assert [plan.begun for plan in driver.passes[:3]] == [[1], [2], []]


def test_nothing_to_do() -> None:
    driver = Driver(room())
    assert driver.step() is None
    driver.submit(Job(1, "a", numbers(9), (Sample(1),)))
    assert (driver.batcher.waiting, driver.batcher.running) == (1, 0)
    driver.run()
    assert driver.step() is None
