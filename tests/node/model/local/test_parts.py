"""The watchdog and the quarantine on their own, without processes or clocks."""

import pytest

from node.model.errors import GrammarInvalid
from node.model.local.quarantine import SECONDS_MIN, SUSPECTS_MAX, Quarantine
from node.model.local.watchdog import Watchdog
from node.model.requests import Grammar

BAD, GOOD = Grammar("gbnf", "bad"), Grammar("json_schema", "bad")


def checks_until_it_hangs(dog: Watchdog) -> int:
    return next(count for count in range(1, 10_000) if dog.check(busy=True))


@pytest.mark.parametrize("timeout_ms", [10, 300, 1_000, 60_000])
def test_silence_is_as_long_as_the_timeout(timeout_ms: int) -> None:
    dog = Watchdog(timeout_ms)
    silence_ms = (checks_until_it_hangs(dog) - 1) * dog.step_ms
    assert timeout_ms <= silence_ms <= timeout_ms + dog.step_ms


def test_a_sign_of_life_or_nothing_to_do_starts_over() -> None:
    dog = Watchdog(1_000)
    whole = checks_until_it_hangs(Watchdog(1_000))
    for start_over in (dog.heard, lambda: dog.check(busy=False)):
        for _ in range(whole - 1):
            assert not dog.check(busy=True)
        start_over()
        assert checks_until_it_hangs(dog) == whole
        dog.heard()


def test_two_deaths_then_longer_and_longer() -> None:
    quarantine = Quarantine()
    quarantine.died([BAD, BAD], 0)
    quarantine.check(BAD, 1)
    quarantine.died([BAD], 10)
    with pytest.raises(GrammarInvalid):
        quarantine.check(BAD, 10 + SECONDS_MIN - 1)
    quarantine.check(GOOD, 10)
    quarantine.check(None, 10)
    quarantine.check(BAD, 10 + SECONDS_MIN)
    quarantine.died([BAD], 1_000)
    with pytest.raises(GrammarInvalid, match="3 times"):
        quarantine.check(BAD, 1_000 + 2 * SECONDS_MIN - 1)
    quarantine.check(BAD, 1_000 + 2 * SECONDS_MIN)
    for _ in range(100):
        quarantine.died([BAD], 0)
    quarantine.check(BAD, 1e7)


def test_what_is_remembered_is_bounded() -> None:
    quarantine = Quarantine()
    for _ in range(2):
        quarantine.died([Grammar("gbnf", f"g{index}") for index in range(2 * SUSPECTS_MAX)], 0)
    assert len(quarantine._suspects) == SUSPECTS_MAX
