"""Open changes at one member: what it keeps, what it passes on, and how much of it one proposer can fill."""

from dataclasses import replace

import pytest

from coordinator.effects import ForgetRecords, SaveRecord
from coordinator.events import Approved, Proposed
from coordinator.ledger.agenda import Agenda, ChangeItem
from coordinator.ledger.change import Approval, Change, change_of
from coordinator.ledger.ledger import Ledger
from coordinator.ledger.roster import RosterError
from coordinator.messages import Records
from coordinator.open_changes import PER_PROPOSER_MAX, OpenChanges
from coordinator.restored import Restored
from coordinator.signed import Digest, Kind, NodeId, Signed
from tests.coordinator.keys import FakeSigner, member
from tests.coordinator.ledger.build import Build
from tests.coordinator.solo import Solo, notes, sends, sent_records

BUILD = Build(4)
ROSTER = BUILD.genesis.roster


def change(number: int = 0, created_ms: int = 7) -> Change:
    return change_of(ROSTER, created_ms=created_ms, added=[member(10 + number)])


def signed(by: int, about: Change) -> Signed:
    return BUILD.sign(by, Kind.CHANGE, about.encode())


def approval(by: int | NodeId, about: Digest) -> Signed:
    return BUILD.sign(by, Kind.APPROVAL, Approval(about).encode())


def test_proposing_is_approving() -> None:
    solo = Solo(BUILD)
    effects = solo.step(Proposed(change()))
    [saved, agreed] = [effect.record for effect in effects if isinstance(effect, SaveRecord)]
    assert (saved.kind, agreed.kind) == (Kind.CHANGE, Kind.APPROVAL)
    for other in solo.others:
        assert sent_records(effects, other) == [saved, agreed]
    assert solo.step(Approved(saved.digest())) == [], "once is enough"


def test_a_change_is_passed_on_once() -> None:
    solo, record = Solo(BUILD), signed(1, change())
    effects = solo.hear_records(BUILD.ids[2], record)
    assert sends(effects, BUILD.ids[3]) == [Records((record,))]
    assert not sends(effects, BUILD.ids[1])
    assert not sends(effects, BUILD.ids[2])
    assert solo.hear_records(BUILD.ids[3], record) == []


def test_nobody_else_approves_for_this_member() -> None:
    """A change that all others want is theirs to decide; a model or a message never approves it here."""
    solo, record = Solo(BUILD), signed(1, change())
    effects = solo.hear_records(BUILD.ids[1], record, *(approval(number, record.digest()) for number in (1, 2)))
    effects += solo.wait(20_000)
    assert not [one for one in sent_records(effects) if one.kind is Kind.APPROVAL and one.author == solo.node]
    assert solo.core.changes.ready() is None
    effects = solo.step(Approved(record.digest()))
    assert next(one.kind for one in sent_records(effects, solo.others[0])) is Kind.APPROVAL
    assert solo.core.changes.ready() is not None


def test_of_one_proposer_the_newest_are_kept() -> None:
    """Whatever order they come in, so that all members keep the same."""
    count = PER_PROPOSER_MAX + 3
    records = [signed(1, change(number, created_ms=100 + number)) for number in range(count)]
    expected = {record.digest() for record in records[-PER_PROPOSER_MAX:]}
    for order in (records, records[::-1], [*records[3:], *records[:3]]):
        solo = Solo(BUILD)
        solo.hear_records(BUILD.ids[2], signed(2, change(created_ms=1)))
        effects = solo.hear_records(BUILD.ids[1], *order)
        assert expected < solo.core.changes.open.keys(), "another proposer's is not driven out"
        assert len(solo.core.changes.open) == PER_PROPOSER_MAX + 1
        saved = {one.question for one in effects if isinstance(one, SaveRecord)}
        forgotten = {name for one in effects if isinstance(one, ForgetRecords) for name in one.subjects}
        assert saved - forgotten == expected


@pytest.mark.parametrize(
    ("record", "said"),
    [
        pytest.param(BUILD.sign(1, Kind.CHANGE, b"junk"), ["change.refused"], id="no change"),
        pytest.param(BUILD.sign(1, Kind.APPROVAL, b"junk"), ["record.refused"], id="no approval"),
        pytest.param(signed(1, replace(change(), epoch=3)), [], id="of an epoch to come: it comes again"),
        pytest.param(
            signed(1, replace(change(), charter=ROSTER.charter)), ["change.refused"], id="a quorum that is not safe"
        ),
        pytest.param(BUILD.sign(member(9).node, Kind.CHANGE, change().encode()), ["record.refused"], id="a stranger's"),
        pytest.param(replace(signed(1, change()), signature=b"f" * 64), ["record.refused"], id="forged"),
        pytest.param(approval(1, b"c" * 32), [], id="an approval of what is not here: it is fetched again"),
    ],
)
def test_what_is_not_kept(record: Signed, said: list[str]) -> None:
    solo = Solo(BUILD)
    effects = solo.hear_records(BUILD.ids[1], record)
    assert notes(effects) == said
    assert not solo.core.changes.open
    assert not [effect for effect in effects if isinstance(effect, SaveRecord)]


def test_what_the_disk_held_is_there_again() -> None:
    record = signed(1, change())
    agreed = [approval(number, record.digest()) for number in (1, 2)]
    solo = Solo(BUILD, Restored(records=(*agreed, record)))
    assert solo.core.changes.open.keys() == {record.digest()}
    assert len(solo.core.changes.open[record.digest()].approvals) == 2


def test_what_cannot_be_proposed_or_approved_says_why() -> None:
    solo = Solo(BUILD)
    with pytest.raises(RosterError, match="changes nothing"):
        solo.step(Proposed(Change(0, (), (), ROSTER.charter, "", 7)))
    with pytest.raises(RosterError, match="no open change"):
        solo.step(Approved(b"c" * 32))
    assert not solo.core.changes.open


def test_a_change_of_the_new_roster_outlives_the_one_before() -> None:
    """It may come in the same step as what decides the change before it, and people must be able to approve it."""
    ledger = Ledger(BUILD.genesis)
    changes = OpenChanges(FakeSigner(BUILD.ids[0], BUILD.genesis.moot_id), ledger)
    first, rival = signed(1, change()), signed(2, change(1))
    for record in (first, rival):
        changes.change(record, None)
    agreed = tuple(approval(number, first.digest()) for number in range(4))
    ledger.append(Agenda.of(0, ledger.head, 0, [], [ChangeItem(first, agreed)]))
    next_one = change_of(ledger.roster, created_ms=8, added=[member(12)])
    changes.change(signed(1, next_one), None)
    effects = changes.take_roster()
    assert effects[0] == ForgetRecords(tuple(sorted((first.digest(), rival.digest()))))
    assert [known.change for known in changes.open.values()] == [next_one]
    assert changes.outdated == {rival.digest(): 0}
    assert changes.approve(signed(1, next_one).digest())
