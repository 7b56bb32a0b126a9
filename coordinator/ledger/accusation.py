"""Evidence on the ledger: two signed statements by which a member contradicts itself, and how many it takes to know."""

from collections.abc import Callable, Iterable

from coordinator.ledger.agenda import EVIDENCE_MAX, Accusation, merge_evidence
from coordinator.ledger.ledger import PER_ACCUSED_MAX, Ledger
from coordinator.ledger.resolution import BadSignatureError, ItemError
from coordinator.signed import Signed
from coordinator.voting.newness import contradiction
from coordinator.voting.statement import decode


def accusation_of(one: Signed, other: Signed) -> Accusation | None:
    """What these two statements prove against their author, signatures left aside; None when they prove nothing."""
    if one.author != other.author:
        return None
    try:
        said, also = decode(one.body), decode(other.body)
    except ValueError:
        return None
    if {said.node, also.node} != {one.author} or contradiction(said, also) is None:
        return None
    first, second = sorted((one, other), key=Signed.digest)
    return Accusation(said.slot, first, second)


def check_accusation(accusation: Accusation, ledger: Ledger, verify: Callable[[Signed], bool]) -> None:
    """Refuse what proves nothing.

    Raises:
        BadSignatureError: a statement that its author did not sign.
        ItemError: no contradiction by a member in a slot in which it sat.
    """
    accused = accusation.accused
    if accusation_of(accusation.one, accusation.other) != accusation:
        raise ItemError("two statements that do not contradict each other")
    if accused not in ledger.roster_at(accusation.slot).nodes:
        raise ItemError(f"evidence against {accused.hex()[:8]}, who had no seat in slot {accusation.slot}")
    if not all(verify(record) for record in (accusation.one, accusation.other)):
        raise BadSignatureError(f"a statement that {ledger.seats[accused].name} did not sign")


def fitting_evidence(accusations: Iterable[Accusation], ledger: Ledger, room: int) -> tuple[Accusation, ...]:
    """What of this goes on the next agenda: of each member the earliest slots that are not on the ledger yet, as far as
    `room` bytes hold them. The same for the same set and ledger."""
    counts = {node: len(slots) for node, slots in ledger.accused.items()}
    taken: list[Accusation] = []
    for one in sorted(merge_evidence(accusations), key=lambda one: (one.slot, one.id)):
        if one.slot in ledger.accused.get(one.accused, ()):
            continue
        size = len(one.encode()) + 4
        if size > room or len(taken) == EVIDENCE_MAX or counts.get(one.accused, 0) >= PER_ACCUSED_MAX:
            continue
        taken.append(one)
        room -= size
        counts[one.accused] = counts.get(one.accused, 0) + 1
    return merge_evidence(taken)
