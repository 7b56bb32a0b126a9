"""Broken variants of a whole node's part in voting: what it saves and sends, and what it counts."""

from tests.mutations.mutant import Mutant, Simulated

_ASSEMBLY = "coordinator/assembly.py"
_MOOT = "coordinator/moot.py"
_SESSION = "coordinator/session.py"
_DRIVER = "coordinator/agenda_driver.py"
_T = "tests/coordinator/"

DECIDING = (
    # No run sees the first two: the shell, and simulated machines like it, write all that a step saves before they send
    # anything of it.
    Mutant(
        name="send-before-save",
        file=_ASSEMBLY,
        right="return effects + [Send(other, Records(own)) for other in self._others()]",
        wrong="return [*(Send(other, Records(own)) for other in self._others()), *effects]",
        breaks="what was sent is on disk, so that it is never contradicted after a crash",
        tests=(_T + "test_assembly.py",),
    ),
    Mutant(
        name="answer-sent-before-saved",
        file="coordinator/questions.py",
        right="return effects + [Send(node, Records(records)) for node in self._others]",
        wrong="return [*(Send(node, Records(records)) for node in self._others), *effects]",
        breaks="an answer that was sent is on disk",
        tests=(_T + "test_saved_first.py",),
    ),
    Mutant(
        name="voting-not-restored",
        file=_MOOT,
        right="self.assembly.restore(*restored.voting, restored.agendas)",
        wrong="pass",
        breaks="after a restart a node knows what it has signed",
        tests=(_T + "test_saved_first.py",),
        simulated=Simulated("churn", 1, members=4),
    ),
    Mutant(
        name="votes-at-once",
        file=_ASSEMBLY,
        right="        self.may_vote = False\n",
        wrong="        self.may_vote = True\n",
        breaks="after a start a node votes only when the others have shown what they hold of it",
        tests=(_T + "test_assembly.py",),
    ),
    Mutant(
        name="never-silent",
        file=_ASSEMBLY,
        right="        if record.digest() in known or self._silent_slot",
        wrong="        if True or self._silent_slot",
        breaks="who said something that it has forgotten says no more in that slot",
        tests=(_T + "test_assembly.py",),
    ),
    Mutant(
        name="statement-by-another",
        file=_ASSEMBLY,
        right="if statement.node != record.author:",
        wrong="if False:",
        breaks="a statement is by who signed it",
        tests=(_T + "test_assembly.py",),
    ),
    Mutant(
        name="contradiction-untold",
        file=_ASSEMBLY,
        right="return list(self._evidence.pair(counted.record, record))",
        wrong="return []",
        breaks="who contradicts itself is shown to people",
        tests=(_T + "test_assembly.py",),
    ),
    Mutant(
        name="unsigned-record-taken",
        file=_MOOT,
        right="if record.author in self.ledger.seats and self._verify(record):",
        wrong="if record.author in self.ledger.seats:",
        breaks="a record with a bad signature has no effect at all",
        tests=(_T + "test_questions.py",),
        simulated=Simulated("byzantine", 1, first=38, members=4),
    ),
    Mutant(
        name="removed-member-answers",
        file=_MOOT,
        right="case _ if record.author not in self.ledger.roster.nodes:",
        wrong="case _ if False:",
        breaks="who was removed takes part no more",
        tests=(_T + "test_roster_changes.py",),
        simulated=Simulated("upgrade-of-roster", 1, first=20, members=4),
    ),
    Mutant(
        name="agenda-of-elsewhere",
        file=_DRIVER,
        right="if (header.slot, header.previous) != (ledger.height, ledger.head):",
        wrong="if False:",
        breaks="an agenda follows the entry before",
        tests=(_T + "test_assembly.py",),
    ),
    Mutant(
        name="question-ended-twice",
        file=_DRIVER,
        right="if ledger.repeats(agenda):",
        wrong="if False:",
        breaks="a question is decided once",
        tests=(_T + "test_proven_entries.py",),
    ),
    Mutant(
        name="hurried-leader-followed",
        file=_DRIVER,
        right="        early = self._early_items(value)\n        if early is None:",
        wrong="        early = self._early_items(value)\n        if True:",
        breaks="a leader in a hurry cannot end a question before its members have answered",
        tests=(_T + "test_assembly.py",),
    ),
    Mutant(
        name="heard-member-left-out",
        file=_SESSION,
        right="if any(has.get(key, 0) < count for key, count in needed.items()):",
        wrong="if False:",
        breaks="a nominator does not choose the answer by choosing who is counted",
        tests=(_T + "test_session.py",),
    ),
    Mutant(
        name="records-without-bound",
        file=_SESSION,
        right="if digest in self._known or sum(one.author == author for one in before) >= PER_MEMBER_MAX:",
        wrong="if digest in self._known:",
        breaks="no member fills another's disk with contradictions",
        tests=(_T + "test_session.py",),
    ),
    Mutant(
        name="evidence-dropped",
        file=_SESSION,
        right="if digest in self._known or sum(one.author == author for one in before) >= PER_MEMBER_MAX:",
        wrong="if digest in self._known or any(one.author == author for one in before):",
        breaks="a second, different answer of one member is kept: it proves the contradiction",
        tests=(_T + "test_session.py",),
    ),
    Mutant(
        name="old-disk-votes",
        file="coordinator/catch_up.py",
        right="return now_ms < since_ms + ENTRIES_WAIT_MS",
        wrong="return False",
        breaks="who is behind fetches what was decided before it votes",
        tests=(_T + "test_returning.py",),
    ),
)
