"""Every number of the membership protocol, with its unit and reason, and three profiles: lan, wan, local."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

RECORD_TTL_MARGIN_S = 600
"""How much longer a tombstone lives than the record it guards against, so that no old record outlives its tombstone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipSettings:
    """Failure detection, gossip and joining. The defaults suit a LAN; most are those of hashicorp/memberlist.

    Raises:
        ValueError: the numbers do not fit together; the message lists every problem.
    """

    probe_interval_ms: int = 1_000
    """Time between two probes, multiplied by local health + 1. Lower finds failures sooner and costs traffic."""
    probe_timeout_ms: int = 500
    """Wait for a direct ack before relays are asked. Above the 99th percentile of the round trip."""
    relays: int = 3
    """Members asked to probe on our behalf (Lifeguard's K)."""
    relay_budget_percent: int = 80
    """Share of the remaining time that relays get, so that their nack is back before the probe ends (Lifeguard 4.1)."""
    health_max: int = 7
    """Highest local health score; 0 is healthy. The probe interval grows with it (Lifeguard's S - 1)."""

    suspicion_mult: int = 4
    """Shortest suspicion, in probe intervals, for up to ten members; grows with log10 of their number."""
    suspicion_max_factor: int = 6
    """Longest suspicion, of a single accuser, in shortest suspicions."""
    suspicion_confirmations: int = 2
    """Accusers beyond the first that shrink a suspicion to its shortest."""

    gossip_interval_ms: int = 200
    """Time between two gossip rounds while there is something to tell."""
    gossip_fanout: int = 3
    """Members told in one round where there are too many to tell all."""
    gossip_to_all_max: int = 16
    """Up to this many members, a round goes to every one of them."""
    gossip_repeats: int = 2
    """Rounds after the first, where a round goes to everyone."""
    gossip_bytes_max: int = 16 * 1_024
    """Signed items on one message, in bytes."""
    retransmit_mult: int = 4
    """Lambda of SWIM section 4.1: an item is sent lambda * ceil(log10(n + 1)) times, but never less than 8 to 12."""
    queue_max: int = 4_096
    """Items waiting to be gossiped; beyond, the oldest about others is dropped."""
    queue_warn: int = 128
    """Items waiting above which a note warns."""

    sync_interval_ms: int = 30_000
    """Time between two full-state exchanges; grows with log2 of the members beyond 32."""
    sync_spacing_ms: int = 1_000
    """At most one full-state answer per member in this time."""
    sync_bytes_max: int = 512 * 1_024
    """Signed items in one full-state answer, half of what an envelope holds; the rest comes with the next exchange."""

    sync_bytes_per_s: int = 4 * 1_024 * 1_024
    """Signed items in all full-state answers of one second."""

    reconnect_interval_ms: int = 30_000
    """Time between two attempts to reach a dead member, so that a healed partition is noticed."""
    seed_interval_ms: int = 60_000
    """Time, give or take a fifth, between two attempts to reach a seed that is not alive. They never end."""
    join_retry_ms: int = 1_000
    """First pause between two attempts to join; doubles while nobody answers."""
    join_retry_ms_max: int = 60_000
    """Longest pause between two attempts to join."""
    leave_linger_ms: int = 1_000
    """How long a leaving node stays to repeat its goodbye."""

    snapshot_interval_ms: int = 30_000
    """Time between two snapshots of the members to remember, and between two reapings of tombstones."""
    remembered_max: int = 256
    """Members in a snapshot."""

    tombstone_s: int = 86_400
    """How long the dead and the left are kept, so that no old record brings them back."""
    record_ttl_s: int = 86_400 - RECORD_TTL_MARGIN_S
    """How long a record of ours is valid. It is issued anew after a quarter of that."""
    clock_skew_ms: int = 300_000
    """How far in the future a record may be dated."""
    hold_ms: int = 2_000
    """How long an accusation of an incarnation that we do not know waits for its owner's record."""
    evidence_spacing_ms: int = 1_000
    """A sender of stale news about a member is corrected at most once in this time."""
    members_max: int = 10_000
    """Members kept, tombstones included."""

    def __post_init__(self) -> None:
        problems = [
            f"{field.name} = {getattr(self, field.name)}: must be at least {_AT_LEAST.get(field.name, 1)}"
            for field in fields(self)
            if getattr(self, field.name) < _AT_LEAST.get(field.name, 1)
        ]
        problems += [problem.format(s=self) for fits, problem in _RELATIONS if not fits(self)]
        if problems:
            raise ValueError("\n".join([f"membership: {len(problems)} problem(s)", *(f"  - {p}" for p in problems)]))

    @classmethod
    def lan(cls, **changes: Any) -> "MembershipSettings":
        """Machines in one building."""
        return cls(**changes)

    @classmethod
    def wan(cls, **changes: Any) -> "MembershipSettings":
        """Machines on several continents: slower and gentler."""
        numbers: dict[str, Any] = {
            "probe_interval_ms": 5_000,
            "probe_timeout_ms": 3_000,
            "suspicion_mult": 6,
            "suspicion_confirmations": 4,
            "gossip_interval_ms": 500,
            "gossip_fanout": 4,
            "sync_interval_ms": 60_000,
            "reconnect_interval_ms": 60_000,
        }
        return cls(**(numbers | changes))

    @classmethod
    def local(cls, **changes: Any) -> "MembershipSettings":
        """Several nodes on one loaded machine.

        Probes are quick, but a suspicion lasts at least three seconds: on a busy machine a process may not run for two.
        """
        numbers: dict[str, Any] = {
            "probe_interval_ms": 300,
            "probe_timeout_ms": 150,
            "suspicion_mult": 10,
            "suspicion_max_factor": 2,
            "suspicion_confirmations": 2,
            "gossip_interval_ms": 100,
            "sync_interval_ms": 5_000,
            "sync_spacing_ms": 200,
            "reconnect_interval_ms": 2_000,
            "seed_interval_ms": 3_000,
            "join_retry_ms": 250,
            "join_retry_ms_max": 3_000,
            "leave_linger_ms": 500,
            "snapshot_interval_ms": 5_000,
        }
        return cls(**(numbers | changes))


_AT_LEAST = {"relays": 0, "health_max": 0, "suspicion_confirmations": 0, "gossip_repeats": 0, "gossip_to_all_max": 0}
_AT_LEAST |= {"gossip_bytes_max": 1_024, "sync_bytes_max": 1_024, "queue_max": 16, "probe_timeout_ms": 4}

_RELATIONS: tuple[tuple[Callable[[MembershipSettings], bool], str], ...] = (
    (
        lambda s: s.probe_timeout_ms < s.probe_interval_ms,
        "probe_timeout_ms = {s.probe_timeout_ms}: must be below probe_interval_ms ({s.probe_interval_ms}), or relays"
        " get no time; lower it or probe less often",
    ),
    (
        lambda s: s.suspicion_confirmations <= 16,
        "suspicion_confirmations = {s.suspicion_confirmations}: at most 16, for all of them travel in one message",
    ),
    (
        lambda s: s.relay_budget_percent < 100,
        "relay_budget_percent = {s.relay_budget_percent}: must be below 100, or nacks come after the probe ended",
    ),
    (
        lambda s: s.join_retry_ms <= s.join_retry_ms_max,
        "join_retry_ms = {s.join_retry_ms}: must not exceed join_retry_ms_max ({s.join_retry_ms_max})",
    ),
    (
        lambda s: s.record_ttl_s + RECORD_TTL_MARGIN_S <= s.tombstone_s,
        "record_ttl_s = {s.record_ttl_s}: must be 600 s below tombstone_s ({s.tombstone_s}), or an old record"
        " may raise the dead",
    ),
    (
        lambda s: s.suspicion_mult * s.probe_interval_ms >= 2 * s.gossip_interval_ms,
        "suspicion_mult = {s.suspicion_mult}: a suspicion must outlast two gossip intervals"
        " ({s.gossip_interval_ms} ms each), or nobody can refute in time",
    ),
)
