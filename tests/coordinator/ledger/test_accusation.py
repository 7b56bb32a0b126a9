"""Evidence: what proves that a member contradicted itself, what does not, and how much of it a ledger takes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.encoding import EncodingError
from coordinator.ledger.accusation import accusation_of, check_accusation, fitting_evidence
from coordinator.ledger.agenda import EVIDENCE_MAX, Accusation, Agenda, merge_evidence
from coordinator.ledger.checking import check_agenda
from coordinator.ledger.ledger import PER_ACCUSED_MAX, Ledger
from coordinator.ledger.resolution import BadSignatureError, ItemError
from coordinator.ledger.room import ITEM_SIZE_MAX
from coordinator.signed import Kind, Signed
from coordinator.voting import Ballot, Externalize, Nominate, Prepare, Statement, encode
from tests.coordinator.keys import member
from tests.coordinator.ledger.build import Build

BUILD = Build(4)
QUORUM_SET = BUILD.genesis.roster.quorum_set_digest
A, B, C = b"a" * 32, b"b" * 32, b"c" * 32


def said(statement: Statement, by: int | bytes | None = None) -> Signed:
    return BUILD.sign(statement.node if by is None else by, Kind.STATEMENT, encode(statement))


def nominate(by: int, *values: bytes, slot: int = 0) -> Signed:
    return said(Nominate(BUILD.ids[by], slot, QUORUM_SET, values, ()))


def decides(by: int, value: bytes, slot: int = 0) -> Signed:
    return said(Externalize(BUILD.ids[by], slot, QUORUM_SET, Ballot(1, value), 1))


def accusation(by: int = 0, slot: int = 0, values: tuple[bytes, bytes] = (A, B)) -> Accusation:
    found = accusation_of(*(nominate(by, value, slot=slot) for value in values))
    assert found is not None
    return found


def prepare(by: int, counter: int, value: bytes) -> Signed:
    return said(Prepare(BUILD.ids[by], 0, QUORUM_SET, Ballot(counter, value)))


@pytest.mark.parametrize(
    ("one", "other", "proves"),
    [
        pytest.param(nominate(0, A), nominate(0, B), True, id="two nominations of which neither follows"),
        pytest.param(decides(0, A), decides(0, B), True, id="two decisions"),
        pytest.param(nominate(0, A), nominate(0, A), False, id="twice the same"),
        pytest.param(nominate(0, A), nominate(0, A, B), False, id="one follows the other"),
        pytest.param(prepare(0, 1, B), prepare(0, 2, A), False, id="a later ballot of another value"),
        pytest.param(nominate(0, A), nominate(1, B), False, id="two members"),
        pytest.param(nominate(0, A), nominate(0, B, slot=1), False, id="two slots"),
        pytest.param(nominate(0, A), decides(0, B), False, id="two protocols"),
        pytest.param(nominate(0, A), BUILD.sign(0, Kind.STATEMENT, b"junk"), False, id="no statement"),
        pytest.param(
            nominate(0, A), said(Nominate(BUILD.ids[1], 0, QUORUM_SET, (B,), ()), 0), False, id="another's name"
        ),
    ],
)
def test_what_proves_a_contradiction(one: Signed, other: Signed, proves: bool) -> None:
    assert (accusation_of(one, other) is not None) is proves
    assert accusation_of(one, other) == accusation_of(other, one), "in either order the same"


def test_evidence_is_read_as_written() -> None:
    good = accusation()
    assert Accusation.decode(good.encode()) == good
    with pytest.raises(EncodingError):
        Accusation.decode(good.encode() + b"\0")
    ledger, item = Ledger(BUILD.genesis), BUILD.item(BUILD.question(), [])
    made = Agenda.of(0, ledger.head, 0, [item], [], [accusation(1), good])
    assert Agenda.decode(made.encode()) == made
    assert made.header.count == 3
    check_agenda(made, ledger, BUILD.verify)


def swapped(good: Accusation) -> Accusation:
    return replace(good, one=good.other, other=good.one)


@pytest.mark.parametrize(
    ("tamper", "kind"),
    [
        pytest.param(swapped, ItemError, id="in another order"),
        pytest.param(lambda good: replace(good, slot=1), ItemError, id="of another slot"),
        pytest.param(lambda good: replace(good, other=good.one), ItemError, id="one statement twice"),
        pytest.param(
            lambda good: replace(good, one=replace(good.one, signature=b"f" * 64)), BadSignatureError, id="forged"
        ),
        pytest.param(lambda good: replace(good, one=nominate(1, A)), ItemError, id="of two members"),
    ],
)
def test_what_proves_nothing_is_on_no_agenda(tamper: Callable[[Accusation], Accusation], kind: type[ItemError]) -> None:
    with pytest.raises(ItemError) as raised:
        check_accusation(tamper(accusation()), Ledger(BUILD.genesis), BUILD.verify)
    assert raised.type is kind


def test_a_stranger_cannot_be_accused() -> None:
    stranger = member(9).node
    one, other = (said(Nominate(stranger, 0, QUORUM_SET, (value,), ())) for value in (A, B))
    found = accusation_of(one, other)
    assert found is not None
    with pytest.raises(ItemError, match="no seat"):
        check_accusation(found, Ledger(BUILD.genesis), BUILD.verify)


def test_evidence_alone_is_no_agenda_and_none_is_about_what_is_to_come() -> None:
    ledger, item = Ledger(BUILD.genesis), BUILD.item(BUILD.question(), [])
    with pytest.raises(ItemError, match="nothing"):
        check_agenda(Agenda.of(0, ledger.head, 0, [], [], [accusation()]), ledger, BUILD.verify)
    with pytest.raises(ItemError, match="to come"):
        check_agenda(Agenda.of(0, ledger.head, 0, [item], [], [accusation(slot=1)]), ledger, BUILD.verify)


CANDIDATES = [accusation(by, slot, values) for by in (0, 1) for slot in range(2) for values in ((A, B), (A, C), (B, C))]


@given(st.lists(st.sampled_from(CANDIDATES), max_size=8), st.randoms(use_true_random=False))
def test_the_union_is_the_same_in_any_order(some: list[Accusation], rng: Any) -> None:
    shuffled = [*some, *some]
    rng.shuffle(shuffled)
    merged = merge_evidence(some)
    assert merge_evidence(shuffled) == merged
    assert merge_evidence([*merge_evidence(some[:3]), *merge_evidence(some[3:])]) == merged
    assert {(one.accused, one.slot) for one in merged} == {(one.accused, one.slot) for one in some}
    assert len({one.id for one in merged}) == len(merged)


def test_a_ledger_says_it_once_and_not_in_every_slot() -> None:
    """A liar that contradicts itself in every slot must not grow everybody's ledger in every slot."""
    ledger = Ledger(BUILD.genesis)
    for slot in range(PER_ACCUSED_MAX + 4):
        against = [accusation(0, earlier) for earlier in range(slot + 1)]
        evidence = fitting_evidence(against, ledger, ITEM_SIZE_MAX) if slot else ()
        item = BUILD.item(BUILD.question(nonce=slot), [])
        agenda = Agenda.of(slot, ledger.head, 0, [item], [], evidence)
        assert not ledger.repeats(agenda)
        saved = ledger.append(agenda)
        assert saved.accused == tuple((one.accused, one.slot) for one in agenda.evidence)
    assert ledger.accused == {BUILD.ids[0]: set(range(PER_ACCUSED_MAX))}
    more = Agenda.of(ledger.height, ledger.head, 0, [BUILD.item(BUILD.question(nonce=99), [])], [], [accusation(0, 11)])
    assert ledger.repeats(more)
    again = Agenda.of(ledger.height, ledger.head, 0, [BUILD.item(BUILD.question(nonce=99), [])], [], [accusation(0, 1)])
    assert ledger.repeats(again)


def test_evidence_takes_the_room_that_is_left() -> None:
    ledger = Ledger(BUILD.genesis)
    against = [accusation(by, slot) for by in range(4) for slot in range(PER_ACCUSED_MAX + 1)]
    size = len(against[0].encode()) + 4
    assert len(fitting_evidence(against, ledger, ITEM_SIZE_MAX)) == 4 * PER_ACCUSED_MAX <= EVIDENCE_MAX
    assert len(fitting_evidence(against, ledger, 3 * size)) == 3
    assert {one.slot for one in fitting_evidence(against, ledger, 4 * size)} == {0}, "the oldest first"
    assert fitting_evidence(against, ledger, size - 1) == ()
