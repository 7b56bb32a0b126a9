"""What a ballot statement says about preparing and committing a ballot (SCP Internet-Draft, section 3)."""

from collections.abc import Collection

from coordinator.voting.statement import INFINITY, Ballot, BallotStatement, Confirm, Externalize, Prepare


def value_of(statement: BallotStatement) -> bytes:
    """The value that the sender is working on."""
    match statement:
        case Prepare(ballot=b) | Confirm(ballot=b) | Externalize(commit=b):
            return b.value


def working_counter(statement: BallotStatement) -> int:
    """The counter that the sender is at; one that has decided is beyond all."""
    match statement:
        case Prepare(ballot=b) | Confirm(ballot=b):
            return b.counter
        case Externalize():
            return INFINITY


def votes_prepare(statement: BallotStatement, ballot: Ballot) -> bool:
    match statement:
        case Prepare(ballot=b):
            return b.covers(ballot)
        case Confirm() | Externalize():
            return value_of(statement) == ballot.value


def accepts_prepare(statement: BallotStatement, ballot: Ballot) -> bool:
    match statement:
        case Prepare(prepared=p, prepared_prime=q):
            return (p is not None and p.covers(ballot)) or (q is not None and q.covers(ballot))
        case Confirm(ballot=b, n_p=n_p):
            return Ballot(n_p, b.value).covers(ballot)
        case Externalize(commit=c):
            return c.value == ballot.value


def votes_commit(statement: BallotStatement, value: bytes, lo: int, hi: int) -> bool:
    """Votes to commit every ballot of `value` with a counter in lo..hi."""
    if value_of(statement) != value:
        return False
    match statement:
        case Prepare(n_c=n_c, n_h=n_h):
            return n_c != 0 and n_c <= lo and hi <= n_h
        case Confirm(n_c=n_c):
            return n_c <= lo
        case Externalize(commit=c):
            return c.counter <= lo


def accepts_commit(statement: BallotStatement, value: bytes, lo: int, hi: int) -> bool:
    if value_of(statement) != value:
        return False
    match statement:
        case Prepare():
            return False
        case Confirm(n_c=n_c, n_h=n_h):
            return n_c <= lo and hi <= n_h
        case Externalize(commit=c):
            return c.counter <= lo


def tops_of(hint: BallotStatement) -> list[Ballot]:
    """The ballots that the statement names: only they and lower ones of their values may be prepared because of it."""
    match hint:
        case Prepare(ballot=b, prepared=p, prepared_prime=q):
            return [b, *(named for named in (p, q) if named is not None and named != b)]
        case Confirm(ballot=b, n_p=n_p):
            return [Ballot(n_p, b.value), Ballot(INFINITY, b.value)]
        case Externalize(commit=c):
            return [Ballot(INFINITY, c.value)]


def prepare_candidates(tops: Collection[Ballot], statements: Collection[BallotStatement]) -> list[Ballot]:
    """The ballots at or below one of `tops` that may be prepared, highest first; only those that somebody names."""
    found: dict[bytes, set[int]] = {}  # counters by value
    for top in tops:
        value, highest = top.value, top.counter
        counters = found.setdefault(value, set())
        for statement in statements:
            match statement:
                case Prepare(ballot=b, prepared=p, prepared_prime=q):
                    for named in (b, p, q):
                        if named is not None and named.value == value and named.counter <= highest:
                            counters.add(named.counter)
                case Confirm(ballot=b, n_p=n_p) if b.value == value:
                    counters.add(highest)
                    counters.add(min(n_p, highest))
                case Externalize(commit=c) if c.value == value:
                    counters.add(highest)
                case _:
                    pass
    ballots = [Ballot(n, value) for value, counters in found.items() for n in sorted(counters) if n > 0]
    return sorted(ballots, reverse=True) if len(ballots) > 1 else ballots


def commit_boundaries(value: bytes, statements: Collection[BallotStatement]) -> list[int]:
    """The counters at which somebody's range of committed ballots of `value` begins or ends, highest first."""
    found: set[int] = set()
    for statement in statements:
        if value_of(statement) != value:
            continue
        match statement:
            case Prepare(n_c=n_c, n_h=n_h):
                found.update((n_c, n_h) if n_c else ())
            case Confirm(n_c=n_c, n_h=n_h):
                found.update((n_c, n_h))
            case Externalize(commit=c, n_h=n_h):
                found.update((c.counter, n_h, INFINITY))
    return sorted(found - {0}, reverse=True)
