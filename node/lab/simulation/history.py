"""One honest author's whole history, restarts included: what it ever said in federated voting never contradicts itself.

The checks are written from the protocol's rules (SCP Internet-Draft, section 3), not with the code that keeps them.
"""

from dataclasses import dataclass, field

from coordinator.voting import Ballot, BallotStatement, Confirm, Externalize, Nominate, Prepare, Statement
from node.lab.simulation.outcome import Violated


@dataclass(slots=True)
class _Past:
    """What one slot has heard from the author."""

    nomination: Nominate | None = None
    ballot: BallotStatement | None = None
    votes: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """The ranges it votes to commit, by value, as long as nothing aborts them."""
    prepared: dict[bytes, int] = field(default_factory=dict)
    """The highest counter that it accepted as prepared, by value."""


class History:
    """Tell it every statement once, when it is first said, and every decision as often as it is announced."""

    def __init__(self, author: bytes) -> None:
        self.author = author
        self.decided: dict[int, bytes] = {}
        self._past: dict[int, _Past] = {}

    def say(self, statement: Statement) -> None:
        """Raises Violated where it is not newer than all before it, or takes back what cannot be taken back."""
        past = self._past.get(statement.slot)
        if past is None:
            past = self._past[statement.slot] = _Past()
        if statement.node != self.author:
            raise Violated("history", f"{self.author!r} speaks for another: {statement}")
        match statement:
            case Nominate():
                if past.nomination is not None and not _grows(past.nomination, statement):
                    raise Violated("history", f"{statement} does not follow {past.nomination}")
                past.nomination = statement
            case Prepare() | Confirm() | Externalize():
                if past.ballot is not None:
                    _check_order(past.ballot, statement)
                _check_commitment(past, statement)
                past.ballot = statement

    def repeat(self, statement: Statement) -> None:
        """It says something again. Raises Violated unless that is the newest of its kind."""
        past = self._past.get(statement.slot, _Past())
        if statement not in (past.nomination, past.ballot):
            raise Violated("history", f"{statement} is said again, and was not what was said last")

    def decide(self, slot: int, value: bytes) -> None:
        """Raises Violated where it has decided something else."""
        before = self.decided.setdefault(slot, value)
        if before != value:
            raise Violated("twice", f"{self.author!r} decides {value!r} in slot {slot}, and had decided {before!r}")


def _grows(old: Nominate, new: Nominate) -> bool:
    votes, accepted = set(new.votes), set(new.accepted)
    grown = len(votes) > len(old.votes) or len(accepted) > len(old.accepted)
    return grown and votes.issuperset(old.votes) and accepted.issuperset(old.accepted)


def _check_order(old: BallotStatement, new: BallotStatement) -> None:
    match old, new:
        case Prepare(), Prepare():
            follows = _prepare_rank(old) < _prepare_rank(new)
        case Confirm(), Confirm():
            follows = (old.ballot.counter, old.n_p, old.n_h) < (new.ballot.counter, new.n_p, new.n_h)
            follows &= old.ballot.value == new.ballot.value
        case Prepare(), _:
            follows = True
        case Confirm(), Externalize():
            follows = old.ballot.value == new.commit.value
        case _:
            follows = False
    if not follows:
        raise Violated("history", f"{new} does not follow {old}")


def _prepare_rank(said: Prepare) -> tuple[tuple[int, bytes], tuple[int, bytes], tuple[int, bytes], int]:
    b, p, q = (
        (x.counter, x.value) if x is not None else (0, b"") for x in (said.ballot, said.prepared, said.prepared_prime)
    )
    return b, p, q, said.n_h


def _check_commitment(past: _Past, new: BallotStatement) -> None:
    """A vote to commit stands until the author accepts a ballot that aborts it; what it accepted stands for ever."""
    match new:
        case Prepare(ballot=b, prepared=p, prepared_prime=q):
            accepted = [x for x in (p, q) if x is not None]
            _check_votes(past, new, accepted, (b.value, new.n_c, new.n_h) if new.n_c else None)
            if past.prepared and (p is None or max(Ballot(n, x) for x, n in past.prepared.items()) > p):
                raise Violated("history", f"{new} accepts less than {past.ballot}")
            for ballot in accepted:
                past.prepared[ballot.value] = max(ballot.counter, past.prepared.get(ballot.value, 0))
            if new.n_c:
                past.votes[b.value] = new.n_c, new.n_h
        case Confirm(ballot=b, n_p=n_p, n_c=n_c):
            _check_votes(past, new, [Ballot(n_p, b.value)], (b.value, n_c, n_p))
            _check_not_aborted(past, new, Ballot(n_c, b.value))
        case Externalize(commit=c):
            _check_not_aborted(past, new, c)


def _check_votes(
    past: _Past, new: BallotStatement, accepted: list[Ballot], voted: tuple[bytes, int, int] | None
) -> None:
    for value in sorted(past.votes):
        low, high = past.votes[value]
        top = Ballot(high, value)
        if any(ballot.value != value and ballot > top for ballot in accepted):
            del past.votes[value]
        elif isinstance(new, Prepare) and (voted is None or voted[0] != value or voted[1] > low or voted[2] < high):
            raise Violated(
                "history", f"{new} drops the vote to commit {low}..{high} of {value!r}, which nothing aborts"
            )
        elif isinstance(new, Confirm) and (voted is None or voted[0] != value):
            raise Violated("history", f"{new} while the vote to commit {low}..{high} of {value!r} stands")


def _check_not_aborted(past: _Past, new: BallotStatement, low: Ballot) -> None:
    for value, counter in past.prepared.items():
        if value != low.value and Ballot(counter, value) > low:
            raise Violated("history", f"{new} accepts to commit what {value!r} prepared at {counter} aborts")
