"""An entry of the ledger that a peer brings is taken with its proof, and not otherwise."""

from dataclasses import replace

import pytest

from coordinator.effects import Effect
from coordinator.ledger.agenda import Agenda
from coordinator.messages import Entries, LedgerEntry
from coordinator.signed import Signed
from coordinator.voting import Ballot, Externalize, Validity
from tests.coordinator.solo import Solo, notes
from tests.coordinator.test_assembly import BUILD, FULL, agenda, say


def proof(of: Agenda, members: tuple[int, ...] = (1, 2, 3)) -> tuple[Signed, ...]:
    quorum_set = BUILD.genesis.roster.quorum_set_digest
    slot, ballot = of.header.slot, Ballot(1, of.digest)
    return tuple(say(member, Externalize(BUILD.ids[member], slot, quorum_set, ballot, 1)) for member in members)


def brought(solo: Solo, entry: Agenda, statements: tuple[Signed, ...]) -> list[Effect]:
    return solo.hear(solo.others[0], Entries(entry.header.slot, (LedgerEntry(entry.encode(), statements),)))


def forged() -> Agenda:
    [item] = FULL.items
    first, *rest = item.preferences
    return Agenda.of(
        0, BUILD.genesis.moot_id, 0, [replace(item, preferences=(replace(first, signature=b"f" * 64), *rest))]
    )


def test_with_the_statements_of_a_quorum_it_is_taken() -> None:
    solo = Solo(BUILD)
    brought(solo, FULL, proof(FULL))
    assert (solo.core.ledger.height, solo.core.ledger.head) == (1, FULL.digest)


@pytest.mark.parametrize(
    ("entry", "statements"),
    [
        pytest.param(FULL, (), id="no proof"),
        pytest.param(FULL, proof(FULL, (1, 2)), id="one statement too few"),
        pytest.param(FULL, proof(FULL, (1, 2, 2)), id="one member twice"),
        pytest.param(FULL, proof(agenda((("8", 5),))), id="the proof of another"),
        pytest.param(forged(), proof(forged()), id="a forged answer in it"),
        pytest.param(
            FULL, (*proof(FULL, (1, 2)), replace(proof(FULL)[2], signature=b"f" * 64)), id="a forged statement"
        ),
    ],
)
def test_otherwise_it_is_refused(entry: Agenda, statements: tuple[Signed, ...]) -> None:
    solo = Solo(BUILD)
    assert "entries.refused" in notes(brought(solo, entry, statements))
    assert solo.core.ledger.height == 0


def test_a_question_that_is_decided_is_not_voted_for_again() -> None:
    solo = Solo(BUILD)
    brought(solo, FULL, proof(FULL))
    again = Agenda.of(1, FULL.digest, 0, FULL.items)
    driver = solo.core._driver
    assert driver.add_bytes(again.encode()) == again.digest
    assert driver.validate(1, again.digest, True) is Validity.INVALID
