"""What may stand in an agenda, beside its place in the ledger: the one check before voting and after catching up."""

from collections.abc import Callable

from coordinator.ledger.accusation import check_accusation
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.change import check_change
from coordinator.ledger.ledger import Ledger
from coordinator.ledger.resolution import ItemError, check_item
from coordinator.signed import Signed


def check_agenda(agenda: Agenda, ledger: Ledger, verify: Callable[[Signed], bool]) -> None:
    """Refuse what no quorum of honest members decides as the agenda of its slot.

    Raises:
        ItemError: it is of another epoch than its slot, is empty, or holds what may not be decided.
    """
    roster = ledger.roster_at(agenda.header.slot)
    if agenda.header.epoch != roster.epoch:
        raise ItemError(f"an agenda of epoch {agenda.header.epoch} in a slot of epoch {roster.epoch}")
    if not agenda.items and agenda.change is None:
        raise ItemError("an agenda of nothing")
    for item in agenda.items:
        check_item(item, roster, verify)
    if agenda.change is not None:
        check_change(agenda.change, roster, verify)
    for accusation in agenda.evidence:
        if accusation.slot > agenda.header.slot:
            raise ItemError("evidence about a slot to come")
        check_accusation(accusation, ledger, verify)
