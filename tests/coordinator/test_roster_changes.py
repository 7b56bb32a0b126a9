"""Members come and go by decision, on virtual time: who counts is the same everywhere, in every slot."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

import pytest

from coordinator.effects import Generate, Send
from coordinator.events import Approved, Asked
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.certificate import certificate_of, verify
from coordinator.ledger.change import Change, change_of
from coordinator.ledger.resolution import Stand
from coordinator.ledger.roster import Roster, RosterError
<<<<<<< HEAD
from coordinator.messages import Records
from coordinator.records import Cost, Preference, QuestionError
from coordinator.signed import Digest, Kind, NodeId, Signed
from coordinator.voting import Nominate, decode, encode
=======
from coordinator.messages import Entries, Records
from coordinator.records import QuestionError
from coordinator.signed import Digest, Kind, NodeId
from coordinator.voting import Externalize, decode
>>>>>>> main
from tests.coordinator.keys import FakeVerifier, found, member
from tests.coordinator.network import Network, seven


def moot(count: int, seed: int = 0) -> Network:
    network = Network(found(count), seven, seed)
    network.start()
    network.run(for_ms=3_000)
    return network


def roster(network: Network, node: NodeId | None = None) -> Roster:
    return network.nodes[network.ids[0] if node is None else node].ledger.roster


def swap(network: Network, at: NodeId, *, add: Sequence[int] = (), remove: Sequence[int] = ()) -> Change:
    """A change of the roster as this member knows it; members by their numbers."""
    return change_of(
        roster(network, at),
        created_ms=network.now_ms,
        added=[member(number) for number in add],
        removed=[member(number).node for number in remove],
    )


def at_epoch(network: Network, epoch: int, nodes: Sequence[NodeId] | None = None) -> bool:
    """By default all nodes that are up; one that is down is at none."""
    cores = [network.nodes.get(one) for one in nodes or list(network.nodes)]
    return all(core is not None and core.ledger.roster.epoch == epoch for core in cores)


def decide(network: Network, at: NodeId, text: str, nodes: Sequence[NodeId] | None = None) -> Digest:
    question = network.ask(at, text)
    assert network.run(lambda: network.decided(question, nodes), 60_000), text
    return question


def check_certificate(network: Network, node: NodeId, question: Digest, *, epoch: int) -> None:
    """It verifies with nothing but the genesis, by the roster of its slot."""
    slot = network.ended[node][question]
    assert slot is not None
    entry, ledger = network.entry(node, slot), network.nodes[node].ledger
    changes = [network.entry(node, changed) for changed in ledger.change_slots()[:epoch]]
    data = certificate_of(Agenda.decode(entry.agenda), question, entry.statements, network.genesis, changes)
    verified = verify(data, network.genesis, FakeVerifier(network.genesis.moot_id).verify)
    assert verified.roster == ledger.roster_at(slot)
    assert verified.roster.epoch == epoch


def check_rosters(network: Network) -> None:
    """In every slot the statements that prove it are of members of its roster, who name its quorum set."""
    for node in network.nodes:
        ledger = network.nodes[node].ledger
        for slot, (_, statements) in enumerate(network.disks[node].entries):
            for record in statements:
                assert record.author in ledger.roster_at(slot).nodes
                assert decode(record.body).quorum_set == ledger.roster_at(slot).quorum_set_digest
    for one, other in combinations(network.nodes.values(), 2):
        for mine, theirs in zip(one.ledger.rosters, other.ledger.rosters, strict=False):
            assert mine == theirs, "two nodes know different rosters of one epoch"


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


@pytest.mark.parametrize("seed", range(12))
def test_three_members_are_swapped_one_after_another_under_loss_crashes_and_a_liar(seed: int) -> None:
    """Agreement at every step; liveness once healed; every decision proven by the roster of its slot."""

    def varied(node: NodeId, request: Generate) -> tuple[str, ...]:
        return tuple(str(network.rng.choice([7, 7, 8])) for _ in range(request.samples))

    network = Network(found(4), varied, seed, delay_ms=(1, 100))
    network.start()
    network.run(for_ms=3_000)
    network.loss = network.rng.choice([0.0, 0.1, 0.25])
    if seed % 2:
        network.on_send = two_faced(network)
    for step in range(3):
        swap_one(network, step)
    network.loss = 0.0
    sitting = [member(number).node for number in range(3, 7)]
    last = decide(network, sitting[-1], "what is 5 + 4?", sitting)
    check_certificate(network, sitting[-1], last, epoch=3)
    network.check_agreement(member(0).node)
    network.check_words(member(0).node)
    check_rosters(network)


def two_faced(network: Network) -> Callable[[NodeId, Send], list[Send]]:
    """The first member, until it is replaced, tells every second one of a nomination that nobody else hears of, and
    prefers otherwise."""
    liar = member(0).node

    def lie(sender: NodeId, send: Send) -> list[Send]:
        if sender != liar or not isinstance(send.message, Records) or network.ids.index(send.to) % 2:
            return [send]
        return [Send(send.to, Records(tuple(other(record) for record in send.message.records)))]

    def other(record: Signed) -> Signed:
        if record.author != liar:
            return record
        if record.kind is Kind.PREFERENCE:
            about = Preference.decode(record.body).question
            return network.signer(liar).sign(Kind.PREFERENCE, Preference(about, (("9", 5),), Cost()).encode())
        said = decode(record.body) if record.kind is Kind.STATEMENT else None
        if not isinstance(said, Nominate):
            return record
        return network.signer(liar).sign(Kind.STATEMENT, encode(replace(said, votes=(b"x" * 32,), accepted=())))

    return lie


def swap_one(network: Network, step: int) -> None:
    """In place of the oldest member a new one, while members die and return and a question is open."""
    stay = [member(number).node for number in range(step + 1, step + 4)]
    new = network.add(member(4 + step))
    network.start(new)
    proposer = network.rng.choice(stay)
    change = swap(network, proposer, add=[4 + step], remove=[step])
    network.change(proposer, change, *[one for one in stay if one != proposer])
    network.crash_chance = 0.005
    network._step(stay[0], Asked(network.question(f"what is {step} + 4?")))
    network.run(lambda: at_epoch(network, step + 1, [*stay, new]), 60_000)
    network.crash_chance = 0.0
    assert network.run(lambda: at_epoch(network, step + 1, [*stay, new]), 120_000), f"epoch {step + 1} never began"
    network.check_agreement(member(0).node)
