"""One node's part in a moot, as a pure state machine: questions get ready, slots decide them, a ledger keeps them.

Everything is judged by the roster in force. A node that does not sit in it follows: it checks and keeps what it is
given of the ledger, and neither asks nor answers nor votes.
"""

import random
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import chain

from coordinator.agenda_driver import AgendaDriver, VotingSettings
from coordinator.assembly import Assembly, Decided
from coordinator.catch_up import CatchUp
from coordinator.charter import Charter
from coordinator.effects import Effect, Ended, Note, Progress, RosterChanged, Send, SendEntries
from coordinator.events import (
    Approved,
    Asked,
    ClockSet,
    Event,
    Generated,
    ModelFailed,
    Proposed,
    Reachable,
    Received,
    Tick,
)
from coordinator.evidence import OpenEvidence
from coordinator.ledger.agenda import ChangeItem, Item
from coordinator.ledger.genesis import Genesis
from coordinator.ledger.resolution import resolve
from coordinator.messages import (
    AGENDAS_MAX,
    RECORDS_MAX,
    Agendas,
    Entries,
    MootMessage,
    Records,
    Status,
    Want,
    WantEntries,
)
from coordinator.open_changes import OpenChanges
from coordinator.questions import OpenQuestions
from coordinator.restored import Restored, ledger_of
from coordinator.session import Session
from coordinator.signed import Digest, Kind, NodeId, Signed, Signer, Verifier

QUESTION_KINDS = (Kind.QUESTION, Kind.PROPOSAL, Kind.PREFERENCE)
UNDECIDED_MS = 30_000
"""After the deadline, how long voting may take before the asker is told that there is no decision yet."""


class Moot:
    """Every record is checked before anything else happens to it: one with a bad signature has no effect at all."""

    def __init__(
        self,
        *,
        signer: Signer,
        verifier: Verifier,
        genesis: Genesis,
        settings: VotingSettings,
        rng: random.Random,
        wall_offset_ms: int,
        restored: Restored,
        now_ms: int,
    ) -> None:
        self.genesis = genesis
        self._node = signer.node
        self._verify = verifier.verify
        self._seen = frozenset({self._node})
        """Whom membership holds up, whether they sit in the roster or not."""
        self._now_ms = now_ms
        self._ready: dict[Digest, Session] = {}
        self._look_at_all = True
        self._due_ms: int | None = None
        """When an open question has to be looked at, at the latest, though nothing new came about it."""
        self._proposed: tuple[int, tuple[tuple[Digest, int], ...]] = (0, ())
        """The slot of our newest agenda, its questions and its change, and how many records each had."""
        self.ledger = ledger_of(genesis, restored)
        self.questions = OpenQuestions(signer, self.ledger, wall_offset_ms)
        self.changes = OpenChanges(signer, self.ledger)
        self.evidence = OpenEvidence(self._node, self.ledger, self._verify)
        self._driver = AgendaDriver(self._node, self.ledger, self._verify, self._timely, settings)
        self._driver.reachable = self._seen & self.ledger.roster.nodes
        self.assembly = Assembly(signer, self.ledger, self._driver, self._verify, settings, self.evidence)
        self.catch_up = CatchUp(self._node, self.ledger, self.assembly, self._held, self._verify, rng)
        self._restore(restored, now_ms)

    def start(self, now_ms: int) -> list[Effect]:
        """Take up open questions where the disk left them; call once, before any step."""
        self.catch_up.start(now_ms)
        return self._settle(self.questions.resume(), now_ms)

    def step(self, event: Event, now_ms: int) -> list[Effect]:
        """Advance by one event. Every event in every state is answered, perhaps with nothing.

        Raises:
            QuestionError: only for Asked, when there is no room for another question or this node may not ask.
            RosterError: only for Proposed and Approved, when the roster cannot be changed so.
        """
        self._now_ms = self._driver.now_ms = now_ms
        effects: Sequence[Effect | Decided] = ()
        match event:
            case Received(sender, message):
                if sender in self.ledger.seats and sender != self._node:
                    effects = self._received(sender, message, now_ms)
            case Asked(question):
                effects = self.questions.ask(question, now_ms)
            case Proposed(change):
                effects = self.changes.propose(change)
            case Approved(change):
                effects = self.changes.approve(change)
            case Generated():
                effects = self.questions.generated(event)
            case ModelFailed(question):
                effects = self.questions.abstain(question)
            case Reachable(nodes):
                effects = self._reached(nodes, now_ms)
            case ClockSet(wall_offset_ms):
                self.questions.wall_offset_ms = wall_offset_ms
            case Tick():
                pass
        return self._settle(effects, now_ms)

    def next_deadline_ms(self) -> int | None:
        """When to step with a Tick, if nothing else happens before."""
        dues = [self.assembly.next_deadline_ms(), self.catch_up.next_deadline_ms(), self._due_ms]
        return min((due for due in dues if due is not None), default=None)

    @property
    def reachable(self) -> frozenset[NodeId]:
        """Of the roster in force."""
        return self._driver.reachable

    def _received(self, sender: NodeId, message: MootMessage, now_ms: int) -> Sequence[Effect | Decided]:
        removed_in = self.ledger.removed_in(sender)
        if removed_in is not None and removed_in not in self.ledger.unproven:  # Its own word may be what proves it.
            return self._received_from_removed(sender, message, removed_in, now_ms)
        match message:
            case Records(records):
                effects = [effect for record in records for effect in self._record(record, sender, now_ms)]
                effects += self.evidence.compare(records)
                self.catch_up.came(records, now_ms)
                return effects
            case Status():
                return self.catch_up.status(sender, message, now_ms)
            case Want(digests):
                return self._wanted(sender, digests)
            case Agendas(agendas):
                self.assembly.take_agendas(agendas)
                return ()
            case WantEntries(slot):
                return [SendEntries(sender, slot)] if slot < self.ledger.height else []
            case Entries():
                return self.catch_up.entries(sender, message, now_ms)

    def _received_from_removed(
        self, sender: NodeId, message: MootMessage, removed_in: int, now_ms: int
    ) -> Sequence[Effect | Decided]:
        """Who was removed while it was away has to learn it: it may read the ledger up to that decision, and no more.

        If it is we who were away, what it brings comes with its proof.
        """
        match message:
            case Status(height=slot) | WantEntries(slot) if slot <= removed_in < self.ledger.height:
                return [SendEntries(sender, slot, removed_in + 1)]
            case Entries():
                return self.catch_up.entries(sender, message, now_ms)
            case _:
                return ()

    def _record(self, record: Signed, sender: NodeId, now_ms: int) -> Sequence[Effect | Decided]:
        if record.author in self.ledger.seats and self._verify(record):
            match record.kind:
                case Kind.STATEMENT:  # It may be of a slot in which another roster held: see there.
                    return self.assembly.receive(record, sender, now_ms)
                case _ if record.author not in self.ledger.roster.nodes:
                    pass
                case Kind.QUESTION:
                    return self.questions.question(record, sender, now_ms)
                case Kind.PROPOSAL | Kind.PREFERENCE:
                    return self.questions.opinion(record)
                case Kind.CHANGE:
                    return self.changes.change(record, sender)
                case Kind.APPROVAL:
                    return self.changes.approval(record)
                case _:
                    pass
        return [Note("record.refused", (("sender", sender), ("kind", record.kind.value)))]

    def _reached(self, nodes: frozenset[NodeId], now_ms: int) -> list[Effect]:
        before, self._seen = self.reachable, nodes | {self._node}
        self._look_again()
        return self.catch_up.greet(sorted(self.reachable - before), now_ms)

    def _look_again(self) -> None:
        """Who is reachable or counts is not what it was."""
        self._driver.reachable = self._seen & self.ledger.roster.nodes
        self.assembly.look_needed = self._look_at_all = True

    def _held(self) -> Iterable[Signed]:
        return chain(self.questions.held(), self.changes.held(), self.evidence.held())

    def _wanted(self, sender: NodeId, digests: Iterable[Digest]) -> list[Effect]:
        held = {record.digest(): record for record in (*self.assembly.records(), *self._held())}
        agendas = {**{one.agenda.digest: one.agenda for one in self.ledger.unproven.values()}, **self._driver.agendas}
        wanted = sorted(set(digests))
        # A short question must not bring many megabytes of answers; who needs more asks again.
        named = [name for name in wanted if name in agendas][:AGENDAS_MAX]
        effects: list[Effect] = [Send(sender, Agendas((agendas[name].encode(),))) for name in named]
        records = tuple(held[name] for name in wanted if name in held)
        for start in range(0, len(records), RECORDS_MAX):
            effects.append(Send(sender, Records(records[start : start + RECORDS_MAX])))
        return effects

    def _settle(self, effects: Sequence[Effect | Decided], now_ms: int) -> list[Effect]:
        """Play everything that this event allows to its end: ready questions, votes, decisions, the next slot."""
        done: list[Effect] = []
        shown = self.catch_up.shown() + 1
        self.assembly.may_vote = self.assembly.may_vote or shown >= self._charter.threshold
        busy = bool(self.questions.sessions or self.ledger.unproven or self.assembly.running or self.changes.ready())
        busy = busy or not self.assembly.may_vote or self.catch_up.is_behind()
        if busy:
            self.catch_up.hurry(now_ms)
        queue: deque[Effect | Decided] = deque(effects)
        looked_at = self._to_look_at(now_ms)
        queue += self._note_ready(looked_at, now_ms)
        queue += self.assembly.tick(now_ms)
        queue += self.catch_up.tick(self._seen, busy, now_ms)
        while True:
            while queue:
                effect = queue.popleft()
                done += self._decided(effect) if isinstance(effect, Decided) else [effect]
            queue += self._go_on(now_ms)
            if not queue:
                return done + self._report_open(looked_at, now_ms)

    def _to_look_at(self, now_ms: int) -> list[Session]:
        """The open questions of which something may have changed: looking at all at each event would be slow."""
        names: Iterable[Digest] = self.questions.touched
        if self._look_at_all or (self._due_ms is not None and now_ms >= self._due_ms):
            self._look_at_all, self._due_ms, names = False, None, self.questions.sessions
        sessions = [self.questions.sessions[name] for name in names if name in self.questions.sessions]
        self.questions.touched = {}
        return sessions

    def _note_ready(self, sessions: Iterable[Session], now_ms: int) -> list[Effect]:
        charter, effects = self._charter, list[Effect]()
        for session in sessions:
            if now_ms >= session.deadline_at_ms:
                effects += self.questions.abstain(session.id)
            if session.becomes_ready(self.ledger.roster.nodes, self.reachable, charter, now_ms):
                self._ready[session.id] = session
                self.assembly.look_needed = True
                effects.append(Progress(session.id, "ready", None))
        return effects

    def _go_on(self, now_ms: int) -> list[Effect | Decided]:
        """Nominate what is ready, and let voting look at what it waits for. Nothing new gives nothing."""
        effects: list[Effect | Decided] = []
        ready: list[Session] = []
        change: ChangeItem | None = None
        if self.assembly.may_vote and (not self.assembly.running or self.assembly.takes_proposals()):
            ready, change = self._to_nominate(), self.changes.ready()
        if (ready or change) and not self.assembly.running:
            effects += self.assembly.propose(None, now_ms)
        if (ready or change) and self.assembly.takes_proposals():
            counts = [(one.id, len(one.proposals) + len(one.preferences)) for one in ready]
            mark = (self.ledger.height, (*counts, *([(change.id, len(change.approvals))] if change else [])))
            if mark != self._proposed:
                self._proposed = mark
                agenda = self._driver.agenda_of(
                    (one.item() for one in ready), [change] if change else [], self.evidence.open.values()
                )
                effects += self.assembly.propose(agenda, now_ms)
        return effects + self.assembly.look_again(now_ms)

    def _to_nominate(self) -> list[Session]:
        """What is ready and can be answered, or cannot although a quorum has said something about it.

        Others vote for an end without an answer only when they have heard the question and waited too. An asker who
        gives each member another question could else make each vote for what nobody else does, and so stop them all.
        """
        ready = self._ready.values()
        return [one for one in ready if one.enough_at_ms is not None or one.answered() >= one.turnout(self._charter)]

    @property
    def _charter(self) -> Charter:
        return self.ledger.roster.charter

    def _decided(self, decided: Decided) -> list[Effect]:
        slot = decided.agenda.header.slot
        questions = [item.id for item in decided.agenda.items]
        if decided.proven:
            return [Ended(question, slot) for question in questions]
        for question in questions:
            self.questions.sessions.pop(question, None)
            self._ready.pop(question, None)
        effects: list[Effect] = [Progress(question, "voted", None) for question in questions]
        effects += self.evidence.decided()
        return effects + (self._take_roster(slot) if decided.agenda.change else [])

    def _take_roster(self, slot: int) -> list[Effect]:
        """Go on by the roster that the slot decided, which holds from the next one on."""
        roster, before = self.ledger.roster, self.ledger.roster_at(slot)
        effects = [*self.changes.take_roster(), *self.questions.take_roster()]
        self._ready = {name: one for name, one in self._ready.items() if name in self.questions.sessions}
        self._look_again()
        effects += [Note("roster.changed", (("epoch", roster.epoch), ("members", len(roster.members))))]
        if self._node in before.nodes - roster.nodes:
            effects.append(Note("roster.removed", (("member", self._node), ("slot", slot))))
        return [*effects, RosterChanged(roster)]

    def _report_open(self, looked_at: Iterable[Session], now_ms: int) -> list[Effect]:
        """Tell who waits that a question cannot be decided now. It stays open: members that return still end it.

        Also notes when these questions are to be looked at again.
        """
        few = len(self.reachable) < self._charter.threshold
        effects: list[Effect] = []
        for session in looked_at:
            if session.id not in self.questions.sessions:
                continue
            dues = [self._due_ms, session.next_deadline_ms(self._charter)]
            report_ms = session.deadline_at_ms + (0 if few else UNDECIDED_MS)
            if not session.reported_open and now_ms >= report_ms:
                session.reported_open = True
                effects.append(Ended(session.id, None))
            elif not session.reported_open:
                dues.append(report_ms)
            self._due_ms = min((due for due in dues if due is not None), default=None)
        return effects

    def _timely(self, item: Item) -> bool:
        """Whether this member would end the question with this item now."""
        session = self.questions.sessions.get(item.id)
        if session is None:  # It never came here. Those who answered it have judged.
            return resolve(item, self.ledger.roster).outcome is not None
        return session.accepts(item, self.ledger.roster, self.reachable, self._now_ms)

    def _restore(self, restored: Restored, now_ms: int) -> None:
        records = restored.records
        self.changes.restore(one for one in records if one.kind in (Kind.CHANGE, Kind.APPROVAL))
        self.evidence.restore(one for one in records if one.kind is Kind.STATEMENT)
        self.questions.restore((one for one in records if one.kind in QUESTION_KINDS), now_ms)
        if restored.voting is not None and restored.voting[0] == self.ledger.height:
            self.assembly.restore(*restored.voting, restored.agendas)
