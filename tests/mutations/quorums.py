"""Broken variants of what a quorum is, and of federated accept and confirm."""

from tests.mutations.mutant import Mutant, Simulated

_QUORUM = "coordinator/voting/quorum.py"
_ACCEPT = "coordinator/voting/accept.py"
_T = "tests/coordinator/voting/"
_GATES = "coordinator/voting/gates.py"

QUORUMS = (
    Mutant(
        name="one-slice-is-a-quorum",
        file=_ACCEPT,
        right="if here and not self._has_slice(digest, found):",
        wrong="if False:",
        breaks="a quorum holds a slice of each of its members, not only of this node",
        tests=(_T + "test_accept.py",),
        simulated=Simulated("slots", 6),
    ),
    Mutant(
        name="quorum-judged-once",
        file=_ACCEPT,
        right="                    dropped = True\n            if dropped",
        wrong="                    dropped = False\n            if dropped",
        breaks="who hangs on a sender that dropped out drops out, too",
        tests=(_T + "test_accept.py",),
        simulated=Simulated("slots", 6),
    ),
    Mutant(
        name="unknown-set-counts",
        file=_ACCEPT,
        right="            if quorum_set is None:\n                return False",
        wrong="            if quorum_set is None:\n                return True",
        breaks="a sender whose quorum set is not known cannot count",
        tests=(_T + "test_accept.py", _T + "test_validity.py"),
    ),
    Mutant(
        name="old-word-counts-on",
        file=_ACCEPT,
        right="                self._saying[said] = one, all_ ^ bit",
        wrong="                self._saying[said] = one, all_",
        breaks="only a sender's newest statement counts",
        tests=(_T + "test_accept.py",),
        simulated=Simulated("slots", 1, first=60, members=4),
    ),
    Mutant(
        name="blocking-one-too-few",
        file=_GATES,
        right="needed = self.members.bit_count() + len(self.inner) - self.threshold + 1",
        wrong="needed = self.members.bit_count() + len(self.inner) - self.threshold",
        breaks="as many as may lie are v-blocking, so liars alone make honest nodes accept",
        tests=(_T + "test_accept.py",),
        simulated=Simulated("slots", 3),
    ),
    Mutant(
        name="threshold-zero-blocked",
        file=_QUORUM,
        right="if quorum_set.threshold == 0:\n        return False",
        wrong="if quorum_set.threshold == 0:\n        return True",
        breaks="a set that asks for nobody cannot be blocked",
        tests=(_T + "test_quorum.py",),
    ),
    Mutant(
        name="accept-on-blocking-votes",
        file=_ACCEPT,
        right="return self.blocking(accepted) or",
        wrong="return self.blocking(voted) or self.blocking(accepted) or",
        breaks="votes of a v-blocking set prove nothing: they may be withdrawn",
        tests=(_T + "test_ballot_prepare.py", _T + "test_nomination.py"),
        simulated=Simulated("slots", 1),
    ),
    Mutant(
        name="no-accept-by-blocking",
        file=_ACCEPT,
        right="return self.blocking(accepted) or self.quorum",
        wrong="return self.quorum",
        breaks="who voted for something else can never follow the others",
        tests=(_T + "test_ballot_prepare.py", _T + "test_ballot_commit.py"),
        simulated=Simulated("slots", 5),
    ),
    Mutant(
        name="confirm-by-blocking",
        file=_ACCEPT,
        right="return self.quorum(accepted)",
        wrong="return self.blocking(accepted)",
        breaks="confirming takes a quorum",
        tests=(_T + "test_ballot_prepare.py", _T + "test_ballot_commit.py"),
        simulated=Simulated("slots", 4),
    ),
    Mutant(
        name="externalize-with-its-set",
        file=_ACCEPT,
        right="            if not isinstance(statement, Externalize):",
        wrong="            if True:",
        breaks="who has decided no longer waits for its slices, which may be gone",
        tests=(_T + "test_ballot_commit.py", _T + "test_validity.py"),
        simulated=Simulated("slots", 1, first=13),
    ),
)
