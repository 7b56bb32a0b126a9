"""A certificate after changes of the roster: a chain from the genesis to who counted; every link is checked."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from coordinator.encoding import decode as read_all
from coordinator.ledger.agenda import Agenda, ChangeItem, Header
from coordinator.ledger.certificate import certificate_of, verify
from coordinator.ledger.change import change_of
from coordinator.ledger.proof import CertificateError, Fault
from coordinator.signed import Digest, Kind, NodeId
from coordinator.voting import Ballot, Externalize, encode
from tests.coordinator.keys import FakeVerifier, found, member
from tests.coordinator.network import Network, seven

Document = dict[str, Any]


@cache
def decided() -> tuple[Network, dict[int, bytes]]:
    """A moot of four that became five and four again, and the certificate of a question in each epoch."""
    network = Network(found(4), seven, seed=3)
    network.start()
    a, b, c, _ = network.ids
    new = network.add(member(4))
    network.start(new)
    certificates = {}
    for epoch in range(3):
        question = network.ask(b, f"what is {epoch} + 4?")
        sitting = [node for node in network.nodes[a].ledger.roster.nodes if node in network.nodes]
        assert network.run(lambda: network.decided(question, sitting))  # noqa: B023 - called at once
        certificates[epoch] = exported(network, a, question)
        if epoch < 2:
            wanted: dict[str, Any] = {"added": [member(4)]} if epoch == 0 else {"removed": [network.ids[3]]}
            roster = network.nodes[a].ledger.roster
            network.change(a, change_of(roster, created_ms=network.now_ms, **wanted), b, c, *([new] if epoch else []))
            assert network.run(lambda: network.nodes[new].ledger.roster.epoch == epoch + 1)  # noqa: B023
            assert network.run(lambda: network.nodes[a].ledger.roster.epoch == epoch + 1)  # noqa: B023
    return network, certificates


def exported(network: Network, node: NodeId, question: Digest) -> bytes:
    slot = network.ended[node][question]
    assert slot is not None
    entry, ledger = network.entry(node, slot), network.nodes[node].ledger
    agenda = Agenda.decode(entry.agenda)
    changes = [network.entry(node, changed) for changed in ledger.change_slots()[: agenda.header.epoch]]
    return certificate_of(agenda, question, entry.statements, network.genesis, changes)


def check(data: bytes) -> int:
    """The epoch of what was proven."""
    genesis = decided()[0].genesis
    return verify(data, genesis, FakeVerifier(genesis.moot_id).verify).roster.epoch


def parsed(epoch: int = 2) -> Document:
    document: Document = json.loads(decided()[1][epoch])
    return document


def spelled(document: Document) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_the_file_and_the_genesis_are_enough(epoch: int) -> None:
    data = decided()[1][epoch]
    assert check(data) == epoch
    assert spelled(parsed(epoch)) == data
    assert len(parsed(epoch).get("changes", [])) == epoch
    assert len(parsed(epoch)["summary"]["members"]) == (4, 5, 4)[epoch], "who counted in that slot"


def test_what_the_first_roster_decided_is_spelled_as_ever() -> None:
    """Files that were written before rosters could change verify, and are written alike now."""
    document = parsed(0)
    assert document["format"] == "moot-certificate-v1"
    assert list(document) == ["format", "moot", "summary", "agenda", "item", "index", "path", "statements"]


@pytest.mark.parametrize("bit", [0, 5])
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    data = decided()[1][2]
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << bit
        try:
            check(bytes(changed))
        except CertificateError:
            continue
        pytest.fail(f"byte {place} was changed and not noticed: {bytes(changed)[place - 20 : place + 20]!r}")


def link(number: int, change: Callable[[Document], object]) -> Callable[[Document], object]:
    return lambda document: change(document["changes"][number])


def to_a_quorum(size: int) -> Callable[[Document], object]:
    return lambda document: document["statements"].__delitem__(slice(size, None))


def fewer_approvals(document: Document) -> None:
    """Re-signed by those who decided it, as if they had agreed to a change that too few approve."""
    item = ChangeItem.decode(bytes.fromhex(document["item"]))
    decide_anew(document, replace(item, approvals=item.approvals[:2]))


def forged_approval(document: Document) -> None:
    item = ChangeItem.decode(bytes.fromhex(document["item"]))
    decide_anew(
        document, replace(item, approvals=(replace(item.approvals[0], signature=b"f" * 64), *item.approvals[1:]))
    )


def decide_anew(document: Document, item: ChangeItem) -> None:
    """Let the first roster decide an agenda of this change alone."""
    network = decided()[0]
    header = read_all(bytes.fromhex(document["agenda"]), Header.read)
    agenda = Agenda.of(header.slot, header.previous, 0, [], [item])
    said = [
        network.signer(node).sign(
            Kind.STATEMENT,
            encode(
                Externalize(node, header.slot, network.genesis.roster.quorum_set_digest, Ballot(1, agenda.digest), 1)
            ),
        )
        for node in sorted(network.genesis.roster.nodes)
    ]
    entries = [{"author": one.author.hex(), "body": one.body.hex(), "signature": one.signature.hex()} for one in said]
    document.update(agenda=agenda.header.encode().hex(), item=item.encode().hex(), index=0, path=[], statements=entries)


def without_changes(document: Document) -> None:
    document["changes"].clear()


def as_first_format(document: Document) -> None:
    del document["changes"]
    document["format"] = "moot-certificate-v1"


def empty_changes(document: Document) -> None:
    """What the first roster decided, spelled as if it had changed."""
    document.update(parsed(0))
    document["format"], document["changes"] = "moot-certificate-v2", []


def decided_before(document: Document) -> None:
    """A question of epoch 0 behind the changes that came after it."""
    changes = document["changes"]
    document.clear()
    document.update(parsed(0))
    document["format"], document["changes"] = "moot-certificate-v2", changes


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param(lambda d: d["changes"].pop(), Fault.NO_QUORUM, id="the last change is missing"),
        pytest.param(lambda d: d["changes"].pop(0), Fault.NO_QUORUM, id="the first change is missing"),
        pytest.param(lambda d: d["changes"].reverse(), Fault.NO_QUORUM, id="changes in another order"),
        pytest.param(lambda d: d["changes"].append(d["changes"][-1]), Fault.NO_QUORUM, id="a change twice"),
        pytest.param(without_changes, Fault.MALFORMED, id="no change"),
        pytest.param(as_first_format, Fault.NO_QUORUM, id="as if by the first roster"),
        pytest.param(empty_changes, Fault.MALFORMED, id="a second spelling"),
        pytest.param(decided_before, Fault.NO_QUORUM, id="a decision of an earlier roster"),
        pytest.param(link(0, to_a_quorum(2)), Fault.NO_QUORUM, id="a change by too few"),
        pytest.param(link(1, to_a_quorum(3)), Fault.NO_QUORUM, id="a quorum of the roster before"),
        pytest.param(link(0, fewer_approvals), Fault.ITEM, id="a change that too few approve"),
        pytest.param(link(0, forged_approval), Fault.BAD_SIGNATURE, id="a forged approval"),
        pytest.param(link(0, lambda d: d.update(index=d["index"] + 1)), Fault.PATH, id="another place"),
        pytest.param(
            link(0, lambda d: d.update(item=parsed(0)["item"])), Fault.MALFORMED, id="a question for a change"
        ),
        pytest.param(lambda d: d.update(item=d["changes"][0]["item"]), Fault.MALFORMED, id="a change for a question"),
        pytest.param(link(0, lambda d: d.update(extra=1)), Fault.MALFORMED, id="more in a change"),
        pytest.param(link(0, lambda d: d.pop("path")), Fault.MALFORMED, id="less in a change"),
        pytest.param(lambda d: d["changes"].__setitem__(0, 7), Fault.MALFORMED, id="a number for a change"),
        pytest.param(lambda d: d.update(changes={}), Fault.MALFORMED, id="an object for the changes"),
    ],
)
def test_consistent_changes_are_named(change: Callable[[Document], object], fault: Fault) -> None:
    document = parsed()
    change(document)
    with pytest.raises(CertificateError) as raised:
        check(spelled(document))
    assert raised.value.fault is fault, raised.value


def test_a_quorum_of_each_roster_is_enough() -> None:
    document = parsed()
    link(0, to_a_quorum(3))(document)
    link(1, to_a_quorum(4))(document)
    to_a_quorum(3)(document)
    assert check(spelled(document)) == 2
