"""Broken variants of what is newer, of restarts, and of what a slot lets in."""

from tests.mutations.mutant import Mutant, Simulated

_STATE = "coordinator/voting/ballot_state.py"
_NEWNESS = "coordinator/voting/newness.py"
_SLOT = "coordinator/voting/slot.py"
_T = "tests/coordinator/voting/"

MEMORY = (
    Mutant(
        name="confirm-order-ignores-p",
        file=_NEWNESS,
        right="return (old.ballot, old.n_p, old.n_h) < (new.ballot, new.n_p, new.n_h)",
        wrong="return (old.ballot, old.n_h) < (new.ballot, new.n_h)",
        breaks="CONFIRM statements are ordered by b, nP and nH",
        tests=(_T + "test_statement.py",),
    ),
    Mutant(
        name="nominations-may-shrink",
        file=_NEWNESS,
        right="return grown and votes.issuperset(old.votes) and accepted.issuperset(old.accepted)",
        wrong="return grown",
        breaks="a newer nomination holds all of the older",
        tests=(_T + "test_statement.py",),
    ),
    Mutant(
        name="second-externalize",
        file=_NEWNESS,
        right="case (Prepare(), Confirm() | Externalize()) | (Confirm(), Externalize()):",
        wrong="case (Prepare(), Confirm() | Externalize()) | (Confirm() | Externalize(), Externalize()):",
        breaks="nobody decides twice",
        tests=(_T + "test_statement.py",),
        simulated=Simulated("slots", 5, members=4),
    ),
    Mutant(
        name="override-not-restored",
        file=_STATE,
        right="override = value_override or (b.value if n_h else None)",
        wrong="override = None",
        breaks="after a restart the next ballots still carry what was confirmed prepared",
        tests=(_T + "test_restore.py",),
    ),
    Mutant(
        name="h-not-restored",
        file=_STATE,
        right="h = Ballot(n_h, b.value) if n_h else None\n                c =",
        wrong="h = None\n                c =",
        breaks="a restart forgets no confirmed ballot",
        tests=(_T + "test_restore.py",),
        simulated=Simulated("slots", 5, members=4),
    ),
    Mutant(
        name="ballot-not-restored",
        file=_SLOT,
        right="            slot._ballot.restore(state.ballot, state.value_override)",
        wrong="            pass",
        breaks="a restart forgets no ballot",
        tests=(_T + "test_restore.py",),
        simulated=Simulated("slots", 3, members=4),
    ),
    Mutant(
        name="votes-not-restored",
        file=_SLOT,
        right="slot._nomination.restore(state.nominate, state.round, frozenset(state.leaders), state.candidate_seen)",
        wrong="slot._nomination.restore(None, state.round, frozenset(state.leaders), state.candidate_seen)",
        breaks="a restart forgets no nomination",
        tests=(_T + "test_restore.py",),
        simulated=Simulated("slots", 3, members=4),
    ),
    Mutant(
        name="timers-not-restored",
        file=_SLOT,
        right="        self._nomination.resume()\n        self._ballot.check_heard()",
        wrong="        pass",
        breaks="a restart arms the timers again (stellar-core issue 2081)",
        tests=(_T + "test_restore.py",),
        simulated=Simulated("slots", 3, members=4),
    ),
    Mutant(
        name="echo-of-itself",
        file=_SLOT,
        right='            return "own"',
        wrong="            return None",
        breaks="only what a node remembers speaks for it",
        tests=(_T + "test_restore.py", _T + "test_validity.py", _T + "test_statement.py"),
    ),
    Mutant(
        name="another-slot-counts",
        file=_SLOT,
        right='        if statement.slot != self._context.slot:\n            return "another slot"\n',
        wrong="",
        breaks="a vote is about one slot",
        tests=(_T + "test_stale.py",),
    ),
)
