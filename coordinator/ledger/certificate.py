"""The proof of one decision, in one readable file: agenda header, item, path and a quorum's externalize statements.

Whoever holds the moot's genesis can check it without a node and without a network. Where the roster has changed since,
the file also holds every change with its own proof, each by a quorum of the roster that it changed: a chain from the
genesis to who counted. The file has one exact spelling, so that any changed byte is noticed, also in the summary that
people read.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from coordinator.encoding import EncodingError, decode
from coordinator.ledger import merkle
from coordinator.ledger.agenda import Agenda, ChangeItem, Header, Item
from coordinator.ledger.change import Change, check_change, roster_after
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.proof import CertificateError, Fault, check_statements, refuse
from coordinator.ledger.resolution import BadSignatureError, ItemError, Resolution, check_item, resolve
from coordinator.ledger.roster import Roster
from coordinator.messages import LedgerEntry
from coordinator.signed import BODY_SIZE_MAX, Digest, Kind, NodeId, Signed

T = TypeVar("T")

FORMAT = "moot-certificate-v1"
"""Of a decision by the first roster."""
FORMAT_CHANGED = "moot-certificate-v2"
"""Of one by a later roster, with the changes up to it."""
SIZE_MAX = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Verified:
    """What a certificate proves."""

    slot: int
    agenda: Digest
    resolution: Resolution
    signers: tuple[NodeId, ...]
    roster: Roster
    """Who counted."""


def certificate_of(
    agenda: Agenda,
    question: Digest,
    statements: Sequence[Signed],
    genesis: Genesis,
    changes: Sequence[LedgerEntry] = (),
) -> bytes:
    """Write the certificate of one question of a decided agenda.

    `changes` are the entries that changed the roster before this one, the oldest first, each with its proof.
    """
    assert len(changes) == agenda.header.epoch, "every change up to the agenda's epoch is needed, and no other"
    index = [item.id for item in agenda.items].index(question)
    item = agenda.items[index]
    roster, links = genesis.roster, []
    for entry in changes:
        changing = Agenda.decode(entry.agenda)
        assert changing.change is not None, "an entry that changed the roster has a change"
        roster = roster_after(roster, Change.decode(changing.change.change.body))
        links.append(_proof(changing, changing.change, len(changing.items), entry.statements))
    document: dict[str, Any] = {"format": FORMAT, "moot": genesis.moot_id.hex()}
    document["summary"] = _summary(resolve(item, roster), roster)
    document |= _proof(agenda, item, index, statements)
    if links:
        document["format"], document["changes"] = FORMAT_CHANGED, links
    return _spell(document)


def verify(data: bytes, genesis: Genesis, verify_signature: Callable[[Signed], bool]) -> Verified:
    """Check a certificate against the moot's genesis.

    Raises:
        CertificateError: with the first fault found, from the outside in: spelling, moot, then of every change and of
            the decision path, signatures and quorum of the statements, records and signatures of the item; summary.
    """
    document = _parse(data)
    if document["moot"] != genesis.moot_id.hex():
        refuse(Fault.OTHER_MOOT, f"it is of the moot {str(document['moot'])[:16]}, not of {genesis.moot_id.hex()[:16]}")
    roster, after_slot = genesis.roster, -1
    for link in document.get("changes", ()):
        proof, change = _read_proof(link, ChangeItem.decode)
        _check_proof(proof, roster, after_slot, verify_signature)
        with _named():
            roster = check_change(change, roster, verify_signature)
        after_slot = proof.header.slot
    proof, item = _read_proof(document, Item.decode)
    signers = _check_proof(proof, roster, after_slot, verify_signature)
    with _named():
        check_item(item, roster, verify_signature)
    resolution = resolve(item, roster)
    # Compared as spelled, since 1, 1.0 and true are equal, and so are objects in another order.
    if _spell(document["summary"]) != _spell(_summary(resolution, roster)):
        refuse(Fault.SUMMARY, "its summary says something else than what the members signed")
    return Verified(proof.header.slot, proof.header.digest, resolution, signers, roster)


def _summary(resolution: Resolution, roster: Roster) -> dict[str, Any]:
    """What people read. Computed from the signed parts, so the verifier can compute it again."""
    outcome, cost = resolution.outcome, resolution.cost
    return {
        "question": resolution.question.text,
        "options": list(resolution.question.options),
        "id": resolution.id.hex(),
        "asked_by": roster.by_node[resolution.asker].name,
        "answer": outcome.answer if outcome else None,
        "reason": resolution.reason,
        "tally": resolution.tally,
        "scores": [[answer, score] for answer, score in outcome.scores] if outcome else [],
        "tied": list(outcome.tied) if outcome else [],
        "members": {roster.by_node[part.member].name: part.stand.value for part in resolution.parts},
        "cost": {
            "forward_passes": cost.forward_passes,
            "prompt_tokens": cost.prompt_tokens,
            "generated_tokens": cost.generated_tokens,
            "model_us": cost.model_us,
        },
    }


_PROOF = {"agenda": str, "item": str, "index": int, "path": list, "statements": list}
_PARTS = {"format": str, "moot": str, "summary": dict, **_PROOF}
_PARTS_CHANGED = {**_PARTS, "changes": list}


@dataclass(frozen=True, slots=True)
class _Proof:
    """That a quorum decided an agenda, and what stands at one place of it."""

    header: Header
    item: bytes
    index: int
    path: list[Digest]
    statements: list[Signed]


def _proof(agenda: Agenda, item: Item | ChangeItem, index: int, statements: Sequence[Signed]) -> dict[str, Any]:
    return {
        "agenda": agenda.header.encode().hex(),
        "item": item.encode().hex(),
        "index": index,
        "path": [digest.hex() for digest in agenda.path(index)],
        "statements": [
            {"author": one.author.hex(), "body": one.body.hex(), "signature": one.signature.hex()}
            for one in sorted(statements, key=lambda one: one.author)
        ],
    }


def _read_proof(document: dict[str, Any], read_item: Callable[[bytes], T]) -> tuple[_Proof, T]:
    try:
        proof = _Proof(
            decode(_unhex(document["agenda"]), Header.read),
            _unhex(document["item"]),
            document["index"],
            [_unhex(digest) for digest in document["path"]],
            [_read_statement(entry) for entry in document["statements"]],
        )
        return proof, read_item(proof.item)
    except (EncodingError, ValueError, TypeError, KeyError) as error:
        raise CertificateError(Fault.MALFORMED, f"a part of it cannot be read: {error}") from error


def _check_proof(
    proof: _Proof, roster: Roster, after_slot: int, verify_signature: Callable[[Signed], bool]
) -> tuple[NodeId, ...]:
    header = proof.header
    if merkle.root_of_path(merkle.leaf(proof.item), proof.index, header.count, proof.path) != header.root:
        refuse(Fault.PATH, "the path does not lead from the item to the agenda")
    authors = [record.author for record in proof.statements]
    if authors != sorted(set(authors)):
        refuse(Fault.MALFORMED, "its statements are not sorted by author, each author once")
    signers = check_statements(header, proof.statements, roster, verify_signature)
    if header.epoch != roster.epoch or header.slot <= after_slot:
        refuse(Fault.NO_QUORUM, f"slot {header.slot} was decided by a roster that its changes do not lead to")
    return signers


@contextmanager
def _named() -> Iterator[None]:
    """Say of an item that is refused what is wrong with it."""
    try:
        yield
    except BadSignatureError as error:
        raise CertificateError(Fault.BAD_SIGNATURE, f"it holds {error}") from error
    except ItemError as error:
        raise CertificateError(Fault.ITEM, f"it holds {error}") from error


def _parse(data: bytes) -> dict[str, Any]:
    if len(data) > SIZE_MAX:
        refuse(Fault.MALFORMED, f"it has {len(data)} bytes; at most {SIZE_MAX} are read")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CertificateError(Fault.MALFORMED, f"it is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") not in (FORMAT, FORMAT_CHANGED):
        refuse(Fault.MALFORMED, f"it is no {FORMAT} file")
    parts = _PARTS if document["format"] == FORMAT else _PARTS_CHANGED
    _check_parts(document, parts)
    for link in document.get("changes", ()):
        if not isinstance(link, dict):
            refuse(Fault.MALFORMED, "a change in it is not an object")
        _check_parts(link, _PROOF)
    if parts is _PARTS_CHANGED and not document["changes"]:
        refuse(Fault.MALFORMED, f"without changes it would be a {FORMAT} file")
    if _spell(document) != data:
        refuse(Fault.MALFORMED, "it is not spelled as certificates are: it was changed after it was written")
    return document


def _check_parts(document: dict[str, Any], parts: dict[str, type]) -> None:
    for name, kind in parts.items():
        if type(document.get(name)) is not kind:
            refuse(Fault.MALFORMED, f"its part {name!r} is missing or of the wrong type")
    if list(document) != list(parts):
        refuse(Fault.MALFORMED, "it is not spelled as certificates are: it was changed after it was written")


def _spell(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode(errors="surrogatepass")


def _read_statement(entry: dict[str, str]) -> Signed:
    if list(entry) != ["author", "body", "signature"] or len(entry["body"]) > 2 * BODY_SIZE_MAX:
        raise ValueError("a statement that is too long or has unknown parts")
    return Signed(Kind.STATEMENT, _unhex(entry["author"]), _unhex(entry["body"]), _unhex(entry["signature"]))


def _unhex(text: str) -> bytes:
    data = bytes.fromhex(text)
    if data.hex() != text:  # fromhex also takes capitals and spaces: a changed byte that means the same
        raise ValueError("hexadecimal that is not in its one spelling")
    return data
