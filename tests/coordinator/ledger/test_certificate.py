"""A certificate from a moot that decided: every change is noticed, and named for what it is."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from coordinator.encoding import decode as read_all
from coordinator.ledger.agenda import Agenda, Header
from coordinator.ledger.certificate import SIZE_MAX, certificate_of, verify
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.proof import CertificateError, Fault
from coordinator.signed import Digest, Kind, Signed
from coordinator.voting import Ballot, Confirm, Externalize, decode, encode
from tests.coordinator.keys import FakeSigner, FakeVerifier, found
from tests.coordinator.network import Network, seven

Document = dict[str, Any]


@cache
def decided() -> tuple[Network, Digest, bytes]:
    """A moot of four that decided several questions in one slot, and the certificate of one of them."""
    network = Network(found(4), seven, seed=5)
    network.start()
    network.run(for_ms=2_000)
    asked = [network.ask(network.ids[0], f"what is {number} + 4?") for number in range(8)]
    assert network.run(lambda: all(network.decided(one) for one in asked))
    entries = [network.entry(network.ids[0], slot) for slot in range(network.disks[network.ids[0]].height)]
    entry = max(entries, key=lambda entry: len(entry.agenda))
    agenda = Agenda.decode(entry.agenda)
    assert len(agenda.items) > 2, "a path is needed"
    question = agenda.items[1].id
    return network, question, certificate_of(agenda, question, entry.statements, network.genesis)


def check(data: bytes, genesis: Genesis | None = None) -> None:
    genesis = genesis or decided()[0].genesis
    verify(data, genesis, FakeVerifier(genesis.moot_id).verify)


def spelled(document: Document) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def parsed() -> Document:
    document: Document = json.loads(decided()[2])
    return document


def test_what_it_proves() -> None:
    network, question, data = decided()
    verified = verify(data, network.genesis, FakeVerifier(network.genesis.moot_id).verify)
    assert verified.resolution.id == question
    assert verified.resolution.outcome is not None and verified.resolution.outcome.answer == "7"
    assert len(verified.signers) >= 3 and list(verified.signers) == sorted(verified.signers)
    assert spelled(parsed()) == data, "the tests below spell as certificates are spelled"


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    """At every byte, so that nothing in the file can lie, not even what only people read."""
    data = decided()[2]
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << bit
        try:
            check(bytes(changed))
        except CertificateError:
            continue
        pytest.fail(f"byte {place} was changed and not noticed: {bytes(changed)[place - 20 : place + 20]!r}")


@pytest.mark.parametrize("step", [1, 7, 50])
def test_what_is_cut_short_or_longer_is_noticed(step: int) -> None:
    data = decided()[2]
    for changed in (data[:-step], data[step:], data + b" " * step, b" " * step + data, data + data):
        with pytest.raises(CertificateError) as raised:
            check(changed)
        assert raised.value.fault is Fault.MALFORMED


def statements(document: Document) -> Iterator[tuple[Document, Externalize]]:
    for entry in document["statements"]:
        statement = decode(bytes.fromhex(entry["body"]))
        assert isinstance(statement, Externalize)
        yield entry, statement


def sign(document: Document, index: int, **changes: Any) -> None:
    """Let a member sign another statement than it did."""
    entry, statement = list(statements(document))[index]
    author = bytes.fromhex(entry["author"])
    body = encode(replace(statement, **changes))
    entry.update(body=body.hex(), signature=signature(author, body).hex())


def signature(author: bytes, body: bytes) -> bytes:
    return FakeSigner(author, decided()[0].genesis.moot_id).sign(Kind.STATEMENT, body).signature


def to_a_quorum(document: Document) -> Document:
    del document["statements"][3:]
    return document


def foreign(document: Document) -> None:
    stranger = b"\xff" * 32
    _, statement = next(statements(document))
    body = encode(replace(statement, node=stranger))
    entry = {"author": stranger.hex(), "body": body.hex(), "signature": signature(stranger, body).hex()}
    document["statements"].append(entry)


def confirm(document: Document) -> None:
    entry, said = next(statements(document))
    body = encode(Confirm(said.node, said.slot, said.quorum_set, said.commit, 1, 1, 1))
    entry.update(body=body.hex(), signature=signature(said.node, body).hex())


def another_item(document: Document) -> None:
    """A question that was decided in the same slot, with this one's place."""
    network, question, _ = decided()
    slot = network.ended[network.ids[0]][question]
    assert slot is not None
    items = Agenda.decode(network.entry(network.ids[0], slot).agenda).items
    document["item"] = next(item for item in items if item.id != question).encode().hex()


def another_header(document: Document, **changes: Any) -> None:
    header = read_all(bytes.fromhex(document["agenda"]), Header.read)
    document["agenda"] = replace(header, **changes).encode().hex()


def swap_signatures(document: Document) -> None:
    first, second, *_ = document["statements"]
    first["signature"], second["signature"] = second["signature"], first["signature"]


def summarize(**changes: Any) -> Callable[[Document], object]:
    return lambda document: document["summary"].update(changes)


def reorder_summary(document: Document) -> None:
    document["summary"] = dict(reversed(document["summary"].items()))


def unsort(document: Document) -> None:
    document["statements"].reverse()


def repeat(document: Document) -> None:
    document["statements"].insert(0, document["statements"][0])


def repeat_for_a_quorum(document: Document) -> None:
    document["statements"] = [*document["statements"][:1] * 2, document["statements"][1]]


def first_bytes(name: str, text: str) -> Callable[[Document], object]:
    return lambda document: document.update({name: text + document[name][len(text) :]})


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param(summarize(answer="8"), Fault.SUMMARY, id="another answer"),
        pytest.param(summarize(question="what is 1 + 1?"), Fault.SUMMARY, id="another question in the summary"),
        pytest.param(summarize(scores=[["7", 20.0]]), Fault.SUMMARY, id="an equal number, spelled otherwise"),
        pytest.param(summarize(extra=1), Fault.SUMMARY, id="more in the summary"),
        pytest.param(lambda d: d["summary"]["cost"].update(forward_passes=0), Fault.SUMMARY, id="a smaller bill"),
        pytest.param(lambda d: d["summary"]["cost"].update(model_us=float("nan")), Fault.SUMMARY, id="no number"),
        pytest.param(reorder_summary, Fault.SUMMARY, id="the summary in another order"),
        pytest.param(another_item, Fault.PATH, id="another item of the slot"),
        pytest.param(lambda d: d["path"].reverse() or d["path"].append("00" * 32), Fault.PATH, id="a longer path"),
        pytest.param(lambda d: d["path"].pop(), Fault.PATH, id="a shorter path"),
        pytest.param(lambda d: d["path"].__setitem__(0, "00" * 32), Fault.PATH, id="another path"),
        pytest.param(lambda d: d.update(index=d["index"] + 1), Fault.PATH, id="the next place"),
        pytest.param(lambda d: d.update(index=-1), Fault.PATH, id="a place before the first"),
        pytest.param(lambda d: another_header(d, count=0), Fault.PATH, id="no items"),
        pytest.param(lambda d: another_header(d, count=40), Fault.PATH, id="more items"),
        pytest.param(lambda d: another_header(d, root=b"r" * 32), Fault.PATH, id="another root"),
        pytest.param(lambda d: another_header(d, slot=9), Fault.NO_QUORUM, id="another slot"),
        pytest.param(lambda d: another_header(d, previous=b"p" * 32), Fault.NO_QUORUM, id="another history"),
        pytest.param(lambda d: another_header(d, epoch=1), Fault.NO_QUORUM, id="another roster"),
        pytest.param(lambda d: d["statements"].clear(), Fault.NO_QUORUM, id="no statement"),
        pytest.param(lambda d: to_a_quorum(d)["statements"].pop(), Fault.NO_QUORUM, id="one statement too few"),
        pytest.param(foreign, Fault.NO_QUORUM, id="a stranger's statement"),
        pytest.param(confirm, Fault.NO_QUORUM, id="a statement that decides nothing"),
        pytest.param(lambda d: sign(d, 0, slot=9), Fault.NO_QUORUM, id="a statement of another slot"),
        pytest.param(
            lambda d: sign(d, 0, commit=Ballot(1, b"v" * 32)), Fault.NO_QUORUM, id="a statement for another agenda"
        ),
        pytest.param(lambda d: sign(d, 0, quorum_set=b"q" * 32), Fault.NO_QUORUM, id="of another quorum set"),
        pytest.param(lambda d: sign(d, 0, node=b"n" * 32), Fault.NO_QUORUM, id="a statement in another's name"),
        pytest.param(swap_signatures, Fault.BAD_SIGNATURE, id="signatures swapped"),
        pytest.param(repeat, Fault.MALFORMED, id="a statement twice"),
        pytest.param(repeat_for_a_quorum, Fault.MALFORMED, id="a quorum by repetition"),
        pytest.param(unsort, Fault.MALFORMED, id="statements in another order"),
        pytest.param(lambda d: d["statements"][0].update(extra=1), Fault.MALFORMED, id="more in a statement"),
        pytest.param(lambda d: d["statements"].__setitem__(0, 7), Fault.MALFORMED, id="a number for a statement"),
        pytest.param(lambda d: d["statements"][0].update(body=7), Fault.MALFORMED, id="a number for bytes"),
        pytest.param(lambda d: d["path"].__setitem__(0, 7), Fault.MALFORMED, id="a number in the path"),
        pytest.param(lambda d: d.update(moot="00" * 32), Fault.OTHER_MOOT, id="another moot"),
        pytest.param(lambda d: d.update(format="moot-certificate-v2"), Fault.MALFORMED, id="another format"),
        pytest.param(lambda d: d.update(index=True), Fault.MALFORMED, id="a boolean for a place"),
        pytest.param(lambda d: d.update(extra=1), Fault.MALFORMED, id="an unknown part"),
        pytest.param(lambda d: d.pop("path"), Fault.MALFORMED, id="a missing part"),
        pytest.param(lambda d: d.update(item=d["item"].upper()), Fault.MALFORMED, id="capital digits"),
        pytest.param(lambda d: d.update(item=d["item"] + "00"), Fault.MALFORMED, id="a byte after the item"),
        pytest.param(first_bytes("agenda", "zz"), Fault.MALFORMED, id="no digits"),
    ],
)
def test_consistent_changes_are_named(change: Callable[[Document], object], fault: Fault) -> None:
    """Whoever tampers can spell well. What was changed decides what is refused."""
    document = parsed()
    change(document)
    with pytest.raises(CertificateError) as raised:
        check(spelled(document))
    assert raised.value.fault is fault, raised.value


def test_a_quorum_is_enough() -> None:
    check(spelled(to_a_quorum(parsed())))


def test_a_forged_record_in_a_proven_item_is_named() -> None:
    """Not even a quorum's word makes up for a missing signature: here a member's preference is of another key."""
    network, question, _ = decided()
    slot = network.ended[network.ids[0]][question]
    assert slot is not None
    agenda = Agenda.decode(network.entry(network.ids[0], slot).agenda)
    item = next(item for item in agenda.items if item.id == question)
    forged = replace(item, preferences=(replace(item.preferences[0], signature=b"f" * 64), *item.preferences[1:]))
    garbled = replace(item, preferences=(_signed(item.preferences[0], b"junk"), *item.preferences[1:]))
    for bad, fault in ((forged, Fault.BAD_SIGNATURE), (garbled, Fault.ITEM)):
        other = Agenda.of(slot, agenda.header.previous, 0, [bad])
        signed = []
        for node in network.ids:
            said = Externalize(node, slot, network.genesis.roster.quorum_set_digest, Ballot(1, other.digest), 1)
            signed.append(network.signer(node).sign(Kind.STATEMENT, encode(said)))
        document = parsed()
        entries = [
            {"author": one.author.hex(), "body": one.body.hex(), "signature": one.signature.hex()}
            for one in sorted(signed, key=lambda one: one.author)
        ]
        document.update(agenda=other.header.encode().hex(), item=bad.encode().hex(), index=0, path=[])
        document.update(statements=entries)
        with pytest.raises(CertificateError) as raised:
            check(spelled(document))
        assert raised.value.fault is fault


def _signed(record: Signed, body: bytes) -> Signed:
    return FakeSigner(record.author, decided()[0].genesis.moot_id).sign(record.kind, body)


def test_another_moot_with_the_same_members_is_another_moot() -> None:
    other = replace(decided()[0].genesis, name="other")
    with pytest.raises(CertificateError) as raised:
        check(decided()[2], other)
    assert raised.value.fault is Fault.OTHER_MOOT


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\x00", id="no text"),
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b'{"format": ' + b"9" * 10_000 + b"}", id="a long number"),
        pytest.param(b"{" + b" " * SIZE_MAX + b"}", id="long"),
    ],
)
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(CertificateError) as raised:
        check(data)
    assert raised.value.fault is Fault.MALFORMED
