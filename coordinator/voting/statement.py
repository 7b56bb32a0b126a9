"""The four statements of federated voting and their canonical bytes (SCP Internet-Draft, section 3).

The letters are the papers': b current ballot, p and p′ the two highest incompatible ballots accepted prepared, c and h
the lowest and highest ballot of the range being committed, n their counters.
"""

from dataclasses import dataclass
from itertools import pairwise

from coordinator.voting.codec import Malformed, Reader, Writer
from coordinator.voting.quorum import NODE_BYTES_MAX

INFINITY = 2**31 - 1
"""The counter above all others. It fits in 31 bits, so that no arithmetic on it overflows a peer's integers."""
VALUE_BYTES_MAX = 8 * 1024
VALUES_MAX = 64  # in each of a nomination's two lists
DIGEST_BYTES = 32
SLOT_MAX = 2**64 - 1


@dataclass(frozen=True, slots=True, order=True)
class Ballot:
    """A counter and a value, ordered by counter, then by the value's bytes."""

    counter: int
    value: bytes

    def covers(self, other: "Ballot") -> bool:
        """Other ≲ self: the same value, and not above. Preparing self prepares other."""
        return self.value == other.value and other.counter <= self.counter

    def aborts(self, other: "Ballot") -> bool:
        """Other ⋦ self: another value, and below. Preparing self gives up committing other."""
        return self.value != other.value and other <= self


NO_BALLOT = Ballot(0, b"")  # b before it is set; only ever inside the node's own, unsent PREPARE


@dataclass(frozen=True, slots=True)
class Nominate:
    """Values the sender votes to nominate, and those it accepts as nominated; both strictly ascending."""

    node: bytes
    slot: int
    quorum_set: bytes
    votes: tuple[bytes, ...]
    accepted: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Prepare:
    """Votes to prepare `ballot`; accepts p and p′; unless n_c is 0, votes to commit n_c..n_h of its value."""

    node: bytes
    slot: int
    quorum_set: bytes
    ballot: Ballot
    prepared: Ballot | None = None
    prepared_prime: Ballot | None = None
    n_c: int = 0
    n_h: int = 0


@dataclass(frozen=True, slots=True)
class Confirm:
    """Accepts to commit n_c..n_h of the ballot's value, and accepts that value prepared up to n_p."""

    node: bytes
    slot: int
    quorum_set: bytes
    ballot: Ballot
    n_p: int
    n_c: int
    n_h: int


@dataclass(frozen=True, slots=True)
class Externalize:
    """Has confirmed to commit `commit`..n_h: the sender's slot is decided."""

    node: bytes
    slot: int
    quorum_set: bytes
    commit: Ballot
    n_h: int


BallotStatement = Prepare | Confirm | Externalize
Statement = Nominate | BallotStatement


def problem(statement: Statement, *, own: bool = False) -> str | None:
    """Why the statement is not sane, or None. `own`: a node's own, unsent PREPARE may lack a ballot."""
    if not 1 <= len(statement.node) <= NODE_BYTES_MAX:
        return f"a node id is 1 to {NODE_BYTES_MAX} bytes"
    if not 0 <= statement.slot <= SLOT_MAX:
        return "a slot is an unsigned integer of 64 bits"
    if len(statement.quorum_set) != DIGEST_BYTES:
        return f"a quorum set's digest is {DIGEST_BYTES} bytes"
    match statement:
        case Nominate():
            return _nominate_problem(statement)
        case Prepare():
            return _prepare_problem(statement, own)
        case Confirm(ballot=b):
            if not (statement.n_c <= statement.n_h <= b.counter and min(statement.n_p, statement.n_c) >= 0):
                return "CONFIRM needs c <= h <= b"
            return _ballot_problem(b) or _counter_problem(statement.n_p)
        case Externalize(commit=c):
            if statement.n_h < c.counter:
                return "EXTERNALIZE needs c <= h"
            return _ballot_problem(c) or _counter_problem(statement.n_h)


def values(statement: Statement) -> tuple[bytes, ...]:
    """Every value that the statement names, sorted, each once."""
    match statement:
        case Nominate():
            named = {*statement.votes, *statement.accepted}
        case Prepare(ballot=b, prepared=p, prepared_prime=q):
            named = {ballot.value for ballot in (b, p, q) if ballot is not None and ballot.counter > 0}
        case Confirm(ballot=b) | Externalize(commit=b):
            return (b.value,)
    return tuple(sorted(named))


def encode(statement: Statement) -> bytes:
    """Canonical bytes: what the sender signs. The statement must be sane."""
    found = problem(statement)
    assert found is None, found
    out = Writer().uint(_KINDS.index(type(statement)), 1)
    out.blob(statement.node, 1).uint(statement.slot, 8).raw(statement.quorum_set)
    match statement:
        case Nominate():
            for listed in (statement.votes, statement.accepted):
                out.uint(len(listed), 1)
                for value in listed:
                    out.blob(value, 2)
        case Prepare():
            _write_ballot(out, statement.ballot)
            for ballot in (statement.prepared, statement.prepared_prime):
                out.uint(ballot is not None, 1)
                if ballot is not None:
                    _write_ballot(out, ballot)
            out.uint(statement.n_c, 4).uint(statement.n_h, 4)
        case Confirm():
            _write_ballot(out, statement.ballot)
            out.uint(statement.n_p, 4).uint(statement.n_c, 4).uint(statement.n_h, 4)
        case Externalize():
            _write_ballot(out, statement.commit)
            out.uint(statement.n_h, 4)
    return out.done()


def decode(data: bytes) -> Statement:
    """The statement. Raises Malformed unless `data` is the canonical encoding of a sane one."""
    reader = Reader(data)
    kind = _KINDS[reader.uint(1, at_most=len(_KINDS) - 1)]
    node, slot, digest = reader.blob(1, at_most=NODE_BYTES_MAX), reader.uint(8), reader.raw(DIGEST_BYTES)
    statement: Statement
    if kind is Nominate:
        statement = Nominate(node, slot, digest, _read_values(reader), _read_values(reader))
    elif kind is Prepare:
        b = _read_ballot(reader)
        p, q = (_read_ballot(reader) if reader.flag() else None for _ in range(2))
        statement = Prepare(node, slot, digest, b, p, q, reader.uint(4), reader.uint(4))
    elif kind is Confirm:
        statement = Confirm(node, slot, digest, _read_ballot(reader), reader.uint(4), reader.uint(4), reader.uint(4))
    else:
        statement = Externalize(node, slot, digest, _read_ballot(reader), reader.uint(4))
    reader.end()
    found = problem(statement)
    if found is not None:
        raise Malformed(found)
    return statement


_KINDS: tuple[type[Statement], ...] = (Nominate, Prepare, Confirm, Externalize)  # the index is the byte on the wire


def _nominate_problem(statement: Nominate) -> str | None:
    if not statement.votes and not statement.accepted:
        return "a nomination names no value"
    for listed in (statement.votes, statement.accepted):
        if len(listed) > VALUES_MAX:
            return f"a nomination lists more than {VALUES_MAX} values"
        if any(a >= b for a, b in pairwise(listed)):
            return "a nomination's values are not strictly ascending"
        for value in listed:
            if not 1 <= len(value) <= VALUE_BYTES_MAX:
                return f"a value is 1 to {VALUE_BYTES_MAX} bytes"
    return None


def _prepare_problem(statement: Prepare, own: bool) -> str | None:
    b, p, q = statement.ballot, statement.prepared, statement.prepared_prime
    if p is not None and q is not None and not p.aborts(q):
        return "PREPARE needs p′ below p and of another value"
    if statement.n_h < 0 or (statement.n_h > 0 and (p is None or statement.n_h > p.counter)):
        return "PREPARE needs h <= p"
    if statement.n_c < 0 or (statement.n_c > 0 and not statement.n_c <= statement.n_h <= b.counter):
        return "PREPARE needs c <= h <= b"
    if not (own and b == NO_BALLOT) and (found := _ballot_problem(b)):
        return found
    return (_ballot_problem(p) if p else None) or (_ballot_problem(q) if q else None)


def _ballot_problem(ballot: Ballot) -> str | None:
    if ballot.counter < 1:
        return "a ballot's counter starts at 1"
    if not 1 <= len(ballot.value) <= VALUE_BYTES_MAX:
        return f"a value is 1 to {VALUE_BYTES_MAX} bytes"
    return _counter_problem(ballot.counter)


def _counter_problem(counter: int) -> str | None:
    return None if counter <= INFINITY else f"a counter is above {INFINITY}"


def _write_ballot(out: Writer, ballot: Ballot) -> None:
    out.uint(ballot.counter, 4).blob(ballot.value, 2)


def _read_ballot(reader: Reader) -> Ballot:
    return Ballot(reader.uint(4), reader.blob(2, at_most=VALUE_BYTES_MAX))


def _read_values(reader: Reader) -> tuple[bytes, ...]:
    return tuple(reader.blob(2, at_most=VALUE_BYTES_MAX) for _ in range(reader.uint(1, at_most=VALUES_MAX)))
