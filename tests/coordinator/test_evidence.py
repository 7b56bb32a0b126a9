"""A member that contradicts itself is found out: kept, spread, put on the ledger, and never more than that."""

import pytest

from coordinator.effects import SaveRecord, Send
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.change import change_of
from coordinator.ledger.ledger import PER_ACCUSED_MAX
from coordinator.messages import Records, Status
from coordinator.signed import Kind, NodeId, Signed
from coordinator.voting import Nominate, decode, encode
from tests.coordinator.keys import found
from tests.coordinator.ledger.build import Build
from tests.coordinator.network import Network, seven
from tests.coordinator.solo import Solo, notes, sends

BUILD = Build(4)


def nominate(by: int, value: bytes, slot: int = 0) -> Signed:
    body = encode(Nominate(BUILD.ids[by], slot, BUILD.genesis.roster.quorum_set_digest, (value * 32,), ()))
    return BUILD.sign(by, Kind.STATEMENT, body)


def pair(by: int = 3, slot: int = 0) -> Records:
    return Records((nominate(by, b"a", slot), nominate(by, b"b", slot)))


def test_whoever_relays_it_evidence_is_kept_and_spread_once() -> None:
    solo = Solo(BUILD)
    effects = solo.hear(BUILD.ids[1], pair())
    assert notes(effects) == ["evidence.found"]
    assert solo.core.evidence.against(BUILD.ids[3]) == [0]
    for other in solo.others:
        [told] = [one for one in sends(effects, other) if isinstance(one, Records)]
        assert set(told.records) == set(pair().records)
    assert not [one for one in sends(solo.hear(BUILD.ids[2], pair())) if isinstance(one, Records)]


def test_who_lacks_it_gets_it_with_the_next_exchange() -> None:
    solo = Solo(BUILD)
    solo.hear(BUILD.ids[1], pair())
    solo.wait(20_000)
    shown = [one for one in sends(solo.wait(20_000)) if isinstance(one, Status)]
    digests = {record.digest() for record in pair().records}
    assert digests <= set(shown[-1].have)
    pushed = [one for one in sends(solo.hear(BUILD.ids[2], Status(0, ()))) if isinstance(one, Records)]
    assert digests <= {record.digest() for one in pushed for record in one.records}


@pytest.mark.parametrize(
    "records",
    [
        pytest.param(pair(slot=5), id="of a slot to come"),
        pytest.param(Records((nominate(3, b"a"), nominate(2, b"b"))), id="by two members"),
        pytest.param(
            Records((nominate(3, b"a"), Signed(Kind.STATEMENT, BUILD.ids[3], nominate(3, b"b").body, b"f" * 64))),
            id="forged",
        ),
    ],
)
def test_what_is_no_evidence_is_not_kept(records: Records) -> None:
    solo = Solo(BUILD)
    effects = solo.hear(BUILD.ids[1], records)
    assert "evidence.found" not in notes(effects)
    assert not solo.core.evidence.open


def test_of_several_contradictions_in_a_slot_the_first_is_enough() -> None:
    """A liar that goes on lying must not make others write and send for ever."""
    solo = Solo(BUILD)
    solo.hear(BUILD.ids[1], pair())
    effects = solo.hear(BUILD.ids[1], Records((nominate(3, b"0"), nominate(3, b"1"), nominate(3, b"2"))))
    assert not [effect for effect in effects if isinstance(effect, SaveRecord)]
    assert not [one for one in sends(effects) if isinstance(one, Records)]
    assert set(solo.core.evidence.held()) == set(pair().records)


def two_faced(network: Network, liar: NodeId) -> None:
    """From now on it tells one member, beside each nomination, of another one that does not follow it."""

    def both(sender: NodeId, send: Send) -> list[Send]:
        if sender != liar or send.to != network.ids[1] or not isinstance(send.message, Records):
            return [send]
        words = [word for record in send.message.records for word in other_words(network, liar, record)]
        return [send, *(Send(send.to, Records((word,))) for word in words)]

    network.on_send = both


def other_words(network: Network, liar: NodeId, record: Signed) -> list[Signed]:
    said = decode(record.body) if record.kind is Kind.STATEMENT and record.author == liar else None
    if not isinstance(said, Nominate):
        return []
    other = Nominate(liar, said.slot, said.quorum_set, (b"x" * 32,), ())
    return [network.signer(liar).sign(Kind.STATEMENT, encode(other))]


def accused(network: Network, node: NodeId, liar: NodeId) -> set[int]:
    return network.nodes[node].ledger.accused.get(liar, set())


def decide(network: Network, number: int) -> None:
    question = network.ask(network.ids[0], f"what is {number} + 4?")
    honest = network.ids[:4]
    assert network.run(lambda: network.decided(question, honest), 60_000)
    network.run(for_ms=3_000)


def test_who_tells_members_different_things_stands_on_the_ledger() -> None:
    network = Network(found(5), seven, seed=2)
    network.start()
    network.run(for_ms=3_000)
    liar, honest = network.ids[4], network.ids[:4]
    two_faced(network, liar)
    decide(network, 0)
    assert all(network.nodes[node].evidence.against(liar) for node in honest), "everybody knows, whomever it told"
    heights = [network.disks[node].height for node in honest]
    network.run(for_ms=30_000)
    assert [network.disks[node].height for node in honest] == heights, "a lie makes nobody vote"
    for number in range(1, 12):
        decide(network, number)
    network.check_agreement(liar)
    first = accused(network, honest[0], liar)
    assert 0 < len(first) <= PER_ACCUSED_MAX
    assert all(accused(network, node, liar) == first for node in honest)
    assert len(first) < PER_ACCUSED_MAX or not any(network.nodes[node].evidence.open for node in honest)
    assert all(accused(network, node, other) == set() for node in honest for other in honest)
    for node in honest:
        network.crash(node)
    network.start()
    network.run(for_ms=3_000)
    assert all(accused(network, node, liar) == first for node in honest), "it is said for ever"
    agendas = [Agenda.decode(data) for data, _ in network.disks[honest[0]].entries]
    assert sum(len(agenda.evidence) for agenda in agendas) == len(first)


def test_evidence_outlives_its_subjects_removal_and_changes_no_quorum() -> None:
    network = Network(found(5), seven, seed=2)
    network.start()
    network.run(for_ms=3_000)
    liar, honest = network.ids[4], network.ids[:4]
    two_faced(network, liar)
    decide(network, 0)
    roster = network.nodes[honest[0]].ledger.roster
    assert roster == network.genesis.roster, "only a decision removes it"
    change = change_of(roster, created_ms=network.now_ms, removed=[liar], reason="it lies")
    network.change(honest[0], change, *honest[1:])
    assert network.run(lambda: all(network.nodes[node].ledger.roster.epoch == 1 for node in honest), 30_000)
    decide(network, 1)
    assert all(accused(network, node, liar) for node in honest)
    newcomer = network.disks[honest[3]]
    network.crash(honest[3])
    network.disks[honest[3]] = type(newcomer)()
    network.start(honest[3])
    assert network.run(lambda: network.nodes[honest[3]].ledger.height == network.nodes[honest[0]].ledger.height, 30_000)
    assert accused(network, honest[3], liar) == accused(network, honest[0], liar), "who catches up checks it too"
