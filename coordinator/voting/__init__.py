"""The Stellar Consensus Protocol as a pure library: it names only slots, values and node ids.

`Slot` decides one value. Its caller checks signatures, answers the questions of `Driver` and carries effects out.
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
    "tolerated_crashes",
    "tolerated_lies",
]
