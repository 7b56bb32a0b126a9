"""Federated voting at work: runs the slot in work, signs and saves before it sends, and collects the proof."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from coordinator.agenda_driver import AgendaDriver, VotingSettings
from coordinator.agenda_requests import AgendaRequests
from coordinator.effects import Effect, Note, SaveAgenda, SaveVoting, Send, SendEntries
from coordinator.evidence import OpenEvidence
from coordinator.heard import Heard, keep_newest, read_statement
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.ledger import Ledger
from coordinator.ledger.proof import CertificateError, check_statement
from coordinator.messages import RECORDS_MAX, Records
from coordinator.signed import Digest, Kind, NodeId, Signed, Signer
from coordinator.voting import Effect as VotingEffect
from coordinator.voting import Emit, Externalized, Slot, SlotState
from coordinator.voting.newness import is_newer
from coordinator.voting.statement import Externalize, Nominate, Statement, decode, encode, values

HELP_INTERVAL_MS = 1_000
"""How often one member that is behind is helped, at most."""


@dataclass(frozen=True, slots=True)
class Decided:
    """For the layer above: a slot was decided, or one decided earlier has its proof now."""

    agenda: Agenda
    proven: bool


class Assembly:
    """The slot in work is `ledger.height`. It exists once something is ready here or a statement about it was heard."""

    def __init__(
        self,
        signer: Signer,
        ledger: Ledger,
        driver: AgendaDriver,
        verify: Callable[[Signed], bool],
        settings: VotingSettings,
        evidence: OpenEvidence,
    ) -> None:
        self._signer = signer
        self._node = signer.node
        self._ledger = ledger
        self._driver = driver
        self._verify = verify
        self._settings = settings
        self._evidence = evidence
        self._slot: Slot | None = None
        self._restored: SlotState | None = None
        self._own: dict[bool, Signed] = {}
        """Our newest signed statements of the slot, by whether they nominate."""
        self._latest: dict[tuple[NodeId, bool], Heard] = {}
        """Everybody's newest statements of the slot that were counted."""
        self._waiting: dict[tuple[NodeId, bool], Heard] = {}
        """Statements that name agendas not at hand, or that came before this member may vote."""
        self._early: dict[tuple[NodeId, bool], Heard] = {}
        """Statements of the next slot: others may be one decision ahead."""
        self._saved: set[Digest] = set()
        self._requests = AgendaRequests()
        self._helped_ms: dict[NodeId, int] = {}
        self._rebroadcast_at_ms: int | None = None
        self.may_vote = False
        """Set by the layer above once enough members have shown that they hold no statement of ours that we forgot."""
        self.look_needed = False
        """Set by the layer above when what is timely or reachable may have changed."""
        self._silent_slot: int | None = None
        """A slot in which we said something that we no longer know, after a lost disk: we follow it without voting."""

    def restore(self, slot: int, state: bytes, own: Iterable[Signed], agendas: Iterable[bytes]) -> None:
        """Take up the slot in work where the disk left it."""
        assert slot == self._ledger.height, "only the slot in work is taken up"
        self._restored = SlotState.decode(state)
        self._own = {isinstance(decode(record.body), Nominate): record for record in own}
        for data in agendas:
            digest = self._driver.add_bytes(data)
            if digest is not None:
                self._saved.add(digest)

    @property
    def watching(self) -> bool:
        """Whether this node follows the slot in work without voting."""
        sits = self._node in self._ledger.roster.by_node
        return not (self.may_vote and sits) or self._silent_slot == self._ledger.height

    @property
    def running(self) -> bool:
        return self._slot is not None

    def takes_proposals(self) -> bool:
        """Whether an agenda of ours would be voted for now: we lead, and have voted for nothing else."""
        slot = self._slot
        return slot is not None and slot.voting and self._node in slot.leaders and not slot.voted and slot.b is None

    def records(self) -> list[Signed]:
        """The newest statements of the slot in work, and of slots that are not proven, for members that lack them."""
        others = (*self._latest.values(), *self._waiting.values(), *self._early.values())
        held = [*self._own.values(), *(heard.record for heard in others)]
        for entry in self._ledger.unproven.values():
            held += [*entry.heard, *entry.statements.values()]
        return sorted({record.digest(): record for record in held}.values(), key=Signed.digest)

    def propose(self, agenda: Agenda | None, now_ms: int) -> list[Effect | Decided]:
        """Begin the slot in work, or go on with a better own agenda; None follows the others without an own one."""
        if not self.may_vote:
            return []
        slot, resumed = self._begin(now_ms)
        value = None if agenda is None else self._driver.add_own(agenda)
        return self._carry_out(resumed + slot.nominate(value, now_ms), now_ms)

    def receive(self, record: Signed, sender: NodeId, now_ms: int) -> list[Effect | Decided]:
        """Take a statement of which the signature was checked."""
        try:
            statement = read_statement(record.body)
        except ValueError:
            return [_note("statement.refused", record.author, "malformed")]
        if statement.node != record.author:
            return [_note("statement.refused", record.author, "wrong_author")]
        if record.author not in self._ledger.roster_at(statement.slot).by_node:
            return [_note("statement.refused", record.author, "not_in_roster")]
        heard = Heard(statement, record, sender)
        if statement.slot < self._ledger.height:
            return self._old(heard, now_ms)
        if statement.slot > self._ledger.height:
            if statement.slot == self._ledger.height + 1:
                keep_newest(self._early, heard)
            return []
        if record.author == self._node:
            return self._own_came_back(record)
        counted = self._latest.get(heard.key)
        if counted is not None and not is_newer(counted.statement, statement):
            return list(self._evidence.pair(counted.record, record))
        before = self._waiting.get(heard.key)
        against = self._evidence.pair(before.record, record) if before else []
        keep_newest(self._waiting, heard)
        return [*against, *self._retry(now_ms)]

    def take_agendas(self, agendas: Iterable[bytes]) -> None:
        """Take those of these agendas that were asked for: what comes unasked would take the room of what is needed."""
        for data in agendas:
            self.look_needed |= self._driver.add_bytes(data, self._requests.wanted) is not None

    def look_again(self, now_ms: int) -> list[Effect | Decided]:
        """Count what had to wait, and draw every conclusion again where something changed that may allow it."""
        effects = self._retry(now_ms)
        if self.may_vote and self._slot is None and self._restored is not None:
            effects += self.propose(None, now_ms)
        if self._slot is not None and self.look_needed:
            self.look_needed = False
            effects += self._carry_out(self._slot.revalidate(now_ms), now_ms)
        if self._driver.sweep_due():
            self._driver.sweep(self._named())
        return effects

    def tick(self, now_ms: int) -> list[Effect | Decided]:
        effects: list[Effect | Decided] = []
        if self._slot is not None:
            effects += self._carry_out(self._slot.step_timers(now_ms), now_ms)
        if self._rebroadcast_at_ms is not None and now_ms >= self._rebroadcast_at_ms:
            effects += self._rebroadcast(now_ms)
        return effects

    def next_deadline_ms(self) -> int | None:
        dues = [
            self._rebroadcast_at_ms,
            self._requests.next_deadline_ms(),
            self._slot.next_deadline_ms() if self._slot else None,
        ]
        return min((due for due in dues if due is not None), default=None)

    def skip(self, agenda: Agenda, statements: tuple[Signed, ...]) -> list[Effect | Decided]:
        """Take a slot as decided that others have proven; the statements were checked."""
        effects: list[Effect | Decided] = []
        if agenda.header.slot == self._ledger.height:
            effects.append(self._ledger.append(agenda))
            effects.append(Decided(agenda, proven=False))
            self._next_slot()
        return effects + self._prove(agenda.header.slot, statements)

    def _begin(self, now_ms: int) -> tuple[Slot, list[VotingEffect]]:
        """The slot in work; made now, or taken up where a crash cut it off."""
        if self._slot is not None:
            return self._slot, []
        index, head, mine = self._ledger.height, self._ledger.head, self._ledger.roster.quorum_set
        # Also who says nothing has to look again: an agenda that it was too early for may be timely by now.
        self._rebroadcast_at_ms = now_ms + self._settings.rebroadcast_ms
        if self._restored is None:
            self._slot = Slot(self._node, index, mine, self._driver, previous=head, voting=not self.watching)
            return self._slot, []
        self._slot = Slot.restore(self._node, index, mine, self._driver, self._restored, previous=head)
        return self._slot, self._slot.resume(now_ms)

    def _retry(self, now_ms: int) -> list[Effect | Decided]:
        """Count the statements of which every agenda is at hand now; ask for the others' agendas."""
        if not self.may_vote:
            return []
        effects: list[Effect | Decided] = []
        lacking: dict[Digest, list[NodeId]] = {}
        height = self._ledger.height
        for key in sorted(self._waiting):
            heard = self._waiting[key]
            missing = [value for value in values(heard.statement) if not self._driver.knows(value)]
            for value in missing:
                holders = lacking.setdefault(value, [])
                holders += [member for member in (heard.sender, heard.record.author) if member not in holders]
            if missing:
                continue
            del self._waiting[key]
            if self._slot is None:
                effects += self.propose(None, now_ms)
            if self._slot is not None and height == self._ledger.height:
                self._latest[key] = heard
                effects += self._carry_out(self._slot.receive(heard.statement, now_ms), now_ms)
            if height != self._ledger.height:
                return effects  # What waits now is about the next slot.
        return effects + list(self._requests.ask(lacking, now_ms))

    def _named(self) -> frozenset[Digest]:
        """Every agenda that a statement in use names or that voting may still come back to."""
        statements = [heard.statement for heard in (*self._latest.values(), *self._waiting.values())]
        statements += [read_statement(record.body) for record in self._own.values()]
        named = {value for statement in statements for value in values(statement)}
        if self._slot is not None:
            slot = self._slot
            named.update(slot.voted, slot.accepted, slot.candidates)
            named.update(ballot.value for ballot in (slot.b, slot.p, slot.p_prime, slot.h, slot.c) if ballot)
            named.update(value for value in (slot.composite, slot.value_override) if value)
        return frozenset(named)

    def _carry_out(self, voting: list[VotingEffect], now_ms: int) -> list[Effect | Decided]:
        """Sign, save and send what voting says, then take its decision."""
        said = [effect.statement for effect in voting if isinstance(effect, Emit)]
        effects = self._say(said, now_ms) if said else []
        for effect in voting:
            if isinstance(effect, Externalized):
                effects += self._externalized(effect.value)
        return effects

    def _say(self, statements: list[Statement], now_ms: int) -> list[Effect | Decided]:
        assert self._slot is not None
        effects: list[Effect | Decided] = []
        for statement in statements:
            record = self._signer.sign(Kind.STATEMENT, encode(statement))
            self._own[isinstance(statement, Nominate)] = record
            for value in values(statement):
                if value not in self._saved:
                    self._saved.add(value)
                    agenda = self._driver.agendas[value]
                    effects.append(SaveAgenda(self._ledger.height, value, agenda.encode()))
        own = tuple(self._own[nominates] for nominates in sorted(self._own))
        effects.append(SaveVoting(self._ledger.height, self._slot.state().encode(), own))
        self._rebroadcast_at_ms = now_ms + self._settings.rebroadcast_ms
        return effects + [Send(other, Records(own)) for other in self._others()]

    def _externalized(self, value: Digest) -> list[Effect | Decided]:
        agenda = self._driver.agendas[value]
        slot = agenda.header.slot
        statements = [heard.record for heard in self._latest.values() if self._proves(heard.record, agenda)]
        statements += [record for record in self._own.values() if self._proves(record, agenda)]
        effects: list[Effect | Decided] = [self._ledger.append(agenda), Decided(agenda, proven=False)]
        self._ledger.unproven[slot].heard = tuple(heard.record for heard in self._latest.values())
        self._next_slot()
        return effects + self._prove(slot, statements)

    def _proves(self, record: Signed, agenda: Agenda) -> bool:
        """Whether the record may stand in the agenda's proof. Not all that voting counts may: see `check_statement`."""
        try:
            check_statement(record, agenda.header, self._ledger.roster_at(agenda.header.slot), self._verify)
        except CertificateError:
            return False
        return True

    def _prove(self, slot: int, statements: Iterable[Signed]) -> list[Effect | Decided]:
        """Add statements that were checked."""
        proof = self._ledger.prove(slot, statements)
        if proof is None:
            return []
        agenda, save = proof
        return [save, Decided(agenda, proven=True)]

    def _next_slot(self) -> None:
        self._slot = self._restored = None
        self._own, self._latest, self._saved = {}, {}, set()
        self._requests.forget()
        here = self._ledger.roster.by_node
        self._waiting, self._early = {key: heard for key, heard in self._early.items() if key[0] in here}, {}
        self._driver.reset()

    def _old(self, heard: Heard, now_ms: int) -> list[Effect | Decided]:
        """A statement of a decided slot: it may complete the proof, or show that its author is behind."""
        statement, author = heard.statement, heard.record.author
        entry = self._ledger.unproven.get(statement.slot)
        if entry is not None and isinstance(statement, Externalize):
            if not self._proves(heard.record, entry.agenda):
                said = [one for one in entry.heard if one.author == author]
                against = [effect for one in said for effect in self._evidence.pair(one, heard.record)]
                return [_note("statement.refused", author, "contradicts_decision"), *against]
            return self._prove(statement.slot, [heard.record])
        if isinstance(statement, Externalize) or author == self._node:
            return []
        if now_ms < self._helped_ms.get(author, now_ms - HELP_INTERVAL_MS) + HELP_INTERVAL_MS:
            return []
        self._helped_ms[author] = now_ms
        if entry is None:
            return [SendEntries(author, statement.slot)]
        own = entry.statements.get(self._node)
        return [Send(author, Records((own,)))] if own else []

    def _own_came_back(self, record: Signed) -> list[Effect | Decided]:
        """A peer holds a statement of ours. Did we say it before our disk was lost, we only follow in this slot."""
        known = {own.digest() for own in self._own.values()}
        if record.digest() in known or self._silent_slot == self._ledger.height or self._is_older(record):
            return []
        self._silent_slot = self._ledger.height
        self._slot = self._restored = None
        self._waiting = {**self._latest, **self._waiting}
        return [_note("voting.forgotten", self._node, f"slot {self._ledger.height}")]

    def _is_older(self, record: Signed) -> bool:
        """Whether what we know ourselves to have said is newer than this."""
        statement = read_statement(record.body)
        own = self._own.get(isinstance(statement, Nominate))
        return own is not None and is_newer(statement, read_statement(own.body))

    def _rebroadcast(self, now_ms: int) -> list[Effect | Decided]:
        records = [self._own[nominates] for nominates in sorted(self._own)]
        for slot in sorted(self._ledger.unproven)[-RECORDS_MAX + 2 :]:
            own = self._ledger.unproven[slot].statements.get(self._node)
            records += [own] if own else []
        self.look_needed = True  # Patience with an agenda may be over.
        if not records and not self._waiting and self._slot is None:
            self._rebroadcast_at_ms = None
            return []
        self._rebroadcast_at_ms = now_ms + self._settings.rebroadcast_ms
        sends: list[Effect | Decided] = [Send(other, Records(tuple(records))) for other in self._others() if records]
        return sends + self._retry(now_ms)

    def _others(self) -> list[NodeId]:
        """Whom our statements are for: who counts in the slot in work, or in one that still wants a proof."""
        slots = [self._ledger.height, *self._ledger.unproven]
        nodes = {node for slot in slots for node in self._ledger.roster_at(slot).nodes}
        return sorted(nodes - {self._node})


def _note(event: str, member: NodeId, reason: str) -> Note:
    return Note(event, (("member", member), ("reason", reason)))
