"""The proof of one decision, in one readable file: agenda header, item, path and a quorum's externalize statements.

Whoever holds the moot's genesis can check it without a node and without a network. The file has one exact spelling, so
that any changed byte is noticed, also in the summary that people read.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NoReturn

from coordinator.encoding import EncodingError, decode
from coordinator.ledger import merkle
from coordinator.ledger.agenda import Agenda, Header, Item
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.resolution import BadSignatureError, ItemError, Resolution, check_item, resolve
from coordinator.signed import BODY_SIZE_MAX, Digest, Kind, NodeId, Signed
from coordinator.voting.quorum import is_quorum_slice
from coordinator.voting.statement import Externalize
from coordinator.voting.statement import decode as decode_statement

FORMAT = "moot-certificate-v1"
SIZE_MAX = 8 * 1024 * 1024


class Fault(Enum):
    """Why a certificate is refused."""

    MALFORMED = "malformed"
    OTHER_MOOT = "other_moot"
    BAD_SIGNATURE = "bad_signature"
    NO_QUORUM = "no_quorum"
    PATH = "path"
    ITEM = "item"
    SUMMARY = "summary"


class CertificateError(ValueError):
    """The certificate proves nothing. The message says what is wrong with it."""

    def __init__(self, fault: Fault, message: str) -> None:
        self.fault = fault
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a certificate proves."""

    slot: int
    agenda: Digest
    resolution: Resolution
    signers: tuple[NodeId, ...]


def certificate_of(agenda: Agenda, question: Digest, statements: Sequence[Signed], genesis: Genesis) -> bytes:
    """Write the certificate of one question of a decided agenda."""
    index = [item.id for item in agenda.items].index(question)
    item = agenda.items[index]
    document = {
        "format": FORMAT,
        "moot": genesis.moot_id.hex(),
        "summary": _summary(resolve(item, genesis), genesis),
        "agenda": agenda.header.encode().hex(),
        "item": item.encode().hex(),
        "index": index,
        "path": [digest.hex() for digest in agenda.path(index)],
        "statements": [
            {"author": one.author.hex(), "body": one.body.hex(), "signature": one.signature.hex()}
            for one in sorted(statements, key=lambda one: one.author)
        ],
    }
    return _spell(document)


def verify(data: bytes, genesis: Genesis, verify_signature: Callable[[Signed], bool]) -> Verified:
    """Check a certificate against the moot's genesis.

    Raises:
        CertificateError: with the first fault found, from the outside in: spelling, moot, path, signatures and quorum
            of the statements, records and signatures of the item, summary.
    """
    document = _parse(data)
    if document["moot"] != genesis.moot_id.hex():
        _refuse(
            Fault.OTHER_MOOT, f"it is of the moot {str(document['moot'])[:16]}, not of {genesis.moot_id.hex()[:16]}"
        )
    try:
        header = decode(_unhex(document["agenda"]), Header.read)
        item_bytes = _unhex(document["item"])
        item = Item.decode(item_bytes)
        siblings = [_unhex(digest) for digest in document["path"]]
        statements = [_read_statement(entry) for entry in document["statements"]]
    except (EncodingError, ValueError, TypeError, KeyError) as error:
        raise CertificateError(Fault.MALFORMED, f"a part of it cannot be read: {error}") from error
    if merkle.root_of_path(merkle.leaf(item_bytes), document["index"], header.count, siblings) != header.root:
        _refuse(Fault.PATH, "the path does not lead from the item to the agenda")
    authors = [record.author for record in statements]
    if authors != sorted(set(authors)):
        _refuse(Fault.MALFORMED, "its statements are not sorted by author, each author once")
    signers = check_statements(header, statements, genesis, verify_signature)
    try:
        check_item(item, genesis, verify_signature)
    except BadSignatureError as error:
        raise CertificateError(Fault.BAD_SIGNATURE, f"it holds {error}") from error
    except ItemError as error:
        raise CertificateError(Fault.ITEM, f"it holds {error}") from error
    resolution = resolve(item, genesis)
    # Compared as spelled, since 1, 1.0 and true are equal, and so are objects in another order.
    if _spell(document["summary"]) != _spell(_summary(resolution, genesis)):
        _refuse(Fault.SUMMARY, "its summary says something else than what the members signed")
    return Verified(header.slot, header.digest, resolution, signers)


def check_statements(
    header: Header, statements: Sequence[Signed], genesis: Genesis, verify_signature: Callable[[Signed], bool]
) -> tuple[NodeId, ...]:
    """Check that these externalize statements of a quorum decide this agenda; return their authors, sorted.

    Raises:
        CertificateError: BAD_SIGNATURE or NO_QUORUM, or MALFORMED for what is no such statement.
    """
    for record in statements:
        check_statement(record, header, genesis, verify_signature)
    authors = frozenset(record.author for record in statements)
    if not is_quorum_slice(genesis.quorum_set, authors):
        _refuse(Fault.NO_QUORUM, f"{len(authors)} members' statements, {genesis.charter.threshold} make a quorum")
    return tuple(sorted(authors))


def check_statement(
    record: Signed, header: Header, genesis: Genesis, verify_signature: Callable[[Signed], bool]
) -> None:
    """Check that this is a roster member's own externalize statement of this agenda.

    Raises:
        CertificateError: as `check_statements`.
    """
    if record.author not in genesis.by_node:
        _refuse(Fault.NO_QUORUM, f"a statement by {record.author.hex()[:8]}, who is not in the roster")
    name = genesis.by_node[record.author].name
    if not verify_signature(record):
        _refuse(Fault.BAD_SIGNATURE, f"it holds a statement that {name} did not sign")
    try:
        statement = decode_statement(record.body)
    except ValueError as error:
        raise CertificateError(Fault.MALFORMED, f"the statement of {name} cannot be read: {error}") from error
    if not isinstance(statement, Externalize) or statement.node != record.author:
        _refuse(Fault.NO_QUORUM, f"the statement of {name} is no externalize statement of its own")
    if statement.slot != header.slot or statement.commit.value != header.digest:
        _refuse(Fault.NO_QUORUM, f"the statement of {name} decides another agenda")
    if statement.quorum_set != genesis.quorum_set_digest:
        _refuse(Fault.NO_QUORUM, f"the statement of {name} is about another quorum set")


def _summary(resolution: Resolution, genesis: Genesis) -> dict[str, Any]:
    """What people read. Computed from the signed parts, so the verifier can compute it again."""
    outcome, cost = resolution.outcome, resolution.cost
    return {
        "question": resolution.question.text,
        "options": list(resolution.question.options),
        "id": resolution.id.hex(),
        "asked_by": genesis.by_node[resolution.asker].name,
        "answer": outcome.answer if outcome else None,
        "reason": resolution.reason,
        "tally": resolution.tally,
        "scores": [[answer, score] for answer, score in outcome.scores] if outcome else [],
        "tied": list(outcome.tied) if outcome else [],
        "members": {genesis.by_node[part.member].name: part.stand.value for part in resolution.parts},
        "cost": {
            "forward_passes": cost.forward_passes,
            "prompt_tokens": cost.prompt_tokens,
            "generated_tokens": cost.generated_tokens,
            "model_us": cost.model_us,
        },
    }


_PARTS = {
    "format": str,
    "moot": str,
    "summary": dict,
    "agenda": str,
    "item": str,
    "index": int,
    "path": list,
    "statements": list,
}


def _parse(data: bytes) -> dict[str, Any]:
    if len(data) > SIZE_MAX:
        _refuse(Fault.MALFORMED, f"it has {len(data)} bytes; at most {SIZE_MAX} are read")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CertificateError(Fault.MALFORMED, f"it is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        _refuse(Fault.MALFORMED, f"it is no {FORMAT} file")
    for name, kind in _PARTS.items():
        if type(document.get(name)) is not kind:
            _refuse(Fault.MALFORMED, f"its part {name!r} is missing or of the wrong type")
    if list(document) != list(_PARTS) or _spell(document) != data:
        _refuse(Fault.MALFORMED, "it is not spelled as certificates are: it was changed after it was written")
    return document


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


def _refuse(fault: Fault, message: str) -> NoReturn:
    raise CertificateError(fault, message)
