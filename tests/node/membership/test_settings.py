"""Settings that cannot work are refused, with everything that is wrong with them at once."""

import pytest

from node.membership.settings import MembershipSettings


@pytest.mark.parametrize("profile", [MembershipSettings.lan, MembershipSettings.wan, MembershipSettings.local])
def test_profiles_are_sound(profile: type[MembershipSettings]) -> None:
    assert profile(relays=1).relays == 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"probe_timeout_ms": 1_000}, "probe_timeout_ms = 1000: must be below probe_interval_ms"),
        ({"relay_budget_percent": 100}, "relay_budget_percent = 100"),
        ({"join_retry_ms": 70_000}, "join_retry_ms = 70000"),
        ({"record_ttl_s": 86_400}, "record_ttl_s = 86400"),
        ({"gossip_interval_ms": 3_000}, "suspicion_mult = 4"),
        ({"suspicion_confirmations": 17}, "suspicion_confirmations = 17"),
        ({"probe_interval_ms": 0}, "probe_interval_ms = 0: must be at least 1"),
        ({"relays": -1}, "relays = -1: must be at least 0"),
    ],
)
def test_what_cannot_work_is_named(changes: dict[str, int], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        MembershipSettings(**changes)


def test_all_problems_are_told_at_once() -> None:
    """Fixing one number after another is no fun."""
    with pytest.raises(ValueError, match="3 problem"):
        MembershipSettings(relay_budget_percent=120, join_retry_ms=70_000, queue_max=0)
