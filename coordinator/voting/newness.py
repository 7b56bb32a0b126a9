"""Which of two statements by one sender is the newer, and when two prove that their sender contradicts itself."""

from coordinator.voting.statement import Ballot, Confirm, Externalize, Nominate, Prepare, Statement


def is_newer(old: Statement, new: Statement) -> bool:
    """Whether `new` follows `old` in its protocol's order; a strict partial order, total for honest senders."""
    match old, new:
        case Nominate(), Nominate():
            votes, accepted = frozenset(new.votes), frozenset(new.accepted)
            grown = len(votes) > len(old.votes) or len(accepted) > len(old.accepted)
            return grown and votes.issuperset(old.votes) and accepted.issuperset(old.accepted)
        case Prepare(), Prepare():
            return _prepare_key(old) < _prepare_key(new)
        case Confirm(), Confirm():
            return (old.ballot, old.n_p, old.n_h) < (new.ballot, new.n_p, new.n_h)
        case (Prepare(), Confirm() | Externalize()) | (Confirm(), Externalize()):
            return True
        case _:
            return False


def contradiction(old: Statement, new: Statement) -> str | None:
    """What the two statements prove against their sender, or None: evidence that anyone can check.

    The order of the two does not matter. Statements of two senders, slots or protocols prove nothing.
    """
    if old == new or (old.node, old.slot) != (new.node, new.slot):
        return None
    if isinstance(old, Nominate) is not isinstance(new, Nominate):
        return None
    x, y = _committed(old), _committed(new)
    if x is not None and y is not None and x != y:
        return "accepted to commit two values"
    if not is_newer(old, new) and not is_newer(new, old):
        return "two statements of which neither follows the other"
    return None


def _committed(statement: Statement) -> bytes | None:
    match statement:
        case Confirm(ballot=b) | Externalize(commit=b):
            return b.value
        case Nominate() | Prepare():
            return None


def _prepare_key(statement: Prepare) -> tuple[Ballot, tuple[Ballot, ...], tuple[Ballot, ...], int]:
    """b, p, p′ and h in order; an empty tuple is a missing p and sorts below every ballot."""
    p, q = statement.prepared, statement.prepared_prime
    return statement.ballot, (p,) if p else (), (q,) if q else (), statement.n_h
