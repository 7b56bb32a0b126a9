"""Changes of the roster: what may be proposed, what it takes to be decided, and what follows in the ledger."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.encoding import EncodingError
from coordinator.ledger.agenda import Agenda, ChangeItem, Item, merge_changes
from coordinator.ledger.change import REASON_LENGTH_MAX, Approval, Change, change_of, check_change, roster_after
from coordinator.ledger.checking import check_agenda
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.ledger import Ledger
from coordinator.ledger.resolution import BadSignatureError, ItemError
from coordinator.ledger.roster import MEMBERS_MAX, Roster, RosterError
from coordinator.signed import BODY_SIZE_MAX, Kind
from tests.coordinator.keys import found, member, members
from tests.coordinator.ledger.build import Build

BUILD = Build(4)
ROSTER = BUILD.genesis.roster
ADDS = change_of(ROSTER, created_ms=7, added=[member(4)], reason="one more")
NODES = [one.node for one in ROSTER.members]


def item(change: Change = ADDS, approving: tuple[int, ...] = (0, 1, 2), proposer: int = 0) -> ChangeItem:
    record = BUILD.sign(proposer, Kind.CHANGE, change.encode())
    approval = Approval(record.digest()).encode()
    approvals = [BUILD.sign(number, Kind.APPROVAL, approval) for number in approving]
    return ChangeItem(record, tuple(sorted(approvals, key=lambda one: one.author)))


def agenda(ledger: Ledger, *items: Item, change: ChangeItem | None = None) -> Agenda:
    return Agenda.of(ledger.height, ledger.head, ledger.roster.epoch, items, [change] if change else [])


def test_a_change_gives_the_next_roster() -> None:
    after = roster_after(ROSTER, ADDS)
    assert after.epoch == 1
    assert after.nodes == ROSTER.nodes | {member(4).node}
    assert (after.charter.threshold, after.charter.turnout) == (4, 3), "as a moot of five is founded"
    assert after.charter == replace(ROSTER.charter, threshold=4, turnout=3)
    back = roster_after(after, change_of(after, created_ms=8, removed=[member(4).node]))
    assert (back.members, back.charter, back.epoch) == (ROSTER.members, ROSTER.charter, 2)


def test_a_change_is_read_as_it_was_written() -> None:
    everything = change_of(
        ROSTER,
        created_ms=2**64 - 1,
        removed=[NODES[0]],
        added=[member(4), member(5)],
        threshold=5,
        turnout=1,
        reason="ü",
    )
    for change in (ADDS, everything):
        assert Change.decode(change.encode()) == change
    with pytest.raises(EncodingError):
        Change.decode(ADDS.encode() + b"\0")


def test_members_stand_in_one_order() -> None:
    """Else one change would have two names, and its approvals would split."""
    two = change_of(ROSTER, created_ms=7, added=[member(4), member(5)])
    object.__setattr__(two, "added", two.added[::-1])
    with pytest.raises(EncodingError, match="sorted"):
        Change.decode(two.encode())


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        pytest.param({}, "changes nothing", id="nothing"),
        pytest.param({"removed": [b"x" * 32]}, "not in the roster", id="who is not there"),
        pytest.param({"added": [member(1)]}, "in the roster already", id="who is there"),
        pytest.param({"added": [replace(member(4), name="n1")]}, "same name", id="a name that is taken"),
        pytest.param({"added": [replace(member(4), name="")]}, "printable", id="no name"),
        pytest.param({"added": [replace(member(4), node=b"short")]}, "32 bytes", id="no key"),
        pytest.param({"added": [replace(member(4), weight=0)]}, "weight", id="no weight"),
        pytest.param({"added": [member(4)], "threshold": 3}, "must be 4 to 5", id="a quorum that is not safe"),
        pytest.param({"added": [member(4)], "threshold": 6}, "must be 4 to 5", id="a quorum that cannot be"),
        pytest.param({"removed": [NODES[0]], "turnout": 4}, "turnout", id="more answers than members"),
        pytest.param({"removed": NODES}, "nobody stays", id="everybody leaves"),
        pytest.param({"removed": NODES, "added": [member(4)]}, "nobody stays", id="everybody is replaced"),
        pytest.param({"added": [member(4)], "reason": "x" * (REASON_LENGTH_MAX + 1)}, "reason", id="a long reason"),
        pytest.param({"added": [member(4)], "reason": "a\nb"}, "reason", id="a reason of two lines"),
        pytest.param({"added": members(MEMBERS_MAX + 1)[4:]}, f"1 to {MEMBERS_MAX}", id="too many"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(wanted: dict[str, Any], problem: str) -> None:
    with pytest.raises(RosterError, match=problem):
        change_of(ROSTER, created_ms=7, **wanted)


def test_a_change_of_another_epoch_fits_nothing() -> None:
    with pytest.raises(RosterError, match="epoch 0, and this is epoch 1"):
        roster_after(roster_after(ROSTER, ADDS), ADDS)


def test_more_members_than_a_record_holds_come_in_several_changes() -> None:
    long = [replace(member(number), organization="ü" * 64, address="a" * 255) for number in range(4, 60)]
    with pytest.raises(RosterError, match="add them in several"):
        change_of(ROSTER, created_ms=7, added=long)
    assert len(change_of(ROSTER, created_ms=7, added=long[:20]).encode()) <= BODY_SIZE_MAX


def test_enough_approvals_of_members_are_needed() -> None:
    assert check_change(item(), ROSTER, BUILD.verify) == roster_after(ROSTER, ADDS)
    with pytest.raises(ItemError, match="2 members approve; 3 must"):
        check_change(item(approving=(0, 3)), ROSTER, BUILD.verify)


def repeated(good: ChangeItem) -> ChangeItem:
    return replace(good, approvals=good.approvals[:1] * 3)


def of_another(good: ChangeItem) -> ChangeItem:
    approval = BUILD.sign(3, Kind.APPROVAL, Approval(b"c" * 32).encode())
    return replace(good, approvals=(*good.approvals[:2], approval))


def by_a_stranger(good: ChangeItem) -> ChangeItem:
    approval = BUILD.sign(member(9).node, Kind.APPROVAL, good.approvals[0].body)
    return replace(good, approvals=(*good.approvals[:2], approval))


def forged(good: ChangeItem) -> ChangeItem:
    return replace(good, approvals=(*good.approvals[:2], replace(good.approvals[2], signature=b"f" * 64)))


def with_body(body: bytes) -> Callable[[ChangeItem], ChangeItem]:
    def change(good: ChangeItem) -> ChangeItem:
        record = BUILD.sign(0, Kind.CHANGE, body)
        return ChangeItem(
            record, tuple(BUILD.sign(n, Kind.APPROVAL, Approval(record.digest()).encode()) for n in (0, 1, 2))
        )

    return change


UNSAFE = replace(ADDS, charter=replace(ADDS.charter, threshold=3))


@pytest.mark.parametrize(
    ("tamper", "kind"),
    [
        pytest.param(repeated, ItemError, id="one member three times"),
        pytest.param(of_another, ItemError, id="an approval of another change"),
        pytest.param(by_a_stranger, ItemError, id="a stranger's approval"),
        pytest.param(forged, BadSignatureError, id="a forged approval"),
        pytest.param(
            lambda good: replace(good, change=replace(good.change, signature=b"f" * 64)),
            BadSignatureError,
            id="a forged change",
        ),
        pytest.param(
            lambda good: replace(good, change=BUILD.sign(member(9).node, Kind.CHANGE, good.change.body)),
            ItemError,
            id="a stranger's change",
        ),
        pytest.param(with_body(b"junk"), ItemError, id="no change"),
        pytest.param(with_body(replace(ADDS, epoch=1).encode()), ItemError, id="a change of another epoch"),
        pytest.param(with_body(UNSAFE.encode()), ItemError, id="a quorum that is not safe"),
    ],
)
def test_what_no_honest_member_votes_for(tamper: Callable[[ChangeItem], ChangeItem], kind: type[ItemError]) -> None:
    with pytest.raises(ItemError) as raised:
        check_change(tamper(item()), ROSTER, BUILD.verify)
    assert raised.type is kind


RIVAL = change_of(ROSTER, created_ms=9, removed=[NODES[3]])
CANDIDATES = [
    item(change, approving, proposer)
    for change, proposer in ((ADDS, 0), (RIVAL, 1))
    for approving in ((0, 1, 2), (1, 2, 3), (0, 1, 2, 3))
]


@given(st.lists(st.sampled_from(CANDIDATES), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_of_several_changes_all_take_the_same(changes: list[ChangeItem], rng: Any) -> None:
    """In any order, how often ever, and merged in parts: the smallest id with all approvals of it."""
    merged = merge_changes(changes)
    shuffled = [*changes, *changes]
    rng.shuffle(shuffled)
    assert merge_changes(shuffled) == merged
    half = len(changes) // 2
    parts = [one for one in (merge_changes(changes[:half]), merge_changes(changes[half:])) if one]
    assert merge_changes(parts) == merged
    assert merged is not None
    assert merged.id == min(change.id for change in changes)
    approving = {one.author for change in changes if change.id == merged.id for one in change.approvals}
    assert [one.author for one in merged.approvals] == sorted(approving)
    check_change(merged, ROSTER, BUILD.verify)


def test_an_agenda_with_a_change_is_read_as_written() -> None:
    ledger = Ledger(BUILD.genesis)
    question = BUILD.item(BUILD.question(), [(("7", 5),)] * 4)
    for made in (agenda(ledger, change=item()), agenda(ledger, question, change=item())):
        assert Agenda.decode(made.encode()) == made
        assert made.header.count == len(made.items) + 1
        check_agenda(made, ledger, BUILD.verify)
    assert agenda(ledger, change=item()).digest != agenda(ledger, change=item(RIVAL)).digest


def test_an_agenda_has_room_for_one_change_at_its_end() -> None:
    made = agenda(Ledger(BUILD.genesis), BUILD.item(BUILD.question(), []), change=item())
    data, question, change = made.encode(), made.items[0].encode(), item().encode()
    for other in (
        data.replace(question, change, 1).replace(
            (len(question)).to_bytes(4, "big") + change, len(change).to_bytes(4, "big") + change, 1
        ),
        data + len(change).to_bytes(4, "big") + change,
    ):
        with pytest.raises(EncodingError):
            Agenda.decode(other)


@pytest.mark.parametrize("epoch", [1, 2**32 - 1])
def test_an_agenda_is_of_its_slots_epoch(epoch: int) -> None:
    ledger = Ledger(BUILD.genesis)
    made = Agenda.of(0, ledger.head, epoch, [BUILD.item(BUILD.question(), [])])
    with pytest.raises(ItemError, match="epoch"):
        check_agenda(made, ledger, BUILD.verify)
    with pytest.raises(ItemError, match="nothing"):
        check_agenda(Agenda.of(0, ledger.head, 0, []), ledger, BUILD.verify)


def test_the_ledger_knows_who_counted_when() -> None:
    ledger = Ledger(BUILD.genesis)
    new, old = member(4).node, NODES[3]
    ledger.append(agenda(ledger, BUILD.item(BUILD.question(), [])))
    saved = ledger.append(agenda(ledger, change=item()))
    assert saved.epoch == 1
    ledger.append(agenda(ledger, BUILD.item(BUILD.question(nonce=1), [])))
    leaves = change_of(ledger.roster, created_ms=9, removed=[old])
    ledger.append(agenda(ledger, change=item(leaves, (0, 1, 2, 3))))
    assert [ledger.roster_at(slot).epoch for slot in range(6)] == [0, 0, 1, 1, 2, 2]
    assert ledger.roster_at(2**64 - 1) is ledger.roster
    assert ledger.change_slots() == [1, 3]
    assert (ledger.removed_in(old), ledger.removed_in(new), ledger.removed_in(b"x" * 32)) == (3, None, None)
    assert ledger.has_known(old)
    assert not ledger.has_known(b"x" * 32)
    returns = change_of(ledger.roster, created_ms=9, added=[ROSTER.by_node[old]])
    ledger.append(agenda(ledger, change=item(returns, (0, 1, 2, 3))))
    assert ledger.removed_in(old) is None


def test_a_ledger_comes_back_from_its_changes() -> None:
    """What a node derives after a restart must be what it derived before."""
    ledger, kept = Ledger(BUILD.genesis), []
    for change in (ADDS, None):
        change = change or change_of(ledger.roster, created_ms=9, removed=[NODES[0]])
        made = agenda(ledger, change=item(change, (0, 1, 2, 3)))
        ledger.append(made)
        kept.append(made.encode())
    again = Ledger(BUILD.genesis, ledger.height, ledger.head, set())
    for data in kept:
        again.take_change(Agenda.decode(data))
    assert (again.rosters, again.seats, again.change_slots()) == (ledger.rosters, ledger.seats, ledger.change_slots())
    assert again.removed_in(NODES[0]) == ledger.removed_in(NODES[0]) == 1
    assert again.decided == ledger.decided


def test_a_roster_has_the_rules_of_a_genesis() -> None:
    genesis = found(4)
    assert genesis.roster == Roster(0, genesis.members, genesis.charter)
    assert not genesis.roster.problems()
    assert replace(genesis.roster, members=genesis.members[::-1]).problems()
    with pytest.raises(ValueError, match="sorted"):
        Genesis("test", 1, genesis.members[::-1], genesis.charter)
