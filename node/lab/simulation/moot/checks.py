"""All that is checked of whole nodes: while faults last at every step, and after they healed that everything ends."""

from collections.abc import Iterable, Sequence

from coordinator.effects import Ended, Save, SaveEntry
from coordinator.ledger.genesis import Genesis
from coordinator.messages import MootMessage, Records
from coordinator.signed import Digest, NodeId, Signed, Verifier
from node.lab.simulation.moot import limits
from node.lab.simulation.moot.decisions import Decisions
from node.lab.simulation.moot.host import Host
from node.lab.simulation.moot.process import Process
from node.lab.simulation.moot.views import Views
from node.lab.simulation.moot.words import Words
from node.lab.simulation.outcome import Violated
from node.lab.simulation.timeline import Timeline
from node.membership.events import MemberChanged, Status

LOOK_EVERY = 64
"""Turns of one machine between two looks at all that it keeps."""
RISE_MAX = 10
"""L3: how far ballot counters may rise in a healthy moot."""
SETTLING_MS = 10_000
"""Until what liars sent last has arrived; it may still raise counters."""


class MootChecks:
    """Honest machines are judged; the others are only kept from harming them."""

    def __init__(self, genesis: Genesis, verifier: Verifier, timeline: Timeline) -> None:
        self._genesis = genesis
        self._verifier = verifier
        self._timeline = timeline
        self._turns: dict[int, int] = {}
        self._counters_before: dict[NodeId, dict[int, int]] | None = None
        self.ended_ms: dict[Digest, int] = {}
        """When a question was first reported as decided."""
        self._heard: dict[Digest, dict[int, tuple[int, int]]] = {}
        """Who heard a record last in which life, and when."""
        self.repeats = 0
        """Statements of members whose disk forgot that contradict what they said before."""

    def watch_over(self, hosts: list[Host]) -> None:
        """Called once, before anything happens."""
        self.hosts = hosts
        self.honest = [host for host in hosts if host.honest]
        self.views = Views(hosts)
        self.decisions = Decisions(self._genesis, hosts, self._verifier.verify)
        self.words = {host.node: Words(host.node) for host in self.honest}

    # What machines report.

    def started(self, host: Host, process: Process) -> None:
        if not host.honest:
            return
        self.words[host.node].started()
        self.views.started(host, process, self._timeline.now_ms)
        lost = [one for one, slot in host.reported.items() if process.moot.ledger.height <= slot]
        lost += [one for one in host.reported if one not in process.moot.ledger.decided]
        if lost and not host.forgetful:
            raise Violated("durability", f"node {host.number} reported {lost[0].hex()[:8]} as decided, and forgot it")

    def saved(self, host: Host, saves: Sequence[Save]) -> None:
        if host.honest:
            for save in saves:
                if isinstance(save, SaveEntry):
                    self.decisions.saved(host, save)

    def sends(self, host: Host, message: MootMessage) -> None:
        for old, new in self.words[host.node].sends(message, host.disk, host.forgetful):
            self.repeats += 1
            if len(self._hold(old, host)) > self._missed_max():
                raise Violated("history", f"node {host.number} says {new}, and others still know that it said {old}")

    def _missed_max(self) -> int:
        roster = self.decisions.roster
        return len(roster.members) - roster.charter.threshold

    def heard(self, receiver: Host, message: MootMessage) -> None:
        """A message reached a process. Called only where the disk of a member may forget."""
        if isinstance(message, Records) and receiver.honest:
            for record in message.records:
                self._heard.setdefault(record.digest(), {})[receiver.number] = receiver.lives, self._timeline.now_ms

    def _hold(self, said: Signed, author: Host) -> list[int]:
        """Who knew of this statement when its author's process began, and runs since then.

        The author votes once so many members have shown what they hold that with itself they make a quorum. So it may
        miss what no more of the others know than a quorum leaves out.
        """
        heard = self._heard.get(said.digest(), {})
        return [
            number
            for number, (life, at_ms) in heard.items()
            if number != author.number and life == self.hosts[number].lives and at_ms < author.started_ms
        ]

    def ended(self, host: Host, ended: Ended) -> None:
        if not host.honest or ended.slot is None:
            return
        entry = host.disk.entries[ended.slot : ended.slot + 1]
        if not entry or not entry[0][1] or host.disk.questions.get(ended.question) != ended.slot:
            raise Violated("durability", f"node {host.number} reports a decision of which its disk has no proof")
        host.reported[ended.question] = ended.slot
        self.ended_ms.setdefault(ended.question, self._timeline.now_ms)

    def cloned(self, host: Host) -> None:
        """Only a disk that forgot can bring back an epoch that others have outgrown."""
        if host.honest and not host.forgetful:
            raise Violated("keys", f"node {host.number} stops as its own clone, and its disk has forgotten nothing")

    def changed(self, host: Host, change: MemberChanged) -> None:
        if host.honest:
            self.views.changed(host, change, self._timeline.now_ms)

    def forgotten(self, host: Host, node: NodeId) -> None:
        if host.honest:
            self.views.forgotten(host, node)

    def turned(self, host: Host) -> None:
        if not host.honest:
            return
        turns = self._turns[host.number] = self._turns.get(host.number, 0) + 1
        if turns % LOOK_EVERY == 0:
            self.look(host)

    def look(self, host: Host) -> None:
        self.views.look(host)
        limits.look(host, len(self.hosts))

    # After all has healed.

    def healed(self) -> None:
        self.views.calm_again(self._timeline.now_ms)

    def open_words(self) -> Iterable[str]:
        """What is not as it must be in the end, in words; the first word of each is the invariant."""
        height = len(self.decisions.agendas)
        for host in self._judged():
            process = host.process
            if process is None:
                yield f"undecided: node {host.number} is down"
                continue
            ledger, sessions = process.moot.ledger, process.moot.questions.sessions
            if sessions:
                yield f"undecided: node {host.number} has {len(sessions)} open questions"
            if ledger.height < height:
                yield f"undecided: node {host.number} has decided {ledger.height} of {height} slots"
            if ledger.unproven:
                yield f"undecided: node {host.number} has no proof of {len(ledger.unproven)} slots"
            yield from self._unseen(host, process)

    def _judged(self) -> Iterable[Host]:
        """Honest members of the newest roster: who was removed need not keep up."""
        nodes = self.decisions.roster.nodes
        return (host for host in self.honest if host.node in nodes)

    def _unseen(self, host: Host, process: Process) -> Iterable[str]:
        statuses = {one.node: one.status for one in process.membership.members()}
        for other in self.hosts:
            if other.node not in self.decisions.roster.nodes:
                continue
            status = statuses.get(other.node)
            if other.honest and status is not Status.ALIVE:
                yield f"not-all-alive: node {host.number} holds node {other.number} {_word(status)}"
            if not other.honest and status in (Status.ALIVE, Status.SUSPECT):
                yield f"unnoticed: node {host.number} holds node {other.number} {_word(status)}, which is silent"

    def settle(self) -> None:
        """What liars said last has arrived: from here on counters show how voting fares among the honest."""
        self._counters_before = {node: dict(words.counters) for node, words in self.words.items()}

    def check_rise(self) -> None:
        if self._counters_before is None:
            return
        for host in self.honest:
            before = self._counters_before[host.node]
            top = max((max(one.values(), default=0) for one in self._counters_before.values()), default=0)
            for slot, counter in self.words[host.node].counters.items():
                start = top if slot in before else 0
                if counter - start > RISE_MAX and counter > max(before.get(slot, 0), start):
                    raise Violated(
                        "livelock", f"node {host.number} came from ballot {start} to {counter} of slot {slot}"
                    )


def _word(status: Status | None) -> str:
    return "unknown" if status is None else status.name.lower()
