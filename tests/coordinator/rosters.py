"""What tests of changing rosters do with a moot on virtual time, and what must hold in all of them."""

from collections.abc import Sequence
from itertools import combinations

from coordinator.ledger.agenda import Agenda
from coordinator.ledger.certificate import certificate_of, verify
from coordinator.ledger.change import Change, change_of
from coordinator.ledger.roster import Roster
from coordinator.signed import Digest, NodeId
from coordinator.voting import decode
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
