"""How long suspicions last."""

import pytest

from node.membership.settings import MembershipSettings
from node.membership.suspicion import Countdown, suspicion_ms_min

# Three confirmations expected, half a second at least, a second at most: the case of memberlist's own table.
TABLE = MembershipSettings(
    probe_interval_ms=100,
    probe_timeout_ms=50,
    suspicion_mult=5,
    suspicion_max_factor=2,
    suspicion_confirmations=3,
)


@pytest.mark.parametrize(
    ("n", "confirmations", "lasts_ms"),
    [
        pytest.param(2, 0, 500, id="nobody could confirm"),
        pytest.param(4, 0, 500, id="too few could confirm"),
        pytest.param(6, 0, 1_000, id="a lone accuser"),
        pytest.param(6, 1, 750, id="ln 2 / ln 4 is a half"),
        pytest.param(6, 2, 604, id="ln 3 / ln 4 is 0.792"),
        pytest.param(6, 3, 500, id="all confirmed"),
        pytest.param(6, 9, 500, id="never below the minimum"),
    ],
)
def test_confirmations_shrink_it(n: int, confirmations: int, lasts_ms: int) -> None:
    """Values of memberlist's state_test.go."""
    countdown = Countdown.start(TABLE, n, now_ms=10)
    countdown.confirmations = confirmations
    assert countdown.lasts_ms == lasts_ms
    assert countdown.due_ms == 10 + lasts_ms


@pytest.mark.parametrize(
    ("n", "ms"),
    [
        pytest.param(1, 4_000, id="four intervals"),
        pytest.param(10, 4_000, id="the same up to ten members"),
        pytest.param(100, 8_000, id="log10(100) is 2"),
        pytest.param(1_000, 12_000, id="log10(1000) is 3"),
    ],
)
def test_the_minimum_grows_with_the_logarithm_of_the_group(n: int, ms: int) -> None:
    assert suspicion_ms_min(MembershipSettings.lan(), n) == ms


@pytest.mark.parametrize(
    ("lag_ms", "started_ms"),
    [
        pytest.param(200, 300, id="a short stall is not counted"),
        pytest.param(501, 1_000, id="after a long one it begins again"),
    ],
)
def test_a_stall_convicts_nobody(lag_ms: int, started_ms: int) -> None:
    countdown = Countdown.start(TABLE, 2, now_ms=100)
    countdown.pause(lag_ms, now_ms=1_000)
    assert countdown.started_ms == started_ms


def test_a_pause_never_starts_it_in_the_future() -> None:
    countdown = Countdown.start(TABLE, 2, now_ms=900)
    countdown.pause(400, now_ms=1_000)
    assert countdown.started_ms == 1_000
