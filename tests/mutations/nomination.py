"""Broken variants of nomination and of the choice of round leaders."""

from tests.mutations.mutant import Mutant, Simulated

_NOMINATION = "coordinator/voting/nomination.py"
_LEADERS = "coordinator/voting/leaders.py"
_T = "tests/coordinator/voting/"

NOMINATION = (
    Mutant(
        name="echo-after-a-candidate",
        file=_NOMINATION,
        right="if not self.candidate_seen and statement.node in self.leaders:",
        wrong="if statement.node in self.leaders:",
        breaks="once a value is a candidate no new one is voted for",
        tests=(_T + "test_nomination.py",),
        simulated=Simulated("slots", 1, first=15),
    ),
    Mutant(
        name="timer-after-a-candidate",
        file=_NOMINATION,
        right="                self.candidate_seen = True\n                self.deadline_ms = None",
        wrong="                self.candidate_seen = True",
        breaks="a candidate stops the rounds",
        tests=(_T + "test_nomination.py",),
    ),
    Mutant(
        name="own-value-without-leading",
        file=_NOMINATION,
        right="if value is None or self.voted or self._context.node not in self.leaders:",
        wrong="if value is None or self.voted:",
        breaks="only a round leader proposes",
        tests=(_T + "test_nomination.py",),
    ),
    Mutant(
        name="own-value-never",
        file=_NOMINATION,
        right="        self.voted.add(value)\n        return True\n\n    def _accepts",
        wrong="        return True\n\n    def _accepts",
        breaks="a round leader's own value is voted for",
        tests=(_T + "test_nomination.py",),
        simulated=Simulated("slots", 1),
    ),
    Mutant(
        name="leaders-flood",
        file=_NOMINATION,
        right="if len(self.voted) >= VOTES_CHOSEN_MAX or self._echoed.get(leader, 0) >= ECHOES_MAX:",
        wrong="if False:",
        breaks="a leader that floods does not fill everybody's statement",
        tests=(_T + "test_nomination.py",),
    ),
    Mutant(
        name="candidate-without-quorum",
        file=_NOMINATION,
        right="return self.votes.confirm(lambda s: value in s.accepted)",
        wrong="return self.votes.blocking(lambda s: value in s.accepted)",
        breaks="a candidate is accepted by a quorum",
        tests=(_T + "test_nomination.py",),
        simulated=Simulated("slots", 4),
    ),
    Mutant(
        name="leader-by-lowest-priority",
        file=_LEADERS,
        right="if priority > best:",
        wrong="if best == 0 or priority < best:",
        breaks="everybody finds the same round leader: the highest priority",
        tests=(_T + "test_leaders.py",),
    ),
    Mutant(
        name="weight-of-inner-sets",
        file=_LEADERS,
        right="            return _share(weight, quorum_set)\n    return 0",
        wrong="            return weight\n    return 0",
        breaks="a member leads as often as its share of slices",
        tests=(_T + "test_leaders.py",),
    ),
)
