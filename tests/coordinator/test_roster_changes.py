"""Members come and go by decision, on virtual time: who counts is the same everywhere, in every slot."""

import pytest

from coordinator.effects import Send
from coordinator.events import Approved, Asked
from coordinator.ledger.resolution import Stand
from coordinator.ledger.roster import RosterError
from coordinator.messages import Entries, Records
from coordinator.records import QuestionError
from coordinator.signed import Kind, NodeId
from coordinator.voting import Confirm, Externalize, decode
from tests.coordinator.keys import member
from tests.coordinator.rosters import at_epoch, check_certificate, check_rosters, decide, moot, roster, swap


def test_a_member_is_added_catches_up_and_votes() -> None:
    network = moot(4)
    a, b, c, d = network.ids
    before = decide(network, a, "what is 3 + 4?")
    new = network.add(member(4))
    network.start(new)
    network.run(for_ms=2_000)
    assert network.disks[new].height == 0, "nobody tells a stranger anything"
    network.change(a, swap(network, a, add=[4]), b, c)
    assert network.run(lambda: at_epoch(network, 1), 30_000), "the new member checks the ledger from the genesis on"
    assert roster(network).charter.threshold == 4
    after = decide(network, d, "what is 4 + 3?")
    parts = network.resolution(a, after).parts
    assert {part.stand for part in parts} == {Stand.ANSWERED}
    assert len(parts) == 5
    network.crash(d)
    network.see_each_other()
    asked = network.ask(new, "what is 5 + 2?")
    assert network.run(lambda: network.decided(asked), 60_000), "without its vote four of five cannot decide"
    for question, epoch in ((before, 0), (after, 1), (asked, 1)):
        check_certificate(network, new, question, epoch=epoch)
    network.check_agreement()
    network.check_words()
    check_rosters(network)


def test_a_removed_member_is_told_and_neither_asks_nor_counts() -> None:
    network = moot(5)
    a, b, c, d, e = network.ids
    network.change(a, swap(network, a, remove=[4]), b, c, d)
    assert network.run(lambda: at_epoch(network, 1), 20_000), "who is removed hears of it too"
    asked = network.ask(a, "what is 3 + 4?")
    assert network.run(lambda: network.decided(asked, [a, b, c, d]), 30_000)
    assert e not in {part.member for part in network.resolution(a, asked).parts}
    network.run(for_ms=20_000)
    assert network.disks[e].height == 1, "it may read up to its removal, and no further"
    with pytest.raises(QuestionError, match="not in the moot's roster"):
        network.nodes[e].step(Asked(network.question("what is 1 + 1?")), network.now_ms)
    assert network.nodes[e].assembly.watching
    statements = [decode(one.body) for one in network.sent[e].values() if one.kind is Kind.STATEMENT]
    assert all(statement.slot == 0 for statement in statements)
    network.check_agreement()
    check_rosters(network)


def test_who_was_away_when_it_was_removed_learns_it_when_it_returns() -> None:
    network = moot(5)
    a, b, c, d, e = network.ids
    network.crash(e)
    network.see_each_other()
    decide(network, a, "what is 3 + 4?", [a, b, c, d])
    network.change(a, swap(network, a, remove=[4]), b, c, d)
    assert network.run(lambda: at_epoch(network, 1), 20_000)
    decide(network, a, "what is 4 + 4?", [a, b, c, d])
    network.start(e)
    assert network.run(lambda: at_epoch(network, 1), 30_000)
    network.run(for_ms=20_000)
    assert network.disks[e].height == 2 < network.disks[a].height
    network.check_agreement()


def test_what_a_removed_member_asked_is_dropped() -> None:
    network = moot(5)
    a, b, c, d, e = network.ids
    network.slow_ms = dict.fromkeys(network.ids, 60_000)
    asked, other = (network.ask(node, "what is 3 + 4?", deadline_ms=20_000) for node in (e, a))
    network.run(for_ms=100)
    network.change(a, swap(network, a, remove=[4]), b, c, d)
    assert network.run(lambda: at_epoch(network, 1), 10_000)
    for node in network.ids:
        assert asked not in network.nodes[node].questions.sessions
        assert not any(subject == asked for subject, _ in network.disks[node].records.values())
    assert network.run(lambda: network.decided(other, [a, b, c, d]), 60_000), "the others' questions go on"
    assert len(network.resolution(a, other).parts) == 4


def test_a_question_that_spans_a_change_is_counted_by_the_roster_that_decides_it() -> None:
    """Of who left nothing is counted, although it answered in time; of who came, everything."""
    network = moot(4)
    a, b, c, _d = network.ids
    new = network.add(member(4))
    network.start(new)
    network.slow_ms = {a: 8_000, b: 8_000}
    question = network.ask(a, "what is 3 + 4?", deadline_ms=20_000)
    network.run(for_ms=1_000)
    network.change(a, swap(network, a, add=[4], remove=[3]), b, c)
    assert network.run(lambda: at_epoch(network, 1), 5_000)
    assert network.run(lambda: network.decided(question, [a, b, c, new]), 60_000)
    stands = {part.member: part.stand for part in network.resolution(a, question).parts}
    assert stands == dict.fromkeys((a, b, c, new), Stand.ANSWERED)
    check_certificate(network, new, question, epoch=1)
    network.check_words()
    network.check_agreement()


def test_of_two_rival_changes_exactly_one_wins_and_the_other_is_outdated() -> None:
    network = moot(4)
    a, b, c, _d = network.ids
    first = network.change(a, swap(network, a, add=[4]))
    second = network.change(b, swap(network, b, remove=[3]))
    assert network.run(lambda: {first, second} <= network.nodes[c].changes.open.keys(), 5_000)
    for node, change in ((c, first), (c, second), (b, first), (a, second)):
        network.approve(node, change)
    assert network.run(lambda: at_epoch(network, 1, [a, b, c]), 20_000)
    network.run(for_ms=20_000)
    assert at_epoch(network, 1, [a, b, c]), "the other one is never decided"
    ledger = network.nodes[a].ledger
    [won] = {first, second} & ledger.decided
    [lost] = {first, second} - {won}
    for node in (a, b, c):
        assert not network.nodes[node].changes.open
        with pytest.raises(RosterError, match="outdated"):
            network.nodes[node].step(Approved(lost), network.now_ms)
        with pytest.raises(RosterError, match="decided already"):
            network.nodes[node].step(Approved(won), network.now_ms)
    network.check_agreement()


@pytest.mark.parametrize("count", [2, 3])
def test_the_proof_of_a_removal_is_asked_of_who_was_removed_by_it(count: int) -> None:
    """A quorum of so few needs its statement. It says nothing more once it has the proof, and sits in no roster."""
    network = moot(count)
    left, *stay = reversed(network.ids)

    def lose(sender: NodeId, send: Send) -> list[Send]:
        records = send.message.records if isinstance(send.message, Records) else ()
        last = [one for one in records if one.kind is Kind.STATEMENT and isinstance(decode(one.body), Externalize)]
        return [] if sender == left and (last or isinstance(send.message, Entries)) else [send]

    network.on_send = lose
    network.change(stay[0], swap(network, stay[0], remove=[count - 1]), *stay[1:], left)
    assert network.run(lambda: at_epoch(network, 1), 20_000)
    network.run(for_ms=5_000)
    assert not network.nodes[left].ledger.unproven and network.nodes[stay[0]].ledger.unproven
    network.on_send = lambda _, send: [send]
    assert network.run(lambda: not any(network.nodes[one].ledger.unproven for one in stay), 20_000)
    check_rosters(network)


def test_without_enough_approvals_nothing_changes_and_an_idle_moot_stays_silent() -> None:
    network = moot(4)
    a, b, *_ = network.ids
    network.change(a, swap(network, a, add=[4]), b)
    network.run(for_ms=30_000)
    assert all(not disk.voting and not disk.entries for disk in network.disks.values())


def test_approvals_survive_a_crash_of_everybody() -> None:
    network = moot(4)
    a, b, c, d = network.ids
    change = network.change(a, swap(network, a, remove=[3]), b)
    assert network.run(lambda: all(len(network.nodes[one].changes.open[change].approvals) == 2 for one in (a, b, c, d)))
    for node in network.ids:
        network.crash(node)
    network.start()
    network.run(for_ms=3_000)
    network.approve(c, change)
    assert network.run(lambda: at_epoch(network, 1), 20_000)


def test_a_member_that_was_away_during_two_changes_catches_up() -> None:
    network = moot(5)
    a, b, c, d, e = network.ids
    network.crash(e)
    f, g = network.add(member(5)), network.add(member(6))
    network.start(f, g)
    network.change(a, swap(network, a, add=[5]), b, c, d)
    assert network.run(lambda: at_epoch(network, 1, [a, b, c, d, f]), 30_000)
    decide(network, f, "what is 3 + 4?", [a, b, c, d, f])
    network.change(f, swap(network, f, add=[6]), a, b, c, d)
    assert network.run(lambda: at_epoch(network, 2, [a, b, c, d, f, g]), 30_000)
    network.start(e)
    last = decide(network, g, "what is 4 + 4?")
    assert at_epoch(network, 2)
    check_certificate(network, e, last, epoch=2)
    network.check_agreement()
    check_rosters(network)


def test_statements_of_who_left_never_count() -> None:
    """A removed member that goes on voting, with valid signatures, moves nothing in the slots after."""
    network = moot(5)
    a, b, c, d, e = network.ids
    network.change(a, swap(network, a, remove=[4]), b, c, d)
    assert network.run(lambda: at_epoch(network, 1), 20_000)
    network.crash(d)
    network.crash(c)
    network.see_each_other()
    question = network.ask(a, "what is 3 + 4?")
    signer, heard = network.signer(e), []

    def echo(sender: NodeId, send: Send) -> list[Send]:
        """Whatever a member says, the removed one says too."""
        if isinstance(send.message, Records):
            for record in send.message.records:
                if record.kind in (Kind.STATEMENT, Kind.PREFERENCE) and record.author in (a, b):
                    body = record.body.replace(record.author, e)
                    heard.append(signer.sign(record.kind, body))
            return [send, Send(send.to, Records(tuple(heard[-100:])))]
        return [send]

    network.on_send = echo
    network.run(for_ms=30_000)
    assert heard
    assert question not in network.nodes[a].ledger.decided, "two of four are no quorum, and who left adds nothing"
    network.start(c)
    assert network.run(lambda: network.decided(question, [a, b, c]), 60_000)
    check_rosters(network)


def test_who_was_just_removed_helps_to_prove_it() -> None:
    """Of two members both must have said it: if the one that stays no longer spoke with the other, nobody could."""
    network = moot(2)
    stays, leaves = network.ids

    def unheard(sender: NodeId, send: Send) -> list[Send]:
        said = send.message.records if isinstance(send.message, Records) else ()
        late = [
            one for one in said if one.kind is Kind.STATEMENT and isinstance(decode(one.body), Confirm | Externalize)
        ]
        return [] if sender == stays and late else [send]

    network.on_send = unheard
    network.change(stays, swap(network, stays, remove=[1]), leaves)
    assert network.run(lambda: network.nodes[stays].ledger.height == 1, 20_000)
    assert network.nodes[leaves].ledger.height == 0 and 0 in network.nodes[stays].ledger.unproven
    network.crash(leaves)
    network.on_send = lambda _, send: [send]
    network.start(leaves)
    assert network.run(lambda: not network.nodes[stays].ledger.unproven, 30_000)
    check_rosters(network)
