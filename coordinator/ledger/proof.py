"""The externalize statements of a quorum, and what is wrong with those that are none: why a proof is refused."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NoReturn

from coordinator.ledger.agenda import Header
from coordinator.ledger.roster import Roster
from coordinator.signed import NodeId, Signed
from coordinator.voting.quorum import is_quorum_slice
from coordinator.voting.statement import Externalize
from coordinator.voting.statement import decode as decode_statement


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


def check_statements(
    header: Header, statements: Sequence[Signed], roster: Roster, verify_signature: Callable[[Signed], bool]
) -> tuple[NodeId, ...]:
    """Check that these externalize statements of a quorum of the roster decide this agenda; give their authors, sorted.

    Raises:
        CertificateError: BAD_SIGNATURE or NO_QUORUM, or MALFORMED for what is no such statement.
    """
    for record in statements:
        check_statement(record, header, roster, verify_signature)
    authors = frozenset(record.author for record in statements)
    if not is_quorum_slice(roster.quorum_set, authors):
        refuse(Fault.NO_QUORUM, f"{len(authors)} members' statements, {roster.charter.threshold} make a quorum")
    return tuple(sorted(authors))


def check_statement(record: Signed, header: Header, roster: Roster, verify_signature: Callable[[Signed], bool]) -> None:
    """Check that this is a roster member's own externalize statement of this agenda.

    Raises:
        CertificateError: as `check_statements`.
    """
    if record.author not in roster.by_node:
        refuse(Fault.NO_QUORUM, f"a statement by {record.author.hex()[:8]}, who is not in the roster")
    name = roster.by_node[record.author].name
    if not verify_signature(record):
        refuse(Fault.BAD_SIGNATURE, f"it holds a statement that {name} did not sign")
    try:
        statement = decode_statement(record.body)
    except ValueError as error:
        raise CertificateError(Fault.MALFORMED, f"the statement of {name} cannot be read: {error}") from error
    if not isinstance(statement, Externalize) or statement.node != record.author:
        refuse(Fault.NO_QUORUM, f"the statement of {name} is no externalize statement of its own")
    if statement.slot != header.slot or statement.commit.value != header.digest:
        refuse(Fault.NO_QUORUM, f"the statement of {name} decides another agenda")
    if statement.quorum_set != roster.quorum_set_digest:
        refuse(Fault.NO_QUORUM, f"the statement of {name} is about another quorum set")


def refuse(fault: Fault, message: str) -> NoReturn:
    raise CertificateError(fault, message)
