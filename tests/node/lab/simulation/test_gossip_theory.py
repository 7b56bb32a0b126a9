"""The papers' curves against numbers worked out by hand."""

import math

import pytest

from node.lab.simulation.gossip import theory
from node.membership.settings import MembershipSettings

LAN = MembershipSettings()


@pytest.mark.parametrize(
    ("n", "periods"),
    [
        pytest.param(2, 1.0, id="the only other probes it at once"),
        pytest.param(3, 4 / 3, id="both others pick the other one in a quarter of the periods"),
        pytest.param(4, 27 / 19, id="1 / (1 - (2/3)^3)"),
    ],
)
def test_first_detection(n: int, periods: float) -> None:
    assert theory.swim_first_detection_periods(n) == pytest.approx(periods)


def test_first_detection_tends_to_1_58_periods() -> None:
    """SWIM section 3.3: e / (e - 1)."""
    assert theory.swim_first_detection_limit() == pytest.approx(math.e / (math.e - 1))
    assert theory.swim_first_detection_limit() == pytest.approx(1.582, abs=0.001)
    assert theory.swim_first_detection_periods(10_000) == pytest.approx(theory.swim_first_detection_limit(), rel=1e-3)


def test_first_suspicion_with_walks() -> None:
    """Of two members, the other probes at its next turn: half a period off, and one more until the probe has failed."""
    assert theory.walk_first_suspicion_ms(LAN, 2, 0) == 1_500
    assert theory.walk_first_suspicion_ms(LAN, 10, 50) == 1_850


@pytest.mark.parametrize(
    ("n", "shortest_ms"),
    [
        pytest.param(10, 4_000, id="mult 4"),
        pytest.param(100, 8_000, id="log10 2"),
        pytest.param(10_000, 16_000, id="4"),
    ],
)
def test_suspicion_bounds(n: int, shortest_ms: int) -> None:
    assert theory.suspicion_ms_bounds(LAN, n) == (shortest_ms, 6 * shortest_ms)


def test_worst_wait_is_two_walks_less_one() -> None:
    assert theory.swim_worst_periods(10) == 19


def test_infection() -> None:
    """Each round of fan-out 3 makes four of one while few have it: 10 of 20 from 1 of 20 are odds 19 times as high."""
    assert theory.infection_rounds(20, 3, share=0.5) == pytest.approx(math.log(19) / math.log(4))
    assert theory.infection_rounds(1_000, 3) == pytest.approx(2 * math.log(999) / math.log(4))
    assert theory.infection_rounds(2, 3) == 1.0


def test_missed_share() -> None:
    """SWIM section 4.1 with lambda 2 and a hundred members: 100 ** -(1.96 * 2 - 2)."""
    assert theory.uninfected_share(100, 2) == pytest.approx(100**-1.92)


@pytest.mark.parametrize(
    ("n", "times"),
    [
        pytest.param(8, 21, id="three rounds to everyone"),
        pytest.param(64, 12, id="floor"),
        pytest.param(10_000, 20, id="4 * ceil(log10 10001)"),
    ],
)
def test_retransmissions(n: int, times: int) -> None:
    assert theory.retransmissions(LAN, n) == times


def test_exchanges_grow_rarer_with_size() -> None:
    assert theory.sync_interval_ms(LAN, 32) == 30_000
    assert theory.sync_interval_ms(LAN, 100) == 90_000  # log2 100 is 6.6: two doublings beyond 32, begun
    assert theory.sync_interval_ms(LAN, 10_000) == 300_000


def test_idle_bytes_are_mostly_probes() -> None:
    """A ping of 238 bytes and an ack of 358 in a second; the exchange adds the more the larger its list."""
    ten, hundred = theory.idle_bytes_per_second(LAN, 10), theory.idle_bytes_per_second(LAN, 100)
    assert 590 < ten < 640
    assert ten < hundred < 680
