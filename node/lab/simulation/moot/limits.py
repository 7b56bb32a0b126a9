"""S5: everything that a node keeps is bounded by a named limit, however many messages come."""

from collections import Counter

from coordinator.agenda_driver import AGENDAS_KEPT
from coordinator.ledger.agenda import PER_MEMBER_MAX
from coordinator.messages import DIGESTS_MAX
from coordinator.questions import OPEN_MAX
from coordinator.voting import VALUES_MAX
from node.lab.simulation.moot.host import Host
from node.lab.simulation.moot.process import Process
from node.lab.simulation.outcome import Violated
from node.membership.beliefs import HELD_MAX
from node.membership.intake import SEEN_MAX
from node.membership.local import SPACED_MAX
from node.shell import INBOX_MAX

STATEMENTS_PER_MEMBER = 2
"""The newest nomination and the newest ballot statement."""
BALLOT_VALUES_MAX = 3
"""Values that a ballot statement names: of its ballot, p and p′."""


def look(host: Host, members: int) -> None:
    """Raises Violated where something has outgrown its limit. `members` is how many ever sat in the roster, at most."""
    if host.process is None:
        return
    sizes = [
        *_of_questions(host.process, members),
        *_of_voting(host.process, members),
        *_of_membership(host.process, members),
    ]
    for name, size, most in [*sizes, ("inbox", len(host.turns.inbox), INBOX_MAX)]:
        if size > most:
            raise Violated("memory", f"node {host.number} keeps {size} {name}, at most {most} are allowed")


def _of_questions(process: Process, members: int) -> list[tuple[str, int, int]]:
    questions = process.moot.questions
    opinions_max = PER_MEMBER_MAX * members
    askers = Counter(session.record.author for session in questions.sessions.values())
    return [
        ("open questions", len(questions.sessions), max(OPEN_MAX, members)),
        ("open questions of one asker", max(askers.values(), default=0), questions.share),
        ("proposals", max((len(one.proposals) for one in questions.sessions.values()), default=0), opinions_max),
        ("preferences", max((len(one.preferences) for one in questions.sessions.values()), default=0), opinions_max),
    ]


def _of_voting(process: Process, members: int) -> list[tuple[str, int, int]]:
    assembly, catch_up = process.moot.assembly, process.moot.catch_up
    driver = process.moot._driver
    statements_max = STATEMENTS_PER_MEMBER * members
    named_max = (statements_max // 2 + 1) * (VALUES_MAX + BALLOT_VALUES_MAX)
    agendas_max = max(AGENDAS_KEPT, 2 * named_max)
    lacking = max((len(lacks) for lacks in catch_up._lacking.values()), default=0)
    return [
        ("counted statements", len(assembly._latest), statements_max),
        ("waiting statements", len(assembly._waiting), statements_max),
        ("early statements", len(assembly._early), statements_max),
        ("agendas", len(driver.agendas) + len(driver._refused), agendas_max),
        ("digests that one member showed", lacking, DIGESTS_MAX),
    ]


def _of_membership(process: Process, members: int) -> list[tuple[str, int, int]]:
    membership = process.membership
    local, beliefs = membership._local, membership._beliefs
    return [
        ("members", len(local.members), min(local.settings.members_max, members)),
        ("items of gossip", len(local.queue), local.settings.queue_max),
        ("held accusations", len(beliefs._held), HELD_MAX),
        ("checked items", len(beliefs.intake._seen), SEEN_MAX),
        ("spaced answers", len(local.corrections._last_ms), SPACED_MAX),
    ]
