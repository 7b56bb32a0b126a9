"""Broken variants of what a ballot statement says."""

from tests.mutations.mutant import Mutant, Simulated

_SAYS = "coordinator/voting/says.py"
_T = "tests/coordinator/voting/"

SAYS = (
    Mutant(
        name="prepare-votes-for-other-values",
        file=_SAYS,
        right="case Prepare(ballot=b):\n            return b.covers(ballot)",
        wrong="case Prepare(ballot=b):\n            return ballot <= b",
        breaks="a vote to prepare is for lower ballots of the same value only",
        tests=(_T + "test_ballot_prepare.py",),
        simulated=Simulated("slots", 4),
    ),
    Mutant(
        name="p-prime-unheard",
        file=_SAYS,
        right="return (p is not None and p.covers(ballot)) or (q is not None and q.covers(ballot))",
        wrong="return p is not None and p.covers(ballot)",
        breaks="p′ is accepted as prepared, too",
        tests=(_T + "test_ballot_prepare.py",),
    ),
    Mutant(
        name="confirm-accepts-any-prepared",
        file=_SAYS,
        right="return Ballot(n_p, b.value).covers(ballot)",
        wrong="return b.value == ballot.value",
        breaks="CONFIRM accepts prepared up to nP, and only votes beyond",
        tests=(
            _T + "test_scripts.py",
            _T + "test_ballot_prepare.py",
        ),
    ),
    Mutant(
        name="commit-vote-without-c",
        file=_SAYS,
        right="return n_c != 0 and n_c <= lo and hi <= n_h",
        wrong="return n_c <= lo and hi <= n_h",
        breaks="a PREPARE without c votes to commit nothing",
        tests=(
            _T + "test_scripts.py",
            _T + "test_ballot_commit.py",
        ),
        simulated=Simulated("slots", 5),
    ),
    Mutant(
        name="commit-vote-beyond-h",
        file=_SAYS,
        right="return n_c != 0 and n_c <= lo and hi <= n_h",
        wrong="return n_c != 0 and n_c <= lo",
        breaks="a vote to commit ends at h",
        tests=(_T + "test_ballot_commit.py",),
    ),
    Mutant(
        name="prepare-accepts-commit",
        file=_SAYS,
        right="case Prepare():\n            return False",
        wrong="case Prepare(n_c=n_c, n_h=n_h):\n            return n_c != 0 and n_c <= lo and hi <= n_h",
        breaks="a vote to commit is not yet an acceptance",
        tests=(_T + "test_ballot_commit.py",),
        simulated=Simulated("slots", 4),
    ),
    Mutant(
        name="accepts-commit-beyond-h",
        file=_SAYS,
        right="return n_c <= lo and hi <= n_h\n        case Externalize",
        wrong="return n_c <= lo\n        case Externalize",
        breaks="CONFIRM accepts to commit up to nH, and only votes beyond",
        tests=(_T + "test_ballot_commit.py",),
    ),
)
