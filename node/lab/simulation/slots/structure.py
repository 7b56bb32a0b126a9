"""How the variables of a slot fit together, checked apart from the code that keeps them so."""

from coordinator.voting import Ballot, Phase, Slot
from node.lab.simulation.outcome import Violated


def check_structure(slot: Slot) -> None:
    """The ballot variables fit together (SCP white paper, section 6.2, and the ballot protocol's proofs)."""
    b, p, q, h, c = slot.b, slot.p, slot.p_prime, slot.h, slot.c
    if b is None:
        sound = h is None and c is None
    elif b.counter < 1 or (h is not None and not _within(h, b)) or (c is not None and (h is None or not _within(c, h))):
        sound = False
    elif c is not None and h is not None and (_gives_up(p, h) or _gives_up(q, h)):
        sound = False
    else:
        sound = q is None or (p is not None and _gives_up(p, q))
    if sound and slot.phase is not Phase.PREPARE:
        sound = None not in (b, p, h, c) and q is None
    if not sound:
        raise Violated("structure", f"{slot.node!r} slot {slot.index}: {slot.phase} b={b} p={p} p′={q} h={h} c={c}")


def _within(low: Ballot, high: Ballot) -> bool:
    return low.value == high.value and low.counter <= high.counter


def _gives_up(accepted: Ballot | None, ballot: Ballot) -> bool:
    """Whether who accepts the one as prepared gives up to commit the other."""
    return accepted is not None and accepted.value != ballot.value and not accepted < ballot
