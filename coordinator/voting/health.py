"""Where the members of a node's quorum set stand in a slot, for the person who asks why it is not decided."""

from dataclasses import dataclass

from coordinator.voting.quorum import is_v_blocking
from coordinator.voting.says import value_of, working_counter
from coordinator.voting.slot import Slot


@dataclass(frozen=True, slots=True)
class SlotHealth:
    """Every other member of the quorum set once, each list ascending; what the terms mean is that of stellar-core.

    `value` is the current ballot's; before there is one nobody disagrees or is delayed. `is_blocked`: without the
    missing and the disagreeing nothing can be decided.
    """

    value: bytes | None
    agree: tuple[bytes, ...]  # at the ballot's value and counter, or beyond
    delayed: tuple[bytes, ...]  # no ballot yet, or a lower counter
    disagree: tuple[bytes, ...]  # another value
    missing: tuple[bytes, ...]  # not heard of in this slot
    is_blocked: bool


def slot_health(slot: Slot) -> SlotHealth:
    """The report as of the newest statements that `slot` holds."""
    agree, delayed, disagree, missing = list[bytes](), list[bytes](), list[bytes](), list[bytes]()
    for node in slot.quorum_set.members():
        if node == slot.node:
            continue
        said = slot.latest_ballot(node)
        if said is None and slot.latest_nomination(node) is None:
            missing.append(node)
        elif slot.b is None:
            agree.append(node)
        elif said is None:
            delayed.append(node)
        elif value_of(said) != slot.b.value:
            disagree.append(node)
        elif working_counter(said) < slot.b.counter:
            delayed.append(node)
        else:
            agree.append(node)
    value = slot.b.value if slot.b is not None else None
    is_blocked = is_v_blocking(slot.quorum_set, frozenset([*missing, *disagree]))
    return SlotHealth(value, tuple(agree), tuple(delayed), tuple(disagree), tuple(missing), is_blocked)
