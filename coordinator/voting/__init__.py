"""The Stellar Consensus Protocol as a pure library: it names only slots, values and node ids.

`Slot` decides one value. Its caller checks signatures, answers the questions of `Driver` and carries effects out: it
sends what is to be emitted, wakes the slot when a timer is due, and hands in what it hears.

    >>> four = QuorumSet(3, (b"a", b"b", b"c", b"d"))
    >>> slot = Slot(b"a", 1, four, MyDriver(four), previous=b"")
    >>> effects = slot.nominate(b"x", now_ms=0)
    >>> said = Prepare(b"b", 1, four.digest(), Ballot(1, b"x"), prepared=Ballot(1, b"x"))
    >>> slot.receive(said, now_ms=5)
    []
    >>> [type(effect).__name__ for effect in slot.receive(replace(said, node=b"c"), now_ms=10)]
    ['Emit', 'SetTimer', 'HeardFromQuorum']
    >>> slot.next_deadline_ms()
    1000
    >>> effects = slot.fire(Timer.BALLOT, now_ms=1010)
    >>> slot.latest_ballot(b"a").ballot, slot.phase, slot.c == slot.h == Ballot(1, b"x")
    (Ballot(counter=2, value=b'x'), <Phase.PREPARE: 'prepare'>, True)
    >>> for peer in (b"b", b"c"):
    ...     effects = slot.receive(Externalize(peer, 1, four.digest(), Ballot(1, b"x"), n_h=1), now_ms=1020)
    >>> [effect for effect in effects if isinstance(effect, Externalized)]
    [Externalized(slot=1, value=b'x', n_c=1, n_h=2147483647)]
    >>> slot.externalized, slot.leaders, slot.candidates, slot.composite
    (b'x', (b'a',), (), None)

A statement that changes nothing gives [Ignored(reason)]. `Slot.state()` is what to save before an emission is sent, and
`Slot.restore` goes on from it. `check_intersection` and its kin say whether a network of quorum sets is safe at all.
"""

from coordinator.voting.ballot_state import Phase
from coordinator.voting.codec import Malformed
from coordinator.voting.driver import Driver, Timer, Validity, growing_timeout_ms
from coordinator.voting.effects import (
    Befouled,
    CancelTimer,
    Effect,
    Emit,
    Externalized,
    HeardFromQuorum,
    Ignored,
    LeadersChosen,
    NewCandidate,
    NewComposite,
    Note,
    SetTimer,
)
from coordinator.voting.health import SlotHealth, slot_health
from coordinator.voting.intersection import Intersection, Verdict, check_intersection
from coordinator.voting.leaders import TAG_NEIGHBOR, TAG_PRIORITY, TAG_VALUE, hash_priority, slice_weight
from coordinator.voting.newness import contradiction, is_newer
from coordinator.voting.quorum import (
    QuorumSet,
    byzantine_threshold,
    is_quorum,
    is_quorum_slice,
    is_v_blocking,
    policy_problems,
)
from coordinator.voting.slot import Slot
from coordinator.voting.state import SlotState
from coordinator.voting.statement import (
    INFINITY,
    VALUE_BYTES_MAX,
    VALUES_MAX,
    Ballot,
    BallotStatement,
    Confirm,
    Externalize,
    Nominate,
    Prepare,
    Statement,
    decode,
    encode,
    problem,
)
from coordinator.voting.tolerance import Critical, Tolerated, critical_groups, tolerated_crashes, tolerated_lies

__all__ = [
    "INFINITY",
    "TAG_NEIGHBOR",
    "TAG_PRIORITY",
    "TAG_VALUE",
    "VALUES_MAX",
    "VALUE_BYTES_MAX",
    "Ballot",
    "BallotStatement",
    "Befouled",
    "CancelTimer",
    "Confirm",
    "Critical",
    "Driver",
    "Effect",
    "Emit",
    "Externalize",
    "Externalized",
    "HeardFromQuorum",
    "Ignored",
    "Intersection",
    "LeadersChosen",
    "Malformed",
    "NewCandidate",
    "NewComposite",
    "Nominate",
    "Note",
    "Phase",
    "Prepare",
    "QuorumSet",
    "SetTimer",
    "Slot",
    "SlotHealth",
    "SlotState",
    "Statement",
    "Timer",
    "Tolerated",
    "Validity",
    "Verdict",
    "byzantine_threshold",
    "check_intersection",
    "contradiction",
    "critical_groups",
    "decode",
    "encode",
    "growing_timeout_ms",
    "hash_priority",
    "is_newer",
    "is_quorum",
    "is_quorum_slice",
    "is_v_blocking",
    "policy_problems",
    "problem",
    "slice_weight",
    "slot_health",
    "tolerated_crashes",
    "tolerated_lies",
]
