"""What the papers promise, as functions of the number of members: the curves beside the measurements."""

import math

from coordinator.signed import NODE_ID_SIZE, SIGNATURE_SIZE, Kind, Signed
from node.lab.simulation.gossip.sizes import envelope_size
from node.lab.simulation.gossip.world import SEQUENCE
from node.membership.digest import LINE_SIZE, LISTED_MAX, SUMS_SIZE
from node.membership.gossip import retransmit_max
from node.membership.messages import NONCE_SIZE, Ack, Ping, SyncReply, SyncRequest
from node.membership.records import AckBody
from node.membership.settings import MembershipSettings
from node.membership.suspicion import suspicion_ms_min

PROBE, RECORD_SIZE = 1_000, 60
"""A probe's number and a record's bytes, about as they are in a small moot."""


def swim_first_detection_periods(n: int, alive: float = 1.0) -> float:
    """Periods until some member probes the crashed one in vain, counted from the start of a period.

    In each period each of the n - 1 others picks it with probability 1 / (n - 1); for many members this tends to
    1 / (1 - 1/e) = 1.58 (Das et al., SWIM, DSN 2002, section 3.3, with q_f the share of members that work).
    """
    if n < 2:
        return math.inf
    nobody = (1 - alive / (n - 1)) ** (n - 1)
    return 1 / (1 - nobody)


def swim_first_detection_limit(alive: float = 1.0) -> float:
    """The same for ever more members: 1 / (1 - e^-q_f)."""
    return 1 / (1 - math.exp(-alive))


def walk_first_suspicion_ms(settings: MembershipSettings, n: int, delay_ms: float) -> float:
    """Mean time from a crash to the first suspicion, where members probe in walks and at phases of their own.

    The others' next probes of the crashed member are spread over their walks, each nearly evenly over n - 1 periods, so
    the first begins after (n - 1) / n periods; a probe ends one period after it began; and a ping still under way when
    its target crashed fails too, which saves its delay. Our own derivation: SWIM's figure counts from the start of a
    period that all members share.
    """
    period_ms = settings.probe_interval_ms
    return period_ms * (n - 1) / n + period_ms - delay_ms


def swim_worst_periods(n: int) -> int:
    """The longest until a certain member probes a certain other: twice a walk less one (SWIM section 4.3)."""
    return 2 * n - 1


def suspicion_ms_bounds(settings: MembershipSettings, n: int) -> tuple[int, int]:
    """The shortest and the longest suspicion in milliseconds (Lifeguard, arXiv 1707.00788, section 4.2)."""
    shortest_ms = suspicion_ms_min(settings, n)
    return shortest_ms, settings.suspicion_max_factor * shortest_ms


def infection_rounds(n: int, fanout: int, share: float = 1.0) -> float:
    """Rounds until an epidemic has reached this share of n members, each infected one telling `fanout` in each round.

    The logistic curve I' = fanout * I * (1 - I / n) from one infected member, solved for the share (Bailey's simple
    epidemic, as in SWIM section 4.1); for all members, until less than one is left, which is 2 ln n / fanout.
    """
    if n < 2:
        return 0.0
    reached = min(share, 1 - 1 / n)
    odds = reached / (1 - reached)
    return max(1.0, math.log(odds * (n - 1)) / math.log1p(fanout))


def uninfected_share(n: int, retransmit_mult: float) -> float:
    """Expected share of members that an update misses when each passes it on lambda * ln n times (SWIM section 4.1)."""
    return float(n ** -((2 - 4 / n) * retransmit_mult - 2)) if n > 1 else 0.0


def retransmissions(settings: MembershipSettings, n: int) -> int:
    """How often one member sends one update: lambda * ceil(log10(n + 1)), with our floor for small groups."""
    return retransmit_max(settings, n)


def sync_interval_ms(settings: MembershipSettings, n: int) -> int:
    """Time between two full exchanges of one member (hashicorp/memberlist, util.go, pushPullScale)."""
    return settings.sync_interval_ms * (math.ceil(math.log2(n) - 5) + 1 if n > 32 else 1)


def idle_bytes_per_second(settings: MembershipSettings, n: int) -> float:
    """What each member sends in a second while nothing changes: probes and answers, and its share of full exchanges."""
    some, body = bytes(NODE_ID_SIZE), bytes(RECORD_SIZE)
    ack = AckBody(some, bytes(NONCE_SIZE), 0, 0).encode()
    lines, sums = (LINE_SIZE * n, 0) if n <= LISTED_MAX else (0, SUMS_SIZE)
    ping = Ping(PROBE, bytes(NONCE_SIZE), some)
    answer = Ack(PROBE, Signed(Kind.ACK, some, ack, bytes(SIGNATURE_SIZE)))
    request = SyncRequest(Signed(Kind.MEMBER, some, body, bytes(SIGNATURE_SIZE)), bytes(lines), bytes(sums))
    per_probe = envelope_size(ping, SEQUENCE) + envelope_size(answer, SEQUENCE)
    per_exchange = envelope_size(request, SEQUENCE) + envelope_size(SyncReply((), ()), SEQUENCE)
    return 1_000 * (per_probe / settings.probe_interval_ms + per_exchange / sync_interval_ms(settings, n))
